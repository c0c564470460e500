package study

import (
	"math"
	"regexp"
	"slices"
	"time"

	"github.com/supermax-hpo/supermax/shared/protocol"
)

// The reasons of a stop that this package and its callers know.
const (
	StoppedByUser   = "user"
	StoppedByBudget = "budget" // what was spent reached the budget
)

var stopReason = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,31}$`)

// Stop ends a study's work until [State.Resume]: every ask is answered with done. Attempts
// that run may finish: they are heard, but none of them is promoted on the spot. The reply
// names the slots that hold work. A study that is stopped keeps its first reason; one whose
// stages are all closed has nothing to stop.
func (s *State) Stop(now time.Time, req protocol.StopRequest) (protocol.StopReply, []Event, error) {
	reply := protocol.StopReply{SchemaVersion: protocol.Version, Slots: []string{}}
	if err := s.mine(req.Study); err != nil {
		return reply, nil, err
	}
	if !stopReason.MatchString(req.Reason) {
		return reply, nil, invalid("stop study %s: reason %.40q is not allowed; allowed: %s, or another word of 1 to 32 small letters, digits, dashes and underscores",
			req.Study, req.Reason, StoppedByUser)
	}
	for i := range s.indexes {
		for l := range s.indexes[i].leases.All() {
			reply.Slots = append(reply.Slots, s.trials.At(l.trial).Lease.Slot)
		}
	}
	slices.Sort(reply.Slots)
	if s.stopped != "" || s.Stage() == "" {
		return reply, nil, nil
	}
	d := s.draft(now)
	err := d.emit(Event{Type: EventStopped, Reason: req.Reason})
	return reply, d.events, err
}

// Resume lets a stopped study go on, and gives it another budget if the request has one.
// It is refused when the study's budget is spent, so that none starts to stop at once, and
// when a budget is given to a study without a price. A study whose stages are all closed
// needs nothing and is left as it is.
func (s *State) Resume(now time.Time, req protocol.ResumeRequest) (protocol.ResumeReply, []Event, error) {
	reply := protocol.ResumeReply{SchemaVersion: protocol.Version}
	if err := s.mine(req.Study); err != nil {
		return reply, nil, err
	}
	budget := s.budget
	if req.BudgetDollars != nil {
		if b := *req.BudgetDollars; !(b >= 0) || math.IsInf(b, 0) {
			return reply, nil, invalid("resume study %s: budget_dollars %v is not allowed; allowed: a number from 0", req.Study, b)
		}
		if s.settings.PricePerHour == 0 {
			return reply, nil, invalid("resume study %s: budget_dollars %v needs a price: the study's price_per_hour is 0 or missing", req.Study, *req.BudgetDollars)
		}
		budget = req.BudgetDollars
	}
	if s.Stage() == "" {
		return reply, nil, nil
	}
	if spent := s.SpentDollars(); budget != nil && spent >= *budget {
		return reply, nil, conflict(nil, "resume study %s: its budget of %.2f dollars is spent: it has cost %.2f; give it a higher budget_dollars", req.Study, *budget, spent)
	}
	if s.stopped == "" && (budget == s.budget || s.budget != nil && *budget == *s.budget) {
		return reply, nil, nil
	}
	d := s.draft(now)
	err := d.emit(Event{Type: EventResumed, BudgetDollars: req.BudgetDollars})
	return reply, d.events, err
}

// Stopped returns why the study gives out no work, or "".
func (s *State) Stopped() string { return s.stopped }

// BudgetDollars returns how much the study may spend, if it has a bound.
func (s *State) BudgetDollars() (float64, bool) {
	if s.budget == nil {
		return 0, false
	}
	return *s.budget, true
}

// SpentDollars returns what the attempts' slot seconds cost at the study's price; what a
// slot spent that vanished without a word is not among them. 0 without a price.
func (s *State) SpentDollars() float64 {
	return s.costSeconds / 3600 * s.settings.PricePerHour
}

// withinBudget stops the study when what was spent has reached its budget.
func (d *draft) withinBudget() error {
	if d.stopped != "" || d.budget == nil || d.SpentDollars() < *d.budget {
		return nil
	}
	return d.emit(Event{Type: EventStopped, Reason: StoppedByBudget})
}
