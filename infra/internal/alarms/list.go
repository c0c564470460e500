package alarms

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/jsii-runtime-go"

	"github.com/supermax-hpo/supermax/shared/emf"
)

// A metric is one series of CloudWatch, with one dimension at most.
type metric struct {
	namespace, name string
	dimension       string
	value           *string
}

// ours is a metric that functions and trainers write, over all studies.
func ours(name emf.Name) metric { return metric{namespace: emf.Namespace, name: string(name)} }

func (m metric) dimensions() *[]any {
	if m.dimension == "" {
		return nil
	}
	return &[]any{&awscloudwatch.CfnAlarm_DimensionProperty{Name: jsii.String(m.dimension), Value: m.value}}
}

// An alarm goes off when the statistic of each of the last periods compares so with the
// threshold.
type alarm struct {
	id, name, what string
	metric         metric
	statistic      string
	period         float64 // seconds
	periods        float64
	comparison     string
	threshold      float64
}

const (
	above   = "GreaterThanThreshold"
	atLeast = "GreaterThanOrEqualToThreshold"
	below   = "LessThanThreshold"
)

// alarms are all alarms. Rates and budgets are the highest of any study and stage: a count
// over several studies would hide one behind the others. Each is priced as one metric
// ($0.10 a month beyond the first ten of an account), so none is a formula over many.
func alarms(p Props) []alarm {
	function := func(name string) *string { return p.Compute.Functions[name].FunctionName() }
	list := []alarm{
		{"FailureRate", "failure rate", "More than 5 % of the trials that a stage has trained failed (of 20 at least). See the query failures-by-kind.",
			ours(emf.FailedPercent), "Maximum", 300, 1, above, 5},
		{"OOMRate", "out-of-memory rate", "More than 5 % of the trials that a stage has trained had too little GPU memory. Narrow batch size or length, or use larger instances.",
			ours(emf.OOMPercent), "Maximum", 300, 1, above, 5},
		{"GPUUtilization", "GPU utilisation", "The GPUs of the running slots were busy for less than 90 % of half an hour. Look at SlotIdleSeconds, and at the seconds_data of the metrics.",
			ours(emf.GPUUtilization), "Average", 600, 3, below, 90},
		{"Budget80", "budget 80 %", "A study has used 80 % of its budget in dollars.",
			ours(emf.BudgetUsedPercent), "Maximum", 300, 1, atLeast, 80},
		{"Budget100", "budget 100 %", "A study has used its budget and stops: what runs may finish. Start it with a larger one to go on.",
			ours(emf.BudgetUsedPercent), "Maximum", 300, 1, atLeast, 100},
		{"DeadLetters", "dead letters", "An event about a job could not be handled. The lease runs out by itself; the log of on-job-event says why.",
			metric{"AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", p.Compute.DeadLetters.QueueName()}, "Maximum", 300, 1, above, 0},
		{"ExecutionsFailed", "executions failed", "An execution failed; its error says why. Another one with the same input goes on.",
			metric{"AWS/States", "ExecutionsFailed", "StateMachineArn", p.Workflow.StateMachine.Ref()}, "Sum", 300, 1, above, 0},
		{"ExecutionsTimedOut", "executions timed out", "An execution timed out. Another one with the same input goes on.",
			metric{"AWS/States", "ExecutionsTimedOut", "StateMachineArn", p.Workflow.StateMachine.Ref()}, "Sum", 300, 1, above, 0},
		{"Throttles", "throttles", "Functions were throttled: the account's limit of concurrent executions is too low for so many slots.",
			metric{"AWS/Lambda", "Throttles", "", nil}, "Sum", 300, 3, above, 0},
	}
	for _, name := range []string{"Ask", "Tell", "Heartbeat"} { // the others' errors end an execution, or lie in the queue
		list = append(list, alarm{name + "Errors", name + " errors", "Slots were refused " + name + " again and again. The function's log says why.",
			metric{"AWS/Lambda", "Errors", "FunctionName", function(name)}, "Sum", 300, 3, above, 5})
	}
	return list
}
