package cloud

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/smithy-go"

	"github.com/supermax-hpo/supermax/cmd/supermax/internal/mistake"
)

type stacks func() (*cloudformation.DescribeStacksOutput, error)

func (f stacks) DescribeStacks(context.Context, *cloudformation.DescribeStacksInput, ...func(*cloudformation.Options)) (*cloudformation.DescribeStacksOutput, error) {
	return f()
}

// outputNames are those that supermax reads of a stack.
var outputNames = []string{"TableName", "DataBucket", "ResultsBucket", "StateMachineArn", "JobQueueArn", "JobDefinitionArn", "ImageUri",
	"GlueDatabase", "AthenaWorkgroup", "StopFunction"}

func deployed(status types.StackStatus, names ...string) stacks {
	var outputs []types.Output
	for _, name := range append(names, "KeyArn") {
		outputs = append(outputs, types.Output{OutputKey: aws.String(name), OutputValue: aws.String("the " + name)})
	}
	return func() (*cloudformation.DescribeStacksOutput, error) {
		return &cloudformation.DescribeStacksOutput{Stacks: []types.Stack{{StackStatus: status, Outputs: outputs}}}, nil
	}
}

func TestFindStack(t *testing.T) {
	s, err := findStack(t.Context(), deployed(types.StackStatusUpdateComplete, outputNames...), "Supermax")
	want := Stack{"Supermax", "the TableName", "the DataBucket", "the ResultsBucket", "the StateMachineArn", "the JobQueueArn", "the JobDefinitionArn",
		"the ImageUri", "the GlueDatabase", "the AthenaWorkgroup", "the StopFunction"}
	if err != nil || s != want {
		t.Errorf("%+v, %v", s, err)
	}
	fail := func(err error) stacks {
		return func() (*cloudformation.DescribeStacksOutput, error) { return nil, err }
	}
	for name, c := range map[string]struct {
		api  stacks
		want string
	}{
		"none": {fail(&smithy.GenericAPIError{Code: "ValidationError", Message: "Stack with id Supermax does not exist"}), "there is no stack Supermax in this account and region: deploy it with cdk deploy"},
		"empty": {func() (*cloudformation.DescribeStacksOutput, error) {
			return &cloudformation.DescribeStacksOutput{}, nil
		}, "there is no stack Supermax"},
		"denied":     {fail(&smithy.GenericAPIError{Code: "AccessDenied", Message: "no"}), "look for the stack Supermax: the credentials do not allow it (AccessDenied): no"},
		"expired":    {fail(&smithy.GenericAPIError{Code: "ExpiredToken", Message: "x"}), "AWS does not accept the credentials (ExpiredToken): sign in again"},
		"other":      {deployed(types.StackStatusCreateComplete, outputNames[1:]...), "has no output TableName, so it is none of supermax's"},
		"beginning":  {deployed(types.StackStatusCreateInProgress), "is not ready: it is CREATE_IN_PROGRESS"},
		"going away": {deployed(types.StackStatusDeleteInProgress, outputNames...), "is not ready: it is DELETE_IN_PROGRESS"},
	} {
		_, err := findStack(t.Context(), c.api, "Supermax")
		refused(t, name, err, c.want)
	}
}

func TestExplain(t *testing.T) {
	if explain("x", nil) != nil {
		t.Error("no error became one")
	}
	for _, c := range []struct {
		err     error
		mistake bool
		want    string
	}{
		{&net.OpError{Op: "dial", Err: errors.New("refused")}, true, "look: AWS cannot be reached: refused"},
		{&smithy.GenericAPIError{Code: "ThrottlingException", Message: "slow\n down"}, false, "look: ThrottlingException: slow down"},
		{context.Canceled, false, "look: context canceled"},
		{mistake.Errorf("wrong"), true, "look: wrong"},
		{errors.New("odd"), false, "look: odd"},
	} {
		err := explain("look", fmt.Errorf("wrapped: %w", c.err))
		if errors.Is(err, mistake.Err) != c.mistake || !strings.HasSuffix(strings.ReplaceAll(err.Error(), "wrapped: ", ""), c.want) {
			t.Errorf("%v, want %q (mistake %t)", err, c.want, c.mistake)
		}
	}
}

// Without a region, and without credentials, there is one sentence each.
func TestOpenRefused(t *testing.T) {
	nowhere := filepath.Join(t.TempDir(), "none")
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL",
		"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_WEB_IDENTITY_TOKEN_FILE"} {
		t.Setenv(name, "")
	}
	t.Setenv("AWS_CONFIG_FILE", nowhere)
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", nowhere)
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	_, err := Open(t.Context(), "Supermax")
	refused(t, "no region", err, "no region is set; set AWS_REGION")
	t.Setenv("AWS_REGION", "eu-west-1")
	_, err = Open(t.Context(), "Supermax")
	refused(t, "no credentials", err, "there are no AWS credentials: set AWS_PROFILE")
	t.Setenv("AWS_ACCESS_KEY_ID", "a")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "b")
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("AWS_ENDPOINT_URL", "http://"+listener.Addr().String())
	_ = listener.Close()
	t.Setenv("AWS_MAX_ATTEMPTS", "1")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	if testing.Short() {
		return // the calls are repeated for a while
	}
	_, err = Open(ctx, "Supermax")
	refused(t, "nobody there", err, "AWS cannot be reached")
}
