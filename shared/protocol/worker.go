// Package protocol is the JSON that slots, the command and the handlers exchange, on
// AWS and on a laptop alike. Requests carry [Version] and may hold no unknown field
// ([Decode] refuses them). Every call may arrive twice, late or out of order: the
// attempt number fences what a slot says about a trial, the ask token what it asks.
package protocol

import (
	"time"

	"github.com/supermax-hpo/supermax/shared/space"
)

// Version is the schema version of every request and reply.
const Version = 1

// Stage is one of the three stages of a study.
type Stage string

// The stages, in the order in which a study walks them.
const (
	StageA Stage = "A" // explore
	StageB Stage = "B" // refine
	StageC Stage = "C" // confirm
)

// Stages returns the stages in that order.
func Stages() []Stage { return []Stage{StageA, StageB, StageC} }

// Device is what a slot computes on.
type Device struct {
	Name        string `json:"name"`         // cpu or cuda:N
	MemoryBytes int64  `json:"memory_bytes"` // of the machine; 0: not known
}

// AskRequest asks for work. Token counts up from 1 in the life of a slot: a repeated
// token gets the same answer again, a lower one than the last is refused as late.
type AskRequest struct {
	SchemaVersion int    `json:"schema_version"`
	Study         string `json:"study"`
	Stage         Stage  `json:"stage"`
	Slot          string `json:"slot"` // names one life of one trainer process, never reused
	Device        Device `json:"device"`
	Token         int64  `json:"attempt_token"`
}

// AskKind says which answer an ask got.
type AskKind string

// The answers to an ask.
const (
	AskWork AskKind = "work" // train this
	AskWait AskKind = "wait" // nothing now, more may come: ask again after RetryAfterSeconds
	AskDone AskKind = "done" // the stage has no more work, or is not open: exit 0
)

// AskReply answers an [AskRequest]. Work is set if and only if Kind is [AskWork].
type AskReply struct {
	SchemaVersion     int     `json:"schema_version"`
	Kind              AskKind `json:"kind"`
	Work              *Work   `json:"work,omitempty"`
	RetryAfterSeconds float64 `json:"retry_after_seconds,omitempty"`
}

// Work is one trial's training from the end of FromEpoch to the end of ToEpoch, for each
// of its seeds. FromEpoch is 0 for a new trial. A slot looks under Checkpoint for each
// seed's newest state (an interrupted attempt may have got beyond FromEpoch) and saves
// there.
type Work struct {
	Trial                 int              `json:"trial"` // counts from 0 through the whole study
	Attempt               int              `json:"attempt"`
	Rung                  int              `json:"rung"`
	FromEpoch             int              `json:"from_epoch"`
	ToEpoch               int              `json:"to_epoch"`
	Params                space.Assignment `json:"params"`
	Seeds                 []int64          `json:"seeds"`
	Fold                  *int             `json:"fold,omitempty"` // stage C: the fold held out, from 0
	Checkpoint            string           `json:"checkpoint"`     // a prefix in the objects, ends in "/"
	LeaseUntil            time.Time        `json:"lease_until"`
	HeartbeatEverySeconds float64          `json:"heartbeat_every_seconds"`
}

// EpochMetrics is what one seed measured on the validation part after one epoch
// (epoch 0: before training). AUROC is nil where it is undefined (one class only).
type EpochMetrics struct {
	Seed     int64    `json:"seed"`
	Epoch    int      `json:"epoch"`
	Loss     float64  `json:"loss"` // training loss, mean over the epoch's samples; at epoch 0 the NLL
	F1Macro  float64  `json:"f1_macro"`
	ECE      float64  `json:"ece"`
	Accuracy float64  `json:"accuracy"`
	AUROC    *float64 `json:"auroc"`
	NLL      float64  `json:"nll"`
	Brier    float64  `json:"brier"`
}

// FailureKind says why a trial could not be trained.
type FailureKind string

// The kinds of failure. OOM, NaN and data end the trial: it would fail again. A crash or
// an interruption gives it back to the queue.
const (
	FailedOOM         FailureKind = "oom"
	FailedNaN         FailureKind = "nan"
	FailedData        FailureKind = "data"
	FailedCrash       FailureKind = "crash"
	FailedInterrupted FailureKind = "interrupted"
)

// Failure is a trial's end without a result. Message never holds post text.
type Failure struct {
	Kind    FailureKind `json:"kind"`
	Message string      `json:"message"`
}

// Baseline is what stage C compares its folds with, on the same held-out rows.
type Baseline struct {
	MajorityF1Macro  float64 `json:"majority_f1_macro"`  // always the training rows' most frequent class
	UntrainedF1Macro float64 `json:"untrained_f1_macro"` // the same model before its first step, mean over seeds
}

// Outcome is what came of a [Work]: epochs, or a failure. Epochs holds every
// (seed, epoch) of the rung in (FromEpoch, ToEpoch], those of an interrupted attempt
// included; a seed that stopped early has fewer, or none.
type Outcome struct {
	Epochs          []EpochMetrics `json:"epochs,omitempty"`
	Failed          *Failure       `json:"failed,omitempty"`
	CostSeconds     float64        `json:"cost_seconds"` // wall seconds of the slot in this attempt and rung
	PeakMemoryBytes int64          `json:"peak_memory_bytes"`
	Baseline        *Baseline      `json:"baseline,omitempty"`
}

// TellRequest reports an outcome.
type TellRequest struct {
	SchemaVersion int     `json:"schema_version"`
	Study         string  `json:"study"`
	Trial         int     `json:"trial"`
	Attempt       int     `json:"attempt"`
	Rung          int     `json:"rung"`
	Outcome       Outcome `json:"outcome"`
}

// TellKind says what the study made of a tell.
type TellKind string

// The answers to a tell.
const (
	TellContinue TellKind = "continue" // promoted on the spot: keep the weights, train to ToEpoch
	TellRelease  TellKind = "release"  // done with this trial: ask again
	TellStale    TellKind = "stale"    // another attempt owns the trial: nothing was changed
)

// TellReply answers a [TellRequest]. The fields after Kind are set with [TellContinue].
// A repeated tell gets its first answer again.
type TellReply struct {
	SchemaVersion int       `json:"schema_version"`
	Kind          TellKind  `json:"kind"`
	Rung          int       `json:"rung,omitempty"`
	FromEpoch     int       `json:"from_epoch,omitempty"`
	ToEpoch       int       `json:"to_epoch,omitempty"`
	LeaseUntil    time.Time `json:"lease_until,omitzero"`
}

// HeartbeatRequest keeps a lease alive.
type HeartbeatRequest struct {
	SchemaVersion int    `json:"schema_version"`
	Study         string `json:"study"`
	Trial         int    `json:"trial"`
	Attempt       int    `json:"attempt"`
}

// HeartbeatReply answers a [HeartbeatRequest]. Lost: another attempt owns the trial, or
// none does; stop training it.
type HeartbeatReply struct {
	SchemaVersion int       `json:"schema_version"`
	Lost          bool      `json:"lost,omitempty"`
	LeaseUntil    time.Time `json:"lease_until,omitzero"`
}
