package protocol

// StageRequest is the request of every step that concerns one stage: plan, check,
// aggregate and promote. Each is safe to repeat.
type StageRequest struct {
	SchemaVersion int    `json:"schema_version"`
	Study         string `json:"study"`
	Stage         Stage  `json:"stage"`
}

// PlanReply answers plan, which opens a stage.
type PlanReply struct {
	SchemaVersion int   `json:"schema_version"`
	Stage         Stage `json:"stage"`
	Trials        int   `json:"trials"` // the stage's limit
}

// CheckReply answers check, which gives trials whose lease ran out back to the queue and
// says how far the stage is.
type CheckReply struct {
	SchemaVersion int    `json:"schema_version"`
	Stage         Stage  `json:"stage"`
	Done          bool   `json:"done"`     // nothing runs, waits or can be promoted
	Requeued      []int  `json:"requeued"` // trials taken back by this call
	Counts        Counts `json:"counts"`
	// Stopped says why the study gives out no more work (user, budget) until it is resumed.
	// It comes when nothing runs any more, and never together with Done.
	Stopped string `json:"stopped,omitempty"`
	// Draining: the study is stopped and Counts.Running attempts still finish. Start no
	// slots; check again later.
	Draining bool `json:"draining,omitempty"`
	// Progress grows whenever a report is accepted or a trial ends: two checks with the same
	// Progress saw no work done between them.
	Progress int `json:"progress"`
}

// Counts are a stage's trials by state.
type Counts struct {
	Limit     int `json:"limit"`   // trials that the stage may start
	Queued    int `json:"queued"`  // enqueued and not started, or taken back from a lost slot
	Running   int `json:"running"` // under a lease
	Paused    int `json:"paused"`  // at a rung, not promoted
	Completed int `json:"completed"`
	Failed    int `json:"failed"`
}

// AggregateReply answers aggregate, which checks the stage's metrics files against the
// accepted reports, removes what lost attempts left, and writes the exports.
type AggregateReply struct {
	SchemaVersion int      `json:"schema_version"`
	Stage         Stage    `json:"stage"`
	Files         int      `json:"files"`   // metrics files that belong to accepted reports
	Removed       int      `json:"removed"` // files of attempts that were not accepted
	Exports       []string `json:"exports"` // object keys
}

// PromoteReply answers promote, which closes a done stage and hands its best on.
type PromoteReply struct {
	SchemaVersion int   `json:"schema_version"`
	Stage         Stage `json:"stage"`
	Next          Stage `json:"next,omitempty"` // empty after stage C
	Trials        []int `json:"trials"`         // what was handed on, best first
}

// StudyRequest is the request of finish.
type StudyRequest struct {
	SchemaVersion int    `json:"schema_version"`
	Study         string `json:"study"`
}

// FinishReply answers finish, which chooses the configuration after stage C.
type FinishReply struct {
	SchemaVersion int      `json:"schema_version"`
	Exports       []string `json:"exports"` // object keys of best.yaml, best.json
}

// ReleaseSlotRequest says that a slot is gone (its process or its Batch job ended). The
// lease that it held, if any, is given back at once.
type ReleaseSlotRequest struct {
	SchemaVersion int         `json:"schema_version"`
	Study         string      `json:"study"`
	Slot          string      `json:"slot"`
	Cause         FailureKind `json:"cause"` // FailedCrash counts against the trial's limit, FailedInterrupted does not
}

// ReleaseSlotReply answers a [ReleaseSlotRequest].
type ReleaseSlotReply struct {
	SchemaVersion int   `json:"schema_version"`
	Requeued      []int `json:"requeued"`
}

// ErrorReply is the body of an answer that is not a 200: one sentence for a person and a
// code for programs.
type ErrorReply struct {
	SchemaVersion int       `json:"schema_version"`
	Code          ErrorCode `json:"code"`
	Message       string    `json:"message"`
}

// ErrorCode is what programs branch on.
type ErrorCode string

// The codes of an [ErrorReply].
const (
	CodeInvalid      ErrorCode = "invalid"      // the request is wrong: do not repeat it
	CodeUnauthorized ErrorCode = "unauthorized" // the token is missing or wrong
	CodeNotFound     ErrorCode = "not_found"    // no such study or trial
	CodeConflict     ErrorCode = "conflict"     // not possible in this state (promote before done)
	CodeUnavailable  ErrorCode = "unavailable"  // try again
)
