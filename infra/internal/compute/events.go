package compute

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/aws-cdk-go/awscdk/v2/awseventstargets"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/supermax-hpo/supermax/infra/internal/grant"
)

// onJobEvent has every end of an attempt told to the function: the job then is done,
// failed, or back in the queue. What cannot be told, or fails three times, is kept in a
// queue for two weeks; the leases it was about run out by themselves.
func onJobEvent(scope constructs.Construct, jobQueueArn *string, f awslambda.Function) awssqs.Queue {
	dead := awssqs.NewQueue(scope, jsii.String("DeadLetters"), &awssqs.QueueProps{
		Encryption:      awssqs.QueueEncryption_SQS_MANAGED, // events name studies and jobs, nothing of the text
		EnforceSSL:      jsii.Bool(true),
		RetentionPeriod: awscdk.Duration_Days(jsii.Number(14)),
	})
	f.Role().AddToPrincipalPolicy(grant.Allow([]string{"sqs:SendMessage"}, []string{*dead.QueueArn()}))
	awslambda.NewCfnEventInvokeConfig(scope, jsii.String("OnJobEventRetries"), &awslambda.CfnEventInvokeConfigProps{
		FunctionName: f.FunctionName(), Qualifier: jsii.String("$LATEST"),
		MaximumRetryAttempts: jsii.Number(2), MaximumEventAgeInSeconds: jsii.Number(3600),
		DestinationConfig: &awslambda.CfnEventInvokeConfig_DestinationConfigProperty{
			OnFailure: &awslambda.CfnEventInvokeConfig_OnFailureProperty{Destination: dead.QueueArn()},
		},
	})
	awsevents.NewRule(scope, jsii.String("JobEvents"), &awsevents.RuleProps{
		Description: jsii.String("Supermax: an attempt of a slot's job has ended"),
		EventPattern: &awsevents.EventPattern{
			Source:     jsii.Strings("aws.batch"),
			DetailType: jsii.Strings("Batch Job State Change"),
			Detail: &map[string]any{
				"jobQueue": []*string{jobQueueArn},
				"status":   []string{"RUNNABLE", "SUCCEEDED", "FAILED"},
			},
		},
		Targets: &[]awsevents.IRuleTarget{awseventstargets.NewLambdaFunction(f, &awseventstargets.LambdaFunctionProps{
			DeadLetterQueue: dead, RetryAttempts: jsii.Number(8), MaxEventAge: awscdk.Duration_Hours(jsii.Number(1)),
		})},
	})
	return dead
}
