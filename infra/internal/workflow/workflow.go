// Package workflow is the state machine that walks a study through its stages. Its
// definition is workflow.asl.json.
package workflow

import (
	_ "embed"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsstepfunctions"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/supermax-hpo/supermax/infra/internal/compute"
	"github.com/supermax-hpo/supermax/infra/internal/grant"
	"github.com/supermax-hpo/supermax/infra/internal/nested"
	"github.com/supermax-hpo/supermax/infra/internal/storage"
)

// Definition is the state machine in the Amazon States Language, with ${…} where names of
// resources go. An execution's input is a protocol.StartRequest.
//
//go:embed workflow.asl.json
var Definition string

// steps are the functions that the state machine calls.
var steps = []string{"Create", "Plan", "Check", "Aggregate", "Promote", "Finish"}

// Workflow is the nested stack.
type Workflow struct {
	StateMachine awsstepfunctions.CfnStateMachine
}

// New makes the stack. The state machine's name is the top stack's.
func New(scope constructs.Construct, name string, s storage.Storage, c compute.Compute) Workflow {
	stack := nested.New(scope, "Workflow", "Supermax: the state machine")
	logs := awslogs.NewLogGroup(stack, jsii.String("Logs"), &awslogs.LogGroupProps{
		LogGroupName:  jsii.String("/aws/vendedlogs/states/" + name), // the prefix keeps the logs' resource policy short
		EncryptionKey: s.Key,
		Retention:     awslogs.RetentionDays_THREE_MONTHS,
		RemovalPolicy: awscdk.RemovalPolicy_DESTROY,
	})
	role := newRole(stack, c)
	places := map[string]*string{
		"JobQueue":      c.Queue.AttrJobQueueArn(),
		"JobDefinition": jsii.String(c.JobName), // its newest revision
	}
	for _, step := range steps {
		places[step+"Function"] = c.Functions[step].FunctionArn()
	}
	machine := awsstepfunctions.NewCfnStateMachine(stack, jsii.String("StateMachine"), &awsstepfunctions.CfnStateMachineProps{
		StateMachineName:        jsii.String(name),
		StateMachineType:        jsii.String("STANDARD"),
		DefinitionString:        jsii.String(Definition),
		DefinitionSubstitutions: places,
		RoleArn:                 role.RoleArn(),
		LoggingConfiguration: &awsstepfunctions.CfnStateMachine_LoggingConfigurationProperty{
			Level: jsii.String("ERROR"), IncludeExecutionData: jsii.Bool(false),
			Destinations: &[]any{&awsstepfunctions.CfnStateMachine_LogDestinationProperty{
				CloudWatchLogsLogGroup: &awsstepfunctions.CfnStateMachine_CloudWatchLogsLogGroupProperty{LogGroupArn: logs.LogGroupArn()},
			}},
		},
		TracingConfiguration: &awsstepfunctions.CfnStateMachine_TracingConfigurationProperty{Enabled: jsii.Bool(false)},
	})
	machine.Node().AddDependency(role) // with its policy: creation tries the logs
	return Workflow{machine}
}

// newRole lets the state machine call its steps, and submit, follow and end slots' jobs.
func newRole(scope constructs.Construct, c compute.Compute) awsiam.Role {
	stack := awscdk.Stack_Of(scope)
	arn := func(service, resource string) string {
		return "arn:" + *stack.Partition() + ":" + service + ":" + *stack.Region() + ":" + *stack.Account() + ":" + resource
	}
	var functions []string
	for _, step := range steps {
		functions = append(functions, *c.Functions[step].FunctionArn())
	}
	job := arn("batch", "job-definition/"+c.JobName)
	return grant.Role(scope, "Role", "states.amazonaws.com", "Supermax: the state machine",
		grant.Allow([]string{"lambda:InvokeFunction"}, functions),
		grant.Allow([]string{"batch:SubmitJob"}, []string{*c.Queue.AttrJobQueueArn(), job, job + ":*"}),
		grant.Allow([]string{"batch:TerminateJob"}, []string{arn("batch", "job/*")}),
		grant.Allow([]string{"batch:DescribeJobs"}, []string{"*"}),
		grant.Allow([]string{"events:DescribeRule", "events:PutRule", "events:PutTargets"},
			[]string{arn("events", "rule/StepFunctionsGetEventsForBatchJobsRule")}),
		grant.Allow([]string{
			"logs:CreateLogDelivery", "logs:DeleteLogDelivery", "logs:DescribeLogGroups", "logs:DescribeResourcePolicies",
			"logs:GetLogDelivery", "logs:ListLogDeliveries", "logs:PutResourcePolicy", "logs:UpdateLogDelivery",
		}, []string{"*"}),
	)
}
