package cloud

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/athena"
	athenatypes "github.com/aws/aws-sdk-go-v2/service/athena/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/supermax-hpo/supermax/cmd/supermax/internal/trainertest"
	"github.com/supermax-hpo/supermax/lambdas/handler"
	"github.com/supermax-hpo/supermax/shared/config"
	"github.com/supermax-hpo/supermax/shared/objects"
	"github.com/supermax-hpo/supermax/shared/protocol"
	"github.com/supermax-hpo/supermax/shared/store/dynamo"
	"github.com/supermax-hpo/supermax/tests/emulator"
)

// template is a stack with supermax's outputs and one queue, since it has to hold something.
func template(t *testing.T, outputs map[string]string) string {
	t.Helper()
	values := map[string]any{}
	for name, value := range outputs {
		values[name] = map[string]string{"Value": value}
	}
	text, err := json.Marshal(map[string]any{
		"Resources": map[string]any{"Queue": map[string]any{"Type": "AWS::SQS::Queue"}},
		"Outputs":   values,
	})
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestOnAWS finds a stack by its outputs, looks at a study whose state is in DynamoDB and
// whose objects are in S3, and deletes it and everything else, all versions included.
func TestOnAWS(t *testing.T) {
	cfg := emulator.Config(t)
	ctx := t.Context()
	if emulator.Endpoint(t) != "" {
		keys, err := cfg.Credentials.Retrieve(ctx)
		if err != nil {
			t.Fatal(err)
		}
		t.Setenv("AWS_ACCESS_KEY_ID", keys.AccessKeyID)
		t.Setenv("AWS_SECRET_ACCESS_KEY", keys.SecretAccessKey)
		t.Setenv("AWS_REGION", cfg.Region)
	}
	name := fmt.Sprintf("cli-%d", time.Now().UnixNano())
	table, stacks, buckets := dynamodb.NewFromConfig(cfg), cloudformation.NewFromConfig(cfg), emulator.S3(cfg)
	late := context.WithoutCancel(ctx)
	if _, err := table.CreateTable(ctx, dynamo.TableInput(name)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = table.DeleteTable(late, &dynamodb.DeleteTableInput{TableName: &name}) })
	if err := dynamodb.NewTableExistsWaiter(table).Wait(ctx, &dynamodb.DescribeTableInput{TableName: &name}, time.Minute); err != nil {
		t.Fatal(err)
	}
	data, results := name+"-data", name+"-results"
	for _, bucket := range []string{data, results} {
		in := &s3.CreateBucketInput{Bucket: &bucket}
		if cfg.Region != "us-east-1" {
			in.CreateBucketConfiguration = &s3types.CreateBucketConfiguration{LocationConstraint: s3types.BucketLocationConstraint(cfg.Region)}
		}
		if _, err := buckets.CreateBucket(ctx, in); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _, _ = buckets.DeleteBucket(late, &s3.DeleteBucketInput{Bucket: &bucket}) })
		if _, err := buckets.PutBucketVersioning(ctx, &s3.PutBucketVersioningInput{Bucket: &bucket,
			VersioningConfiguration: &s3types.VersioningConfiguration{Status: s3types.BucketVersioningStatusEnabled}}); err != nil {
			t.Fatal(err)
		}
	}
	queries := athena.NewFromConfig(cfg)
	if _, err := queries.CreateWorkGroup(ctx, &athena.CreateWorkGroupInput{Name: &name, Configuration: &athenatypes.WorkGroupConfiguration{
		ResultConfiguration: &athenatypes.ResultConfiguration{OutputLocation: aws.String("s3://" + results + "/athena/")}}}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_, _ = queries.DeleteWorkGroup(late, &athena.DeleteWorkGroupInput{WorkGroup: &name, RecursiveDeleteOption: aws.Bool(true)})
	})
	if _, err := stacks.CreateStack(ctx, &cloudformation.CreateStackInput{StackName: &name, TemplateBody: aws.String(template(t, map[string]string{
		"TableName": name, "DataBucket": data, "ResultsBucket": results, "JobQueueArn": "none", "JobDefinitionArn": "none", "ImageUri": "none",
		"StateMachineArn": "none", "GlueDatabase": "default", "AthenaWorkgroup": name, "StopFunction": "none"}))}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = stacks.DeleteStack(late, &cloudformation.DeleteStackInput{StackName: &name}) })
	if err := cloudformation.NewStackCreateCompleteWaiter(stacks, func(o *cloudformation.StackCreateCompleteWaiterOptions) {
		o.MinDelay, o.MaxDelay = time.Second, time.Second
	}).Wait(ctx, &cloudformation.DescribeStacksInput{StackName: &name}, 2*time.Minute); err != nil {
		t.Fatal(err)
	}
	_, err := Open(ctx, name+"-none")
	refused(t, "no such stack", err, "there is no stack "+name+"-none in this account and region")
	account, err := Open(ctx, name)
	if err != nil {
		t.Fatal(err)
	}
	if account.Stack.Table != name || account.Stack.StopFunction != "none" || account.Region != cfg.Region {
		t.Errorf("found %+v", account)
	}

	small := func(study string) {
		t.Helper()
		bucket, err := objects.Open(ctx, "s3://"+results)
		if err != nil {
			t.Fatal(err)
		}
		defer bucket.Close()
		service := &handler.Service{Log: dynamo.Open(table, name), Objects: bucket, Clock: time.Now}
		world := trainertest.NewWorld(t, func(c *config.Study) { c.Name = study })
		if err := service.Create(ctx, world.Study); err != nil {
			t.Fatal(err)
		}
		at := protocol.StageRequest{SchemaVersion: protocol.Version, Study: study, Stage: protocol.StageA}
		if _, err := service.Plan(ctx, at); err != nil {
			t.Fatal(err)
		}
		trainer := trainertest.Trainer{Calls: service, Objects: bucket, Study: world.Study, Mode: trainertest.Working}
		if err := trainer.Run(ctx, protocol.StageA, "slot"); err != nil {
			t.Fatal(err)
		}
		if _, err := service.Aggregate(ctx, at); err != nil {
			t.Fatal(err)
		}
	}
	small("small")
	small("small-2")

	s, err := account.Study("small")
	if err != nil {
		t.Fatal(err)
	}
	state, err := s.State(ctx)
	if err != nil || len(state.Trials(protocol.StageA)) != 6 {
		t.Fatalf("state: %v", err)
	}
	rows, err := s.Rows(ctx)
	if err != nil || len(rows) == 0 {
		t.Errorf("%d rows, %v", len(rows), err)
	}
	if top, err := s.Export(ctx, "top", "yaml"); err != nil || !strings.Contains(string(top), "study: small\n") {
		t.Errorf("top %s, %v", top, err)
	}

	answer, _, err := account.Query(ctx, "SELECT 1.5e0 AS half, 'x' AS text UNION ALL SELECT 2.0e0 AS half, 'y' AS text ORDER BY text")
	if err != nil {
		t.Fatal(err)
	}
	var csv bytes.Buffer
	if err := answer.Write(&csv, "csv"); err != nil || csv.String() != "half,text\n1.5,x\n2,y\n" {
		t.Errorf("answer %q, %v", csv.String(), err)
	}
	_, _, err = account.Query(ctx, "SELECT nothing AS nothing FROM nowhere")
	refused(t, "a wrong query", err, "the query failed: ")

	// No state machine is behind the stack, so nothing can be under way.
	none := &fakes{executions: map[string]*walk{}}
	account.steps, account.batch = none, none
	h, err := account.Delete(ctx, "small")
	if err != nil || h.Objects < 9 || !h.State {
		t.Errorf("deleted %+v, %v", h, err)
	}
	if _, err := s.State(ctx); err == nil || !strings.Contains(err.Error(), "holds no study") {
		t.Errorf("after the deletion: %v", err)
	}
	if h, err := account.Holds(ctx, "small-2"); err != nil || h.Objects < 9 || !h.State {
		t.Errorf("the other study: %+v, %v", h, err)
	}
	if names, err := dynamo.Open(table, name).Studies(ctx); err != nil || len(names) != 1 {
		t.Errorf("studies %v, %v", names, err)
	}
	small("small") // a study of the same name may be made anew

	h, items, err := account.Purge(ctx)
	if err != nil || h.Objects == 0 || items == 0 {
		t.Errorf("purged %+v and %d items, %v", h, items, err)
	}
	if h, err := account.HoldsAll(ctx); err != nil || h != (Holding{}) {
		t.Errorf("left %+v, %v", h, err)
	}
}
