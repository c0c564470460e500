package emf

// Unit is a CloudWatch unit.
type Unit string

// The units of our metrics. Dollars have none of CloudWatch's.
const (
	Count        Unit = "Count"
	Percent      Unit = "Percent"
	Seconds      Unit = "Seconds"
	Milliseconds Unit = "Milliseconds"
	None         Unit = "None"
)

// The dimensions. Their values are few: studies are, and a study has three stages.
const (
	Study = "Study"
	Stage = "Stage"
)

// Name is a metric's name, as alarms and the dashboard read it.
type Name string

// What the functions measure. Those of trials, F1, seconds and dollars are the state of the
// study when it was looked at, not increments.
const (
	TrialsCreated     Name = "TrialsCreated" // started or enqueued in the stage so far
	TrialsCompleted   Name = "TrialsCompleted"
	TrialsFailed      Name = "TrialsFailed"
	TrialsRunning     Name = "TrialsRunning"
	TrialsPaused      Name = "TrialsPaused"
	TrialsQueued      Name = "TrialsQueued"
	OOMTrials         Name = "OOMTrials"     // of TrialsFailed: the device's memory was too small
	FailedPercent     Name = "FailedPercent" // of the trials that were trained: completed, paused or failed; see [RateOf]
	OOMPercent        Name = "OOMPercent"    // the same of OOMTrials
	BestF1Macro       Name = "BestF1Macro"
	SlotSeconds       Name = "SlotSeconds"       // of slots, in reported rungs of the stage
	DollarsSpent      Name = "DollarsSpent"      // by the whole study
	BudgetUsedPercent Name = "BudgetUsedPercent" // by the whole study; only where it has a budget
	AskMilliseconds   Name = "AskMilliseconds"
	TellMilliseconds  Name = "TellMilliseconds"
	Conflicts         Name = "Conflicts" // appends that another process was before: each was decided anew
)

// What the trainers measure.
const (
	GPUUtilization  Name = "GPUUtilization"  // percent, from NVML
	SlotIdleSeconds Name = "SlotIdleSeconds" // between a tell and the next first step
	SlotBusyPercent Name = "SlotBusyPercent"
	SpotNotices     Name = "SpotNotices"
)

// minTrained is how many trials must have been trained for a rate to mean something: 5
// percent of them is one trial.
const minTrained = 20

// RateOf returns the percentage that count is of the trained trials, and false while they
// are too few to say. Alarms look at the highest rate of any study and stage.
func RateOf(count, trained int) (percent float64, ok bool) {
	if trained < minTrained {
		return 0, false
	}
	return 100 * float64(count) / float64(trained), true
}
