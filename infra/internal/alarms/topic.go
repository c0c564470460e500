package alarms

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsbudgets"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/supermax-hpo/supermax/infra/internal/settings"
)

// newTopic makes the topic that alarms, notices and budgets publish to, and nobody else.
func newTopic(scope constructs.Construct, p Props) awssns.Topic {
	topic := awssns.NewTopic(scope, jsii.String("Topic"), &awssns.TopicProps{
		TopicName: jsii.String(p.Settings.Name + "-alarms"), MasterKey: p.Storage.Key, EnforceSSL: jsii.Bool(true),
	})
	account := &map[string]any{"StringEquals": map[string]any{"aws:SourceAccount": *awscdk.Stack_Of(scope).Account()}}
	publish := func(service string, conditions *map[string]any) {
		topic.AddToResourcePolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
			Principals: &[]awsiam.IPrincipal{awsiam.NewServicePrincipal(jsii.String(service), nil)},
			Actions:    jsii.Strings("sns:Publish"), Resources: jsii.Strings(*topic.TopicArn()), Conditions: conditions,
		}))
	}
	publish("cloudwatch.amazonaws.com", account)
	publish("budgets.amazonaws.com", account)
	publish("events.amazonaws.com", nil) // EventBridge knows no condition on a topic
	if p.Settings.Email != "" {
		awssns.NewCfnSubscription(scope, jsii.String("Email"), &awssns.CfnSubscriptionProps{
			TopicArn: topic.TopicArn(), Protocol: jsii.String("email"), Endpoint: jsii.String(p.Settings.Email),
		})
	}
	return topic
}

// queueBlocked passes on that a job stands at the head of the queue and cannot start: no
// capacity, or a configuration that no instance meets. Batch has no metric for it.
func queueBlocked(scope constructs.Construct, p Props, topic awssns.Topic) {
	awsevents.NewCfnRule(scope, jsii.String("QueueBlocked"), &awsevents.CfnRuleProps{
		Description: jsii.String("Supermax: a job cannot start"),
		EventPattern: map[string]any{
			"source":      []string{"aws.batch"},
			"detail-type": []string{"Batch Job Queue Blocked"},
			"resources":   []*string{p.Compute.Queue.AttrJobQueueArn()},
		},
		Targets: &[]any{&awsevents.CfnRule_TargetProperty{
			Id: jsii.String("Topic"), Arn: topic.TopicArn(),
			InputTransformer: &awsevents.CfnRule_InputTransformerProperty{
				InputPathsMap: map[string]string{"job": "$.detail.jobName", "reason": "$.detail.statusReason"},
				InputTemplate: jsii.String(`"` + p.Settings.Name + `: the job <job> cannot start: <reason>. It is cancelled after a while and tried again."`),
			},
		}},
	})
}

// newBudget has AWS watch what the whole account spends in a month. It stops nothing; a
// study's own budget does that.
func newBudget(scope constructs.Construct, s settings.Settings, topic awssns.Topic) {
	if s.Budget == 0 {
		return
	}
	notice := func(percent float64) *awsbudgets.CfnBudget_NotificationWithSubscribersProperty {
		return &awsbudgets.CfnBudget_NotificationWithSubscribersProperty{
			Notification: &awsbudgets.CfnBudget_NotificationProperty{
				NotificationType: jsii.String("ACTUAL"), ComparisonOperator: jsii.String("GREATER_THAN"),
				Threshold: jsii.Number(percent), ThresholdType: jsii.String("PERCENTAGE"),
			},
			Subscribers: &[]any{&awsbudgets.CfnBudget_SubscriberProperty{SubscriptionType: jsii.String("SNS"), Address: topic.TopicArn()}},
		}
	}
	awsbudgets.NewCfnBudget(scope, jsii.String("Budget"), &awsbudgets.CfnBudgetProps{
		Budget: &awsbudgets.CfnBudget_BudgetDataProperty{
			BudgetType: jsii.String("COST"), TimeUnit: jsii.String("MONTHLY"),
			BudgetLimit: &awsbudgets.CfnBudget_SpendProperty{Amount: jsii.Number(s.Budget), Unit: jsii.String("USD")},
		},
		NotificationsWithSubscribers: &[]any{notice(80), notice(100)},
	})
}
