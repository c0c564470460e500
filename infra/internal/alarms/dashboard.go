package alarms

import (
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2"

	"github.com/supermax-hpo/supermax/shared/emf"
)

// A widget is one graph of the dashboard: lines found by a search, one for each study and
// stage.
type widget struct {
	title     string
	statistic string
	names     []emf.Name
}

// dashboard lays out the graphs in two columns. Searches find studies that do not exist
// yet; a dashboard costs nothing as one of an account's first three.
func dashboard(stack awscdk.Stack, p Props) any {
	widgets := []widget{
		{"Best F1-macro", "Maximum", []emf.Name{emf.BestF1Macro}},
		{"Trials", "Maximum", []emf.Name{emf.TrialsCompleted, emf.TrialsRunning, emf.TrialsPaused, emf.TrialsQueued, emf.TrialsFailed}},
		{"Failure rates in percent", "Maximum", []emf.Name{emf.FailedPercent, emf.OOMPercent}},
		{"GPU utilisation in percent", "Average", []emf.Name{emf.GPUUtilization, emf.SlotBusyPercent}},
		{"Dollars spent, percent of the budget", "Maximum", []emf.Name{emf.DollarsSpent, emf.BudgetUsedPercent}},
		{"Seconds that slots were idle between trials", "Average", []emf.Name{emf.SlotIdleSeconds}},
		{"Milliseconds of a decision", "p99", []emf.Name{emf.AskMilliseconds, emf.TellMilliseconds}},
		{"Conflicts and Spot notices", "Sum", []emf.Name{emf.Conflicts, emf.SpotNotices}},
	}
	const width, height = 12, 6
	var list []any
	graph := func(title string, metrics []any) {
		i := len(list)
		list = append(list, map[string]any{
			"type": "metric", "x": i % 2 * width, "y": i / 2 * height, "width": width, "height": height,
			"properties": map[string]any{"title": title, "region": *stack.Region(), "view": "timeSeries", "period": 300, "metrics": metrics},
		})
	}
	for _, w := range widgets {
		var lines []any
		for _, name := range w.names {
			search := fmt.Sprintf(`SEARCH('{%s,%s,%s} MetricName="%s"', '%s', 300)`, emf.Namespace, emf.Stage, emf.Study, name, w.statistic)
			lines = append(lines, []any{map[string]any{"expression": search, "label": string(name)}})
		}
		graph(w.title, lines)
	}
	machine := *p.Workflow.StateMachine.Ref()
	var executions, calls []any
	for _, name := range []string{"ExecutionsStarted", "ExecutionsSucceeded", "ExecutionsFailed", "ExecutionsAborted"} {
		executions = append(executions, []any{"AWS/States", name, "StateMachineArn", machine, map[string]any{"stat": "Sum"}})
	}
	for _, name := range p.Compute.Names {
		calls = append(calls, []any{"AWS/Lambda", "Errors", "FunctionName", *p.Compute.Functions[name].FunctionName(), map[string]any{"stat": "Sum"}})
	}
	graph("Executions", executions)
	graph("Errors of the functions", calls)
	return map[string]any{"widgets": list}
}
