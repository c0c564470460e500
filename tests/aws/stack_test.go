// Package aws runs the suite as it is deployed: real executions of the state machine, on
// the emulator or on an account. `make e2e` and `make chaos` deploy the stack, run these
// tests and destroy it; without SUPERMAX_STACK they are skipped.
package aws

import (
	"context"
	"os"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sfn"

	"github.com/supermax-hpo/supermax/lambdas/handler"
	"github.com/supermax-hpo/supermax/shared/objects"
	"github.com/supermax-hpo/supermax/shared/store/dynamo"
	"github.com/supermax-hpo/supermax/shared/study"
	"github.com/supermax-hpo/supermax/tests/emulator"
)

// stack is the deployed stack with the clients that the tests use.
type stack struct {
	t       *testing.T
	config  aws.Config
	outputs map[string]string
	states  *sfn.Client
	lambdas *lambda.Client
	results *objects.Bucket
	data    *objects.Bucket
}

func open(t *testing.T) *stack {
	t.Helper()
	name := os.Getenv("SUPERMAX_STACK")
	if name == "" {
		t.Skip("SUPERMAX_STACK names no deployed stack; `make e2e` deploys one and runs this test")
	}
	cfg := emulator.Config(t)
	described, err := cloudformation.NewFromConfig(cfg).DescribeStacks(t.Context(), &cloudformation.DescribeStacksInput{StackName: &name})
	if err != nil {
		t.Fatalf("describe stack %s: %v", name, err)
	}
	s := &stack{t: t, config: cfg, outputs: map[string]string{}, states: sfn.NewFromConfig(cfg), lambdas: lambda.NewFromConfig(cfg)}
	for _, o := range described.Stacks[0].Outputs {
		s.outputs[aws.ToString(o.OutputKey)] = aws.ToString(o.OutputValue)
	}
	s.results, s.data = s.bucket("ResultsBucket"), s.bucket("DataBucket")
	return s
}

// output returns one of the stack's outputs.
func (s *stack) output(name string) string {
	s.t.Helper()
	v := s.outputs[name]
	if v == "" {
		s.t.Fatalf("the stack has no output %s; it has %v", name, s.outputs)
	}
	return v
}

func (s *stack) bucket(output string) *objects.Bucket {
	s.t.Helper()
	b, err := objects.Open(s.t.Context(), "s3://"+s.output(output))
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = b.Close() })
	return b
}

// state reads a study's state from the table.
func (s *stack) state(name string) *study.State {
	s.t.Helper()
	log := dynamo.Open(dynamodb.NewFromConfig(s.config), s.output("TableName"))
	st, err := (&handler.Service{Log: log}).State(context.WithoutCancel(s.t.Context()), name)
	if err != nil {
		s.t.Fatalf("read the state of %s: %v", name, err)
	}
	return st
}

// invoke calls a function as the state machine does and returns its answer, or its error
// as type and message.
func (s *stack) invoke(output, payload string) (reply []byte, refused string) {
	s.t.Helper()
	out, err := s.lambdas.Invoke(s.t.Context(), &lambda.InvokeInput{
		FunctionName: aws.String(s.output(output)), Payload: []byte(payload),
	})
	if err != nil {
		s.t.Fatalf("invoke %s: %v", output, err)
	}
	if out.FunctionError != nil {
		return nil, string(out.Payload)
	}
	return out.Payload, ""
}

// short shortens what a failure prints.
func short(text string) string {
	if len(text) > 2000 {
		return text[:2000] + "…"
	}
	return strings.TrimSpace(text)
}
