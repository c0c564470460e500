package cloud

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/smithy-go"

	"github.com/supermax-hpo/supermax/cmd/supermax/internal/mistake"
)

// A Stack is where things are in an account: the outputs of the deployed CloudFormation
// stack.
type Stack struct {
	Name          string
	Table         string
	Data          string // bucket of definitions, corpora and backbones
	Results       string // bucket of everything that studies make
	StateMachine  string // ARN
	JobQueue      string // ARN
	JobDefinition string // ARN
	Image         string // URI
	Database      string // Glue's
	Workgroup     string // Athena's
	StopFunction  string // ARN or name
}

type stackDescriber interface {
	DescribeStacks(context.Context, *cloudformation.DescribeStacksInput, ...func(*cloudformation.Options)) (*cloudformation.DescribeStacksOutput, error)
}

// findStack reads the outputs of the stack of that name. Whoever deploys again while a
// study runs changes none of them.
func findStack(ctx context.Context, api stackDescriber, name string) (Stack, error) {
	out, err := api.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: &name})
	var refused smithy.APIError
	if errors.As(err, &refused) && refused.ErrorCode() == "ValidationError" && strings.Contains(refused.ErrorMessage(), "does not exist") ||
		err == nil && len(out.Stacks) == 0 {
		return Stack{}, mistake.Errorf("there is no stack %s in this account and region: deploy it with cdk deploy, or name another with --stack", name)
	}
	if err != nil {
		return Stack{}, explain("look for the stack "+name, err)
	}
	found := out.Stacks[0]
	if status := found.StackStatus; status == types.StackStatusCreateInProgress || strings.HasPrefix(string(status), "DELETE") {
		return Stack{}, mistake.Errorf("the stack %s is not ready: it is %s", name, status)
	}
	s := Stack{Name: name}
	want := map[string]*string{
		"TableName": &s.Table, "DataBucket": &s.Data, "ResultsBucket": &s.Results, "StateMachineArn": &s.StateMachine,
		"JobQueueArn": &s.JobQueue, "JobDefinitionArn": &s.JobDefinition, "ImageUri": &s.Image,
		"GlueDatabase": &s.Database, "AthenaWorkgroup": &s.Workgroup, "StopFunction": &s.StopFunction,
	}
	for _, o := range found.Outputs {
		if to, ok := want[aws.ToString(o.OutputKey)]; ok {
			*to = aws.ToString(o.OutputValue)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(want)) {
		if *want[key] == "" {
			return Stack{}, mistake.Errorf("the stack %s (%s) has no output %s, so it is none of supermax's, or one of another version: deploy it again", name, found.StackStatus, key)
		}
	}
	return s, nil
}
