package protocol

import "strconv"

// DefaultSlots is how many trainers each study gets that does not say.
const DefaultSlots = 4

// StartRequest is the input of an execution and of the create function: start the studies
// of a definition, or go on with them.
type StartRequest struct {
	SchemaVersion int      `json:"schema_version"`
	Study         string   `json:"study"`                    // names the definition
	Agents        []string `json:"agents,omitempty"`         // one study each; none: the definition's own agent
	Slots         int      `json:"slots,omitempty"`          // trainers for each study, 1 to 10000; 0: DefaultSlots
	BudgetDollars *float64 `json:"budget_dollars,omitempty"` // of each study; nil: what it had before, or none
}

// StartReply answers a [StartRequest].
type StartReply struct {
	SchemaVersion int            `json:"schema_version"`
	Studies       []StartedStudy `json:"studies"` // in the order of the request's agents
}

// StartedStudy is one of the studies that a start created or went on with.
type StartedStudy struct {
	Study string `json:"study"`
	Agent string `json:"agent"`
	Slots int    `json:"slots"`
}

// ResumeRequest lets a stopped study go on and sets its budget. It is safe to repeat.
type ResumeRequest struct {
	SchemaVersion int      `json:"schema_version"`
	Study         string   `json:"study"`
	BudgetDollars *float64 `json:"budget_dollars,omitempty"` // nil: as it was
}

// ResumeReply answers a [ResumeRequest].
type ResumeReply struct {
	SchemaVersion int `json:"schema_version"`
}

// StopRequest ends a study's work until it is resumed: asks are answered with done,
// running work may finish. It is safe to repeat.
type StopRequest struct {
	SchemaVersion int    `json:"schema_version"`
	Study         string `json:"study"`
	Reason        string `json:"reason"` // user, or budget
}

// StopReply answers a [StopRequest].
type StopReply struct {
	SchemaVersion int      `json:"schema_version"`
	Slots         []string `json:"slots"` // that hold work, in order
}

// BatchSlot names the life of a trainer that an attempt of a Batch job is: the job's ID
// (an array's child has ":index" behind it) and the attempt's number from 1. No other
// life ever has the same name.
func BatchSlot(jobID string, attempt int) string {
	return jobID + "/" + strconv.Itoa(attempt)
}
