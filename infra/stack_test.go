package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/supermax-hpo/supermax/infra/internal/workflow"
	"github.com/supermax-hpo/supermax/shared/queries"
	"github.com/supermax-hpo/supermax/shared/store/dynamo"
)

// The outputs are what the command and the tests look for.
func TestOutputs(t *testing.T) {
	want := []string{
		"AggregateFunction", "AlarmTopicArn", "AskFunction", "AthenaWorkgroup", "CheckFunction", "CreateFunction", "DataBucket",
		"FinishFunction", "GlueDatabase", "HeartbeatFunction", "ImageUri", "JobDefinitionArn", "JobQueueArn", "KeyArn",
		"OnJobEventFunction", "PlanFunction", "PromoteFunction", "ResultsBucket", "StateMachineArn", "StopFunction", "TableName", "TellFunction",
	}
	if d := cmp.Diff(want, synthesise(t, nil, false).outputs); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
}

// The table is the one that package dynamo makes for its tests.
func TestTableSchema(t *testing.T) {
	made := dynamo.TableInput("x")
	table := synthesise(t, nil, false).of(t, "AWS::DynamoDB::Table")[0]
	for i, k := range made.KeySchema {
		got := at(table.Properties, "KeySchema", i)
		if at(got, "AttributeName") != *k.AttributeName || at(got, "KeyType") != string(k.KeyType) {
			t.Errorf("key %d is %v, package dynamo has %s %s", i, got, *k.AttributeName, k.KeyType)
		}
	}
	if n := len(list(at(table.Properties, "KeySchema"))); n != len(made.KeySchema) {
		t.Errorf("%d keys, package dynamo has %d", n, len(made.KeySchema))
	}
	for i, a := range made.AttributeDefinitions {
		got := at(table.Properties, "AttributeDefinitions", i)
		if at(got, "AttributeName") != *a.AttributeName || at(got, "AttributeType") != string(a.AttributeType) {
			t.Errorf("attribute %d is %v, package dynamo has %s %s", i, got, *a.AttributeName, a.AttributeType)
		}
	}
}

// A lost machine and an image that could not be pulled are tried again, nothing else is.
func TestRetries(t *testing.T) {
	job := synthesise(t, nil, false).of(t, "AWS::Batch::JobDefinition")[0]
	want := map[string]any{"Attempts": 10.0, "EvaluateOnExit": []any{
		map[string]any{"OnStatusReason": "Host EC2*", "Action": "RETRY"},
		map[string]any{"OnReason": "CannotPullContainer*", "Action": "RETRY"},
		map[string]any{"OnReason": "*", "Action": "EXIT"},
	}}
	if d := cmp.Diff(want, at(job.Properties, "RetryStrategy")); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
}

func TestQueue(t *testing.T) {
	d := synthesise(t, nil, false)
	queue := d.of(t, "AWS::Batch::JobQueue")[0]
	var order []string
	for _, o := range list(at(queue.Properties, "ComputeEnvironmentOrder")) {
		order = append(order, fmt.Sprint(at(o, "Order"))+" "+text(at(o, "ComputeEnvironment")))
	}
	if !slices.Equal(order, []string{"1 ${Spot}", "2 ${OnDemand}"}) {
		t.Errorf("environments: %v", order)
	}
	strategies := map[string]string{}
	for _, e := range d.of(t, "AWS::Batch::ComputeEnvironment") {
		strategies[text(at(e.Properties, "ComputeResources", "Type"))] = text(at(e.Properties, "ComputeResources", "AllocationStrategy"))
	}
	if d := cmp.Diff(map[string]string{"SPOT": "SPOT_PRICE_CAPACITY_OPTIMIZED", "EC2": "BEST_FIT_PROGRESSIVE"}, strategies); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
	for _, a := range list(at(queue.Properties, "JobStateTimeLimitActions")) {
		if at(a, "State") != "RUNNABLE" || at(a, "Action") != "CANCEL" || at(a, "MaxTimeSeconds").(float64) < 600 {
			t.Errorf("%v", a)
		}
	}
	if n := len(list(at(queue.Properties, "JobStateTimeLimitActions"))); n != 3 {
		t.Errorf("%d limits of the time in RUNNABLE, want 3", n)
	}
}

// An ended attempt comes to on-job-event; what cannot be handled comes to the queue.
func TestJobEvents(t *testing.T) {
	d := synthesise(t, nil, false)
	for _, r := range d.of(t, "AWS::Events::Rule") {
		if r.stack != "Compute" {
			continue
		}
		if got := texts(at(r.Properties, "EventPattern", "detail", "jobQueue")); !slices.Equal(got, []string{"${Queue.JobQueueArn}"}) {
			t.Errorf("events of the queues %v", got)
		}
		target := at(r.Properties, "Targets", 0)
		if text(at(target, "Arn")) != "${OnJobEvent.Arn}" || text(at(target, "DeadLetterConfig", "Arn")) != "${DeadLetters.Arn}" {
			t.Errorf("target: %v", target)
		}
	}
	config := d.of(t, "AWS::Lambda::EventInvokeConfig")[0]
	if text(at(config.Properties, "FunctionName")) != "${OnJobEvent}" || text(at(config.Properties, "DestinationConfig", "OnFailure", "Destination")) != "${DeadLetters.Arn}" {
		t.Errorf("%v", config.Properties)
	}
}

// By default nothing costs money while idle: no NAT gateway, no interface endpoint, no
// address, and the endpoints that are free.
func TestNetworks(t *testing.T) {
	endpoints := func(d deployment) (kinds []string) {
		for _, e := range d.maybe("AWS::EC2::VPCEndpoint") {
			_, service, _ := strings.Cut(text(at(e.Properties, "ServiceName")), "${AWS::Region}.")
			kinds = append(kinds, text(at(e.Properties, "VpcEndpointType"))+" "+service)
		}
		slices.Sort(kinds)
		return kinds
	}
	for name, c := range map[string]struct {
		context   map[string]any
		endpoints []string
		subnets   int
		internet  bool
	}{
		"public":   {nil, []string{"Gateway dynamodb", "Gateway s3"}, 3, true},
		"existing": {map[string]any{"vpc": "vpc-0123456789abcdef0", "subnets": "subnet-0123456789abcdef0,subnet-0123456789abcdef1", "arch": "amd64"}, nil, 0, false},
		"private": {map[string]any{"network": "private", "zones": "2", "name": "Closed"}, []string{
			"Gateway dynamodb", "Gateway s3", "Interface ecr.api", "Interface ecr.dkr", "Interface ecs", "Interface ecs-agent",
			"Interface ecs-telemetry", "Interface lambda", "Interface logs"}, 2, false},
	} {
		d := synthesise(t, c.context, false)
		if diff := cmp.Diff(c.endpoints, endpoints(d)); diff != "" {
			t.Errorf("%s: -want +got\n%s", name, diff)
		}
		for _, kind := range []string{"AWS::EC2::NatGateway", "AWS::EC2::EIP"} {
			if n := len(d.maybe(kind)); n > 0 {
				t.Errorf("%s: %d %s", name, n, kind)
			}
		}
		if got := len(d.maybe("AWS::EC2::InternetGateway")) > 0; got != c.internet {
			t.Errorf("%s: an internet gateway: %v", name, got)
		}
		subnets := d.maybe("AWS::EC2::Subnet")
		if len(subnets) != c.subnets {
			t.Errorf("%s: %d subnets, want %d", name, len(subnets), c.subnets)
		}
		for _, s := range subnets {
			if at(s.Properties, "MapPublicIpOnLaunch") != c.internet {
				t.Errorf("%s: %s gives out addresses: %v", name, s, !c.internet)
			}
		}
		for _, e := range d.of(t, "AWS::Batch::ComputeEnvironment") {
			if n := len(list(at(e.Properties, "ComputeResources", "Subnets"))); n != max(c.subnets, 2) {
				t.Errorf("%s: %s has %d subnets", name, e, n)
			}
		}
	}
}

// The image is the one that is named, or one that cdk builds, or one to be pushed, which a
// warning says.
func TestImages(t *testing.T) {
	image := func(d deployment) string {
		return text(at(d.of(t, "AWS::Batch::JobDefinition")[0].Properties, "ContainerProperties", "Image"))
	}
	pushed, named, built := synthesise(t, nil, false), synthesise(t, map[string]any{"retain": "false", "image": "local/trainer:latest", "budget": "100", "email": "a@example.org"}, false), synthesise(t, nil, true)
	if got := image(pushed); len(pushed.of(t, "AWS::ECR::Repository")) != 1 || !strings.HasSuffix(got, ":latest") || !strings.Contains(got, "Images") {
		t.Errorf("to be pushed: %s", got)
	}
	if len(pushed.warnings) != 1 || !strings.Contains(pushed.warnings[0], "make image-push") {
		t.Errorf("warnings: %v", pushed.warnings)
	}
	for name, d := range map[string]deployment{"named": named, "built": built} {
		if len(d.maybe("AWS::ECR::Repository")) > 0 || len(d.warnings) > 0 {
			t.Errorf("%s: a repository, or the warnings %v", name, d.warnings)
		}
	}
	if got := image(named); got != "local/trainer:latest" {
		t.Errorf("named: %s", got)
	}
	if got := image(built); !strings.Contains(got, "cdk-hnb659fds-container-assets-") {
		t.Errorf("built: %s", got)
	}
}

// Each alarm that the documentation explains, and who hears of it.
func TestAlarms(t *testing.T) {
	d := synthesise(t, map[string]any{"retain": "false", "image": "local/trainer:latest", "budget": "100", "email": "a@example.org"}, false)
	var got []string
	for _, a := range d.of(t, "AWS::CloudWatch::Alarm") {
		got = append(got, fmt.Sprintf("%s: %s/%s %s %v", text(at(a.Properties, "AlarmName")), text(at(a.Properties, "Namespace")),
			text(at(a.Properties, "MetricName")), text(at(a.Properties, "ComparisonOperator")), at(a.Properties, "Threshold")))
		if n := len(list(at(a.Properties, "Metrics"))); n > 0 {
			t.Errorf("%s costs as %d metrics", a, n)
		}
	}
	slices.Sort(got)
	want := []string{
		"Supermax Ask errors: AWS/Lambda/Errors GreaterThanThreshold 5",
		"Supermax GPU utilisation: Supermax/GPUUtilization LessThanThreshold 90",
		"Supermax Heartbeat errors: AWS/Lambda/Errors GreaterThanThreshold 5",
		"Supermax Tell errors: AWS/Lambda/Errors GreaterThanThreshold 5",
		"Supermax budget 100 %: Supermax/BudgetUsedPercent GreaterThanOrEqualToThreshold 100",
		"Supermax budget 80 %: Supermax/BudgetUsedPercent GreaterThanOrEqualToThreshold 80",
		"Supermax dead letters: AWS/SQS/ApproximateNumberOfMessagesVisible GreaterThanThreshold 0",
		"Supermax executions failed: AWS/States/ExecutionsFailed GreaterThanThreshold 0",
		"Supermax executions timed out: AWS/States/ExecutionsTimedOut GreaterThanThreshold 0",
		"Supermax failure rate: Supermax/FailedPercent GreaterThanThreshold 5",
		"Supermax out-of-memory rate: Supermax/OOMPercent GreaterThanThreshold 5",
		"Supermax throttles: AWS/Lambda/Throttles GreaterThanThreshold 0",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if s := d.of(t, "AWS::SNS::Subscription")[0]; at(s.Properties, "Endpoint") != "a@example.org" {
		t.Errorf("%v", s.Properties)
	}
	budget := d.of(t, "AWS::Budgets::Budget")[0]
	var notices []string
	for _, n := range list(at(budget.Properties, "NotificationsWithSubscribers")) {
		notices = append(notices, fmt.Sprint(at(n, "Notification", "Threshold"), " to ", text(at(n, "Subscribers", 0, "Address"))))
	}
	if diff := cmp.Diff([]string{"80 to ${Topic}", "100 to ${Topic}"}, notices); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if n := len(synthesise(t, nil, false).maybe("AWS::Budgets::Budget")); n > 0 {
		t.Errorf("%d budgets that nobody asked for", n)
	}
	for _, r := range d.of(t, "AWS::Events::Rule") {
		if r.stack == "Alarms" && text(at(r.Properties, "Targets", 0, "Arn")) != "${Topic}" {
			t.Errorf("%v", r.Properties)
		}
	}
	body := text(at(d.of(t, "AWS::CloudWatch::Dashboard")[0].Properties, "DashboardBody"))
	var dashboard map[string]any
	if err := json.Unmarshal([]byte(body), &dashboard); err != nil || len(list(dashboard["widgets"])) != 10 {
		t.Errorf("%v, %d widgets in %s", err, len(list(dashboard["widgets"])), body)
	}
}

func TestAnalytics(t *testing.T) {
	d := synthesise(t, nil, false)
	var names []string
	for _, q := range d.of(t, "AWS::Athena::NamedQuery") {
		names = append(names, text(at(q.Properties, "Name")))
		if at(q.Properties, "Database") != "supermax" || at(q.Properties, "QueryString") == "" {
			t.Errorf("%v", q.Properties)
		}
	}
	slices.Sort(names)
	if diff := cmp.Diff(queries.Names(), names); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	for _, table := range d.of(t, "AWS::Glue::Table") {
		input := at(table.Properties, "TableInput")
		name := text(at(input, "Name"))
		kinds := map[string]string{}
		for _, c := range list(at(input, "StorageDescriptor", "Columns")) {
			kinds[text(at(c, "Name"))] = text(at(c, "Type"))
		}
		for column, kind := range map[string]string{"trial": "bigint", "agent": "string", "f1_macro": "double",
			"model.name": "string", "optim.lr": "double", "tok.max_length": "bigint", "aug.enabled": "boolean"} {
			if kinds[column] != kind {
				t.Errorf("%s: column %s is a %q, want %s", name, column, kinds[column], kind)
			}
		}
		want := "s3://${Storage/Results.Ref}/" + name + "/study=${study}/stage=${stage}/"
		if got := text(at(input, "Parameters", "storage.location.template")); got != want {
			t.Errorf("%s lies in %s, want %s", name, got, want)
		}
		for parameter, value := range map[string]string{"projection.enabled": "true", "projection.study.type": "injected", "projection.stage.values": "A,B,C"} {
			if got := at(input, "Parameters", parameter); got != value {
				t.Errorf("%s: %s is %v, want %s", name, parameter, got, value)
			}
		}
	}
}

// The template holds the state machine as the file has it, and fills its places.
func TestStateMachine(t *testing.T) {
	machine := synthesise(t, nil, false).of(t, "AWS::StepFunctions::StateMachine")[0]
	if at(machine.Properties, "DefinitionString") != workflow.Definition {
		t.Error("the definition is not workflow.asl.json")
	}
	filled, _ := at(machine.Properties, "DefinitionSubstitutions").(map[string]any)
	for place, value := range filled {
		if !strings.Contains(workflow.Definition, "${"+place+"}") || text(value) == "" {
			t.Errorf("%s: %v", place, value)
		}
	}
	if n := strings.Count(workflow.Definition, "${"); n < len(filled) || len(filled) != 8 {
		t.Errorf("%d places are filled, %d are there", len(filled), n)
	}
	if got := text(filled["JobDefinition"]); got != "Supermax-slot" {
		t.Errorf("jobs are made from %s, want the name alone, which stands for the newest revision", got)
	}
}

// The functions' architecture is a choice, and their names tell them apart in an account.
func TestFunctions(t *testing.T) {
	d := synthesise(t, map[string]any{"vpc": "vpc-0123456789abcdef0", "subnets": "subnet-0123456789abcdef0,subnet-0123456789abcdef1", "arch": "amd64"}, false)
	names := map[string]bool{}
	for _, f := range d.of(t, "AWS::Lambda::Function") {
		if got := fmt.Sprint(at(f.Properties, "Architectures")); got != "[x86_64]" {
			t.Errorf("%s: %s", f, got)
		}
		names[text(at(f.Properties, "FunctionName"))] = true
	}
	if len(names) != 11 || !names["Supermax-on-job-event"] {
		t.Errorf("%v", names)
	}
}
