package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/supermax-hpo/supermax/infra/internal/alarms"
	"github.com/supermax-hpo/supermax/infra/internal/analytics"
	"github.com/supermax-hpo/supermax/infra/internal/compute"
	"github.com/supermax-hpo/supermax/infra/internal/settings"
	"github.com/supermax-hpo/supermax/infra/internal/storage"
	"github.com/supermax-hpo/supermax/infra/internal/workflow"
)

// source is where the deployment's own code lies.
type source struct {
	Root    string // of the repository
	Lambdas string // a folder for each function
	Docker  bool   // an engine answers, so that an image can be built
}

// newSupermax makes the top stack. Its nested stacks hold what changes together; its
// outputs are all that the command, the tests and a person need to know.
func newSupermax(scope constructs.Construct, s settings.Settings, from source) error {
	stack := awscdk.NewStack(scope, jsii.String(s.Name), &awscdk.StackProps{
		Description: jsii.String("Supermax: hyper-parameter search on AWS"),
	})
	kept := storage.New(stack, s)
	works := compute.New(stack, compute.Props{Settings: s, Storage: kept, Lambdas: from.Lambdas, Root: from.Root, Docker: from.Docker})
	walks := workflow.New(stack, s.Name, kept, works)
	asks, err := analytics.New(stack, s, kept)
	if err != nil {
		return err
	}
	tells := alarms.New(stack, alarms.Props{Settings: s, Storage: kept, Compute: works, Workflow: walks})

	output := func(name string, value *string) {
		awscdk.NewCfnOutput(stack, jsii.String(name), &awscdk.CfnOutputProps{Value: value})
	}
	output("TableName", kept.Table.TableName())
	output("DataBucket", kept.Data.BucketName())
	output("ResultsBucket", kept.Results.BucketName())
	output("KeyArn", kept.Key.KeyArn())
	output("StateMachineArn", walks.StateMachine.Ref())
	output("JobQueueArn", works.Queue.AttrJobQueueArn())
	output("JobDefinitionArn", works.Job.Ref())
	output("ImageUri", works.Image)
	output("GlueDatabase", &asks.Database)
	output("AthenaWorkgroup", asks.Workgroup.Name())
	output("AlarmTopicArn", tells.Topic.TopicArn())
	for _, name := range works.Names {
		output(name+"Function", works.Functions[name].FunctionName())
	}
	return nil
}
