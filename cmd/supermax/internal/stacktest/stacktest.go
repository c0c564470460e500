// Package stacktest makes stacks for tests of what looks at a deployed one: a CloudFormation
// stack with supermax's outputs and the table, the buckets, the workgroup and the state
// machine that they name, the last of which only waits. Nothing of it can run a study.
package stacktest

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/athena"
	athenatypes "github.com/aws/aws-sdk-go-v2/service/athena/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/sfn"

	"github.com/supermax-hpo/supermax/lambdas/handler"
	"github.com/supermax-hpo/supermax/shared/objects"
	"github.com/supermax-hpo/supermax/shared/store/dynamo"
	"github.com/supermax-hpo/supermax/tests/emulator"
)

// A Stack is a stack of a test's own, deleted at its end.
type Stack struct {
	Name, Region  string
	Data, Results string           // buckets; both keep versions
	Service       *handler.Service // what the stack's functions would be
}

// New makes a stack in the account that [emulator.Config] gives, or skips t where there is
// none, and sets the environment by which it is reached. An execution of its state machine
// waits for so many seconds and then succeeds.
func New(t testing.TB, seconds int) *Stack {
	t.Helper()
	m := maker{t: t, cfg: emulator.Config(t), ctx: t.Context(), late: context.WithoutCancel(t.Context())}
	if emulator.Endpoint(t) != "" {
		keys, err := m.cfg.Credentials.Retrieve(m.ctx)
		m.must("read the credentials", err)
		t.Setenv("AWS_ACCESS_KEY_ID", keys.AccessKeyID)
		t.Setenv("AWS_SECRET_ACCESS_KEY", keys.SecretAccessKey)
		t.Setenv("AWS_REGION", m.cfg.Region)
	}
	name := fmt.Sprintf("cli-%d", time.Now().UnixNano())
	s := &Stack{Name: name, Region: m.cfg.Region, Data: name + "-data", Results: name + "-results"}
	table := m.table(name)
	m.bucket(s.Data)
	m.bucket(s.Results)
	m.workgroup(name, "s3://"+s.Results+"/athena/")
	machine := m.machine(name, seconds)
	m.stack(name, map[string]string{
		"TableName": name, "DataBucket": s.Data, "ResultsBucket": s.Results, "StateMachineArn": machine, "JobQueueArn": "none",
		"JobDefinitionArn": "none", "ImageUri": "none", "GlueDatabase": "default", "AthenaWorkgroup": name, "StopFunction": name + "-stop"})
	s.Service = &handler.Service{Log: dynamo.Open(table, name), Clock: time.Now}
	for to, bucket := range map[**objects.Bucket]string{&s.Service.Objects: s.Results, &s.Service.Definitions: s.Data} {
		var err error
		*to, err = objects.Open(m.ctx, "s3://"+bucket)
		m.must("open "+bucket, err)
	}
	return s
}

// maker makes the parts.
type maker struct {
	t    testing.TB
	cfg  aws.Config
	ctx  context.Context
	late context.Context // for what is deleted when the test is over
}

func (m maker) must(what string, err error) {
	m.t.Helper()
	if err != nil {
		m.t.Fatalf("%s: %v", what, err)
	}
}

func (m maker) table(name string) *dynamodb.Client {
	m.t.Helper()
	client := dynamodb.NewFromConfig(m.cfg)
	_, err := client.CreateTable(m.ctx, dynamo.TableInput(name))
	m.must("make the table", err)
	m.t.Cleanup(func() { _, _ = client.DeleteTable(m.late, &dynamodb.DeleteTableInput{TableName: &name}) })
	m.must("wait for the table", dynamodb.NewTableExistsWaiter(client).Wait(m.ctx, &dynamodb.DescribeTableInput{TableName: &name}, time.Minute))
	return client
}

func (m maker) bucket(name string) {
	m.t.Helper()
	client := emulator.S3(m.cfg)
	in := &s3.CreateBucketInput{Bucket: &name}
	if m.cfg.Region != "us-east-1" {
		in.CreateBucketConfiguration = &s3types.CreateBucketConfiguration{LocationConstraint: s3types.BucketLocationConstraint(m.cfg.Region)}
	}
	_, err := client.CreateBucket(m.ctx, in)
	m.must("make a bucket", err)
	m.t.Cleanup(func() { m.empty(client, name) })
	_, err = client.PutBucketVersioning(m.ctx, &s3.PutBucketVersioningInput{Bucket: &name,
		VersioningConfiguration: &s3types.VersioningConfiguration{Status: s3types.BucketVersioningStatusEnabled}})
	m.must("keep versions", err)
}

// empty deletes a bucket with what is in it.
func (m maker) empty(client *s3.Client, bucket string) {
	pages := s3.NewListObjectVersionsPaginator(client, &s3.ListObjectVersionsInput{Bucket: &bucket})
	for pages.HasMorePages() {
		page, err := pages.NextPage(m.late)
		if err != nil {
			m.t.Errorf("empty bucket %s: %v", bucket, err)
			return
		}
		for _, v := range page.Versions {
			_, _ = client.DeleteObject(m.late, &s3.DeleteObjectInput{Bucket: &bucket, Key: v.Key, VersionId: v.VersionId})
		}
		for _, v := range page.DeleteMarkers {
			_, _ = client.DeleteObject(m.late, &s3.DeleteObjectInput{Bucket: &bucket, Key: v.Key, VersionId: v.VersionId})
		}
	}
	if _, err := client.DeleteBucket(m.late, &s3.DeleteBucketInput{Bucket: &bucket}); err != nil {
		m.t.Errorf("delete bucket %s: %v", bucket, err)
	}
}

func (m maker) workgroup(name, output string) {
	m.t.Helper()
	client := athena.NewFromConfig(m.cfg)
	_, err := client.CreateWorkGroup(m.ctx, &athena.CreateWorkGroupInput{Name: &name, Configuration: &athenatypes.WorkGroupConfiguration{
		ResultConfiguration: &athenatypes.ResultConfiguration{OutputLocation: &output}}})
	m.must("make the workgroup", err)
	m.t.Cleanup(func() {
		_, _ = client.DeleteWorkGroup(m.late, &athena.DeleteWorkGroupInput{WorkGroup: &name, RecursiveDeleteOption: aws.Bool(true)})
	})
}

func (m maker) machine(name string, seconds int) (arn string) {
	m.t.Helper()
	client := sfn.NewFromConfig(m.cfg)
	definition := fmt.Sprintf(`{"StartAt":"Wait","States":{"Wait":{"Type":"Wait","Seconds":%d,"End":true}}}`, seconds)
	// On the emulator any role will do; a real account wants one that exists.
	out, err := client.CreateStateMachine(m.ctx, &sfn.CreateStateMachineInput{Name: &name, Definition: &definition,
		RoleArn: aws.String("arn:aws:iam::000000000000:role/" + name)})
	if err != nil && emulator.Endpoint(m.t) == "" {
		m.t.Skipf("the test's state machine needs a role: %v", err)
	}
	m.must("make the state machine", err)
	m.t.Cleanup(func() {
		_, _ = client.DeleteStateMachine(m.late, &sfn.DeleteStateMachineInput{StateMachineArn: out.StateMachineArn})
	})
	return aws.ToString(out.StateMachineArn)
}

// stack makes a stack with one queue, since it has to hold something.
func (m maker) stack(name string, outputs map[string]string) {
	m.t.Helper()
	values := map[string]any{}
	for key, value := range outputs {
		values[key] = map[string]string{"Value": value}
	}
	template, err := json.Marshal(map[string]any{
		"Resources": map[string]any{"Queue": map[string]any{"Type": "AWS::SQS::Queue"}}, "Outputs": values})
	m.must("write the template", err)
	client := cloudformation.NewFromConfig(m.cfg)
	_, err = client.CreateStack(m.ctx, &cloudformation.CreateStackInput{StackName: &name, TemplateBody: aws.String(string(template))})
	m.must("make the stack", err)
	m.t.Cleanup(func() { _, _ = client.DeleteStack(m.late, &cloudformation.DeleteStackInput{StackName: &name}) })
	m.must("wait for the stack", cloudformation.NewStackCreateCompleteWaiter(client, func(o *cloudformation.StackCreateCompleteWaiterOptions) {
		o.MinDelay, o.MaxDelay = time.Second, time.Second
	}).Wait(m.ctx, &cloudformation.DescribeStacksInput{StackName: &name}, 2*time.Minute))
}
