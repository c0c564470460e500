package aws

import (
	"io"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/athena"
	"github.com/aws/aws-sdk-go-v2/service/batch"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cfn "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"github.com/supermax-hpo/supermax/tests/emulator"
)

// TestNothingIsLeft runs after `cdk destroy` on the emulator, which held nothing before:
// whatever is there is left over. CDK's own bootstrap stack and bucket stay.
func TestNothingIsLeft(t *testing.T) {
	if os.Getenv("SUPERMAX_DESTROYED") == "" {
		t.Skip("SUPERMAX_DESTROYED is not set; `make e2e` sets it after it destroyed its stack")
	}
	ctx, cfg := t.Context(), emulator.Config(t)
	left := func(kind string, names []string, err error) {
		t.Helper()
		if err != nil {
			t.Errorf("list %s: %v", kind, err)
		}
		for _, name := range names {
			if !strings.Contains(name, "cdk-hnb659fds") && !strings.Contains(name, "CDKToolkit") {
				t.Errorf("%s is left: %s", kind, name)
			}
		}
	}

	tables, err := dynamodb.NewFromConfig(cfg).ListTables(ctx, &dynamodb.ListTablesInput{})
	if err == nil {
		left("a table", tables.TableNames, nil)
	} else {
		left("tables", nil, err)
	}

	buckets, err := s3.NewFromConfig(cfg).ListBuckets(ctx, &s3.ListBucketsInput{})
	left("a bucket", namesOf(err, func() (n []string) {
		for _, b := range buckets.Buckets {
			n = append(n, aws.ToString(b.Name))
		}
		return n
	}), err)

	functions, err := lambda.NewFromConfig(cfg).ListFunctions(ctx, &lambda.ListFunctionsInput{})
	left("a function", namesOf(err, func() (n []string) {
		for _, f := range functions.Functions {
			n = append(n, aws.ToString(f.FunctionName))
		}
		return n
	}), err)

	machines, err := sfn.NewFromConfig(cfg).ListStateMachines(ctx, &sfn.ListStateMachinesInput{})
	left("a state machine", namesOf(err, func() (n []string) {
		for _, m := range machines.StateMachines {
			n = append(n, aws.ToString(m.Name))
		}
		return n
	}), err)

	jobs := batch.NewFromConfig(cfg)
	queues, err := jobs.DescribeJobQueues(ctx, &batch.DescribeJobQueuesInput{})
	left("a job queue", namesOf(err, func() (n []string) {
		for _, q := range queues.JobQueues {
			n = append(n, aws.ToString(q.JobQueueName))
		}
		return n
	}), err)
	environments, err := jobs.DescribeComputeEnvironments(ctx, &batch.DescribeComputeEnvironmentsInput{})
	left("a compute environment", namesOf(err, func() (n []string) {
		for _, e := range environments.ComputeEnvironments {
			n = append(n, aws.ToString(e.ComputeEnvironmentName))
		}
		return n
	}), err)

	databases, err := glue.NewFromConfig(cfg).GetDatabases(ctx, &glue.GetDatabasesInput{})
	left("a Glue database", namesOf(err, func() (n []string) {
		for _, d := range databases.DatabaseList {
			if name := aws.ToString(d.Name); name != "default" {
				n = append(n, name)
			}
		}
		return n
	}), err)

	workgroups, err := athena.NewFromConfig(cfg).ListWorkGroups(ctx, &athena.ListWorkGroupsInput{})
	left("an Athena workgroup", namesOf(err, func() (n []string) {
		for _, w := range workgroups.WorkGroups {
			if name := aws.ToString(w.Name); name != "primary" {
				n = append(n, name)
			}
		}
		return n
	}), err)

	left("an alarm", alarmNames(t), nil)

	topics, err := sns.NewFromConfig(cfg).ListTopics(ctx, &sns.ListTopicsInput{})
	left("a topic", namesOf(err, func() (n []string) {
		for _, x := range topics.Topics {
			n = append(n, aws.ToString(x.TopicArn))
		}
		return n
	}), err)

	rules, err := eventbridge.NewFromConfig(cfg).ListRules(ctx, &eventbridge.ListRulesInput{})
	left("an event rule", namesOf(err, func() (n []string) {
		for _, r := range rules.Rules {
			n = append(n, aws.ToString(r.Name))
		}
		return n
	}), err)

	stacks, err := cloudformation.NewFromConfig(cfg).DescribeStacks(ctx, &cloudformation.DescribeStacksInput{})
	left("a stack", namesOf(err, func() (n []string) {
		for _, s := range stacks.Stacks {
			if s.StackStatus != cfn.StackStatusDeleteComplete {
				n = append(n, aws.ToString(s.StackName))
			}
		}
		return n
	}), err)
}

// alarmNames asks for the alarms in CloudWatch's old protocol: the emulator's answer in the
// one that the SDK speaks cannot be read.
func alarmNames(t *testing.T) []string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, emulator.Endpoint(t), strings.NewReader("Action=DescribeAlarms&Version=2010-08-01"))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/monitoring/aws4_request, SignedHeaders=host, Signature=0")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK || !strings.Contains(string(body), "DescribeAlarmsResult") {
		t.Fatalf("describe the alarms: %s %v %s", resp.Status, err, short(string(body)))
	}
	var names []string
	for _, found := range regexp.MustCompile(`<AlarmName>(.*?)</AlarmName>`).FindAllSubmatch(body, -1) {
		names = append(names, string(found[1]))
	}
	return names
}

// namesOf spares every list a check of its own.
func namesOf(err error, names func() []string) []string {
	if err != nil {
		return nil
	}
	return names()
}
