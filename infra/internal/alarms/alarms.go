// Package alarms tells a person when something needs them: a topic, the alarms and notices
// that go to it, and a dashboard.
package alarms

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/supermax-hpo/supermax/infra/internal/compute"
	"github.com/supermax-hpo/supermax/infra/internal/nested"
	"github.com/supermax-hpo/supermax/infra/internal/settings"
	"github.com/supermax-hpo/supermax/infra/internal/storage"
	"github.com/supermax-hpo/supermax/infra/internal/workflow"
)

// Props is what the stack watches.
type Props struct {
	Settings settings.Settings
	Storage  storage.Storage
	Compute  compute.Compute
	Workflow workflow.Workflow
}

// Alarms is the nested stack.
type Alarms struct {
	Topic awssns.Topic
}

// New makes the stack.
func New(scope constructs.Construct, p Props) Alarms {
	stack := nested.New(scope, "Alarms", "Supermax: alarms, notices and the dashboard")
	topic := newTopic(stack, p)
	for _, a := range alarms(p) {
		awscloudwatch.NewCfnAlarm(stack, jsii.String(a.id), &awscloudwatch.CfnAlarmProps{
			AlarmName:        jsii.String(p.Settings.Name + " " + a.name),
			AlarmDescription: jsii.String(a.what),
			Namespace:        jsii.String(a.metric.namespace), MetricName: jsii.String(a.metric.name),
			Dimensions: a.metric.dimensions(), Statistic: jsii.String(a.statistic), Period: jsii.Number(a.period),
			EvaluationPeriods: jsii.Number(a.periods), DatapointsToAlarm: jsii.Number(a.periods),
			ComparisonOperator: jsii.String(a.comparison), Threshold: jsii.Number(a.threshold),
			TreatMissingData: jsii.String("notBreaching"), // nothing is measured while nothing runs
			AlarmActions:     &[]any{topic.TopicArn()},
			OkActions:        &[]any{topic.TopicArn()},
		})
	}
	queueBlocked(stack, p, topic)
	newBudget(stack, p.Settings, topic)
	awscloudwatch.NewCfnDashboard(stack, jsii.String("Dashboard"), &awscloudwatch.CfnDashboardProps{
		DashboardName: jsii.String(p.Settings.Name), DashboardBody: stack.ToJsonString(dashboard(stack, p), nil),
	})
	return Alarms{topic}
}
