package study

import (
	"encoding/json"
	"time"

	"github.com/supermax-hpo/supermax/shared/protocol"
	"github.com/supermax-hpo/supermax/shared/space"
)

// EventVersion is the version of the events that this package writes, and the newest
// that it reads.
//
// 2 added stopped and resumed, 3 settings that a former version would not follow: limits,
// objectives and cost weights.
const EventVersion = 3

// EventType says what happened.
type EventType string

// The types of an [Event], each with the fields that it uses.
const (
	EventCreated      EventType = "created"       // Settings
	EventStageOpened  EventType = "stage_opened"  // Stage, Limit
	EventTrialCreated EventType = "trial_created" // Stage, Trial, Params, From, Fold: QUEUED
	EventLeased       EventType = "leased"        // Slot, Token, Trial, Attempt, Rung, LeaseUntil: RUNNING
	EventWaited       EventType = "waited"        // Slot, Token: an ask that got no work; written by version 1 only
	EventRenewed      EventType = "renewed"       // Trial, Attempt, LeaseUntil
	EventReported     EventType = "reported"      // Trial, Attempt, Rung, Value, Seeds, Final, costs: PAUSED or COMPLETED
	EventPromoted     EventType = "promoted"      // Trial, Rung: QUEUED; with Slot, Attempt and LeaseUntil: RUNNING on
	EventCarried      EventType = "carried"       // Trial, Rung: promoted with nothing left to train
	EventLost         EventType = "lost"          // Trial, Attempt, Rung, Failure, Told, costs: STALE
	EventRequeued     EventType = "requeued"      // Trial, Counted: QUEUED
	EventFailed       EventType = "failed"        // Trial, Attempt, Rung, Failure, Told, costs: FAILED
	EventSlotReleased EventType = "slot_released" // Slot
	EventStageClosed  EventType = "stage_closed"  // Stage, Trials: what is handed on, best first
	EventChosen       EventType = "chosen"        // Trial: stage B's trial that stage C confirmed as the best
	EventStopped      EventType = "stopped"       // Reason: no work is given out until resumed
	EventResumed      EventType = "resumed"       // BudgetDollars; nil: as it was
)

// An Event is a fact about a study, as the log keeps it. A field that a type does not use
// is zero and not written; a field that this version does not know is ignored.
type Event struct {
	Version int       `json:"v"`
	Type    EventType `json:"type"`
	At      time.Time `json:"at"`

	Settings   json.RawMessage  `json:"settings,omitempty"` // as JSON, so that a newer version's fields survive
	Stage      protocol.Stage   `json:"stage,omitempty"`
	Limit      int              `json:"limit,omitempty"`
	Trials     []int            `json:"trials,omitempty"`
	Slot       string           `json:"slot,omitempty"`
	Token      int64            `json:"token,omitempty"`
	Trial      int              `json:"trial,omitempty"`
	Attempt    int              `json:"attempt,omitempty"`
	Rung       int              `json:"rung,omitempty"`
	LeaseUntil time.Time        `json:"lease_until,omitzero"`
	Params     space.Assignment `json:"params,omitempty"`
	From       *int             `json:"from,omitempty"` // the earlier stage's trial that has these parameters
	Fold       *int             `json:"fold,omitempty"`

	Value           *Value             `json:"value,omitempty"`
	Seeds           []SeedBest         `json:"seeds,omitempty"`
	Final           bool               `json:"final,omitempty"` // nothing is left to train
	Failure         *protocol.Failure  `json:"failure,omitempty"`
	Told            bool               `json:"told,omitempty"`    // the attempt itself said so
	Counted         bool               `json:"counted,omitempty"` // against the trial's limit
	CostSeconds     float64            `json:"cost_seconds,omitempty"`
	PeakMemoryBytes int64              `json:"peak_memory_bytes,omitempty"`
	Baseline        *protocol.Baseline `json:"baseline,omitempty"`

	Reason        string   `json:"reason,omitempty"`
	BudgetDollars *float64 `json:"budget_dollars,omitempty"`
}
