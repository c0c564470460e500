package study

import (
	"time"

	"github.com/supermax-hpo/supermax/shared/protocol"
	"github.com/supermax-hpo/supermax/shared/space"
)

// TrialState is where a trial is in its life.
type TrialState string

// The states of a [Trial].
const (
	Queued    TrialState = "QUEUED"    // waits for a slot: not started, promoted, or taken back
	Running   TrialState = "RUNNING"   // under a lease
	Paused    TrialState = "PAUSED"    // reported its rung and may be promoted
	Stale     TrialState = "STALE"     // its lease was taken back; the same command queues or fails it
	Completed TrialState = "COMPLETED" // nothing is left to train
	Failed    TrialState = "FAILED"    // cannot be trained
)

// Trial is one configuration of a stage; in stage C, one candidate on one fold. Views of a
// state return it whole.
type Trial struct {
	Number   int               `json:"number"` // counts from 0 through the whole study
	Stage    protocol.Stage    `json:"stage"`
	State    TrialState        `json:"state"`
	Params   space.Assignment  `json:"params"`
	From     *int              `json:"from,omitempty"` // the earlier stage's trial with these parameters
	Fold     *int              `json:"fold,omitempty"` // stage C: the fold held out
	Rung     int               `json:"rung"`           // the rung that it is queued for, training in, or paused at
	Attempt  int               `json:"attempt"`        // the last lease's number; -1: never leased
	Requeues int               `json:"requeues,omitempty"`
	Lease    *Lease            `json:"lease,omitempty"`   // while RUNNING
	Reports  []Report          `json:"reports,omitempty"` // by rung from 0
	Seeds    []SeedBest        `json:"seeds,omitempty"`   // after the last report, in the stage's order
	Ended    []AttemptEnd      `json:"ended,omitempty"`   // attempts that ended without a report
	Failure  *protocol.Failure `json:"failure,omitempty"` // while FAILED
	Created  time.Time         `json:"created"`

	// Violation is by how much the last report breaks the stage's [Limits], each as a part of
	// the limit; 0: the trial is feasible. Views of a state have it.
	Violation float64 `json:"violation,omitempty"`

	point   space.Point // what Params says; a state's own trials have no Params
	unknown fields
}

// Lease is a slot's right to train a trial.
type Lease struct {
	Slot  string    `json:"slot"`
	Until time.Time `json:"until"`

	unknown fields
}

// Value is what the objectives see of a trial: for each seed the epoch with the best
// F1-macro so far, then the mean over the seeds.
type Value struct {
	F1Macro float64 `json:"f1_macro"`
	ECE     float64 `json:"ece"`
}

// Report is a trial's accepted result at one rung.
type Report struct {
	Trial           int                `json:"trial"`
	Rung            int                `json:"rung"`
	Attempt         int                `json:"attempt"`
	ToEpoch         int                `json:"to_epoch"` // the rung's end
	Value           Value              `json:"value"`
	CostSeconds     float64            `json:"cost_seconds,omitempty"`
	PeakMemoryBytes int64              `json:"peak_memory_bytes,omitempty"`
	Baseline        *protocol.Baseline `json:"baseline,omitempty"` // stage C
	At              time.Time          `json:"at"`
	ContinueUntil   time.Time          `json:"continue_until,omitzero"` // promoted on the spot, with this lease
	Carried         bool               `json:"carried,omitempty"`       // brought from the rung below: no attempt trained it
}

// AttemptEnd is how an attempt ended that did not report its rung.
type AttemptEnd struct {
	Attempt         int              `json:"attempt"`
	Rung            int              `json:"rung"`
	Failure         protocol.Failure `json:"failure"`
	Told            bool             `json:"told,omitempty"` // the attempt itself said so
	CostSeconds     float64          `json:"cost_seconds,omitempty"`
	PeakMemoryBytes int64            `json:"peak_memory_bytes,omitempty"`
	At              time.Time        `json:"at"`

	unknown fields
}

// Value returns the trial's last reported value.
func (t *Trial) Value() (Value, bool) {
	if len(t.Reports) == 0 {
		return Value{}, false
	}
	return t.Reports[len(t.Reports)-1].Value, true
}

// Reported returns the highest rung that the trial has a result at, or -1.
func (t *Trial) Reported() int { return len(t.Reports) - 1 }

// CostSeconds returns the slot seconds that the trial's attempts told of.
func (t *Trial) CostSeconds() float64 {
	var sum float64
	for _, r := range t.Reports {
		sum += r.CostSeconds
	}
	for _, e := range t.Ended {
		sum += e.CostSeconds
	}
	return sum
}

// started reports whether any slot ever got the trial.
func (t *Trial) started() bool { return t.Attempt >= 0 }

// meanOf returns the value of a trial with these seeds.
func meanOf(seeds []SeedBest) Value {
	var v Value
	for _, b := range seeds {
		v.F1Macro += b.F1Macro / float64(len(seeds))
		v.ECE += b.ECE / float64(len(seeds))
	}
	return v
}
