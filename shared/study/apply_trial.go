package study

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// applyTrial folds what happened to one trial: it changes a copy and puts it in the
// trial's place when nothing was wrong.
func (s *State) applyTrial(e Event) error {
	old, err := s.trial(e.Trial)
	if err != nil {
		return err
	}
	t := *old
	p := s.planOf(old)
	switch e.Type {
	case EventLeased:
		err = t.leased(e)
	case EventRenewed:
		err = t.renewed(e)
	case EventReported:
		err = t.reported(e, p)
	case EventPromoted:
		err = t.promoted(e, p)
	case EventCarried:
		err = t.carried(e, p)
	case EventLost:
		err = t.lost(e)
	case EventRequeued:
		err = t.requeued(e)
	case EventFailed:
		err = t.failed(e)
	default:
		err = fmt.Errorf("its type is unknown to version %d", EventVersion)
	}
	if err != nil {
		return err
	}
	s.put(&t)
	s.costSeconds += e.CostSeconds
	if e.Type == EventLeased {
		s.slots = s.slots.with(e.Slot, &slot{Token: e.Token, Trial: e.Trial, Attempt: e.Attempt, Rung: e.Rung, LeaseUntil: e.LeaseUntil})
	}
	return nil
}

// is checks that the trial is in one of the states, at the event's attempt and rung.
func (t *Trial) is(e Event, attempt, rung int, states ...TrialState) error {
	if !slices.Contains(states, t.State) || e.Attempt != attempt || e.Rung != rung {
		return fmt.Errorf("trial %d, attempt %d, rung %d: the trial is %s in attempt %d at rung %d",
			e.Trial, e.Attempt, e.Rung, t.State, t.Attempt, t.Rung)
	}
	return nil
}

func (t *Trial) leased(e Event) error {
	if err := t.is(e, t.Attempt+1, t.Rung, Queued); err != nil {
		return err
	}
	if e.LeaseUntil.IsZero() {
		return errors.New("it has no time")
	}
	t.State, t.Attempt, t.Lease = Running, e.Attempt, &Lease{Slot: e.Slot, Until: e.LeaseUntil}
	return nil
}

func (t *Trial) renewed(e Event) error {
	if err := t.is(e, t.Attempt, t.Rung, Running); err != nil {
		return err
	}
	lease := *t.Lease
	lease.Until = e.LeaseUntil
	t.Lease = &lease
	return nil
}

func (t *Trial) reported(e Event, p plan) error {
	if err := t.is(e, t.Attempt, t.Rung, Running); err != nil {
		return err
	}
	if e.Value == nil || !sameSeeds(e.Seeds, p.seeds) {
		return fmt.Errorf("trial %d has no value, or the seeds %v and not %v", e.Trial, e.Seeds, p.seeds)
	}
	if err := p.checkReport(*e.Value, e.CostSeconds); err != nil {
		return fmt.Errorf("trial %d: %w", e.Trial, err)
	}
	t.State, t.Lease, t.Seeds = Paused, nil, e.Seeds
	if e.Final {
		t.State = Completed
	}
	t.Reports = append(slices.Clip(t.Reports), Report{Trial: e.Trial, Rung: e.Rung, Attempt: e.Attempt,
		ToEpoch: p.rungs(e.Trial)[e.Rung], Value: *e.Value, CostSeconds: e.CostSeconds,
		PeakMemoryBytes: e.PeakMemoryBytes, Baseline: e.Baseline, At: e.At})
	return nil
}

// checkReport checks the numbers that later decisions rest on.
func (p plan) checkReport(v Value, costSeconds float64) error {
	switch {
	case math.IsNaN(v.F1Macro+v.ECE) || math.IsInf(v.F1Macro+v.ECE, 0):
		return fmt.Errorf("the value %+v is not finite", v)
	case !(costSeconds >= 0) || math.IsInf(costSeconds, 1):
		return fmt.Errorf("the cost %v is not a number from 0", costSeconds)
	case p.pricePerHour > 0 && costSeconds < minCostSeconds:
		return fmt.Errorf("the cost %v is too little to divide the objective by", costSeconds)
	}
	return nil
}

// promoted moves a paused trial to the next rung: into the queue, or on under the same
// attempt when the event carries a lease.
func (t *Trial) promoted(e Event, p plan) error {
	attempt := t.Attempt
	if e.Slot == "" {
		attempt = 0
	}
	if err := t.is(e, attempt, t.Rung+1, Paused); err != nil {
		return err
	}
	if e.Rung > p.last(e.Trial) {
		return fmt.Errorf("trial %d has no rung %d", e.Trial, e.Rung)
	}
	t.State, t.Rung = Queued, e.Rung
	if e.Slot == "" {
		return nil
	}
	t.State, t.Lease = Running, &Lease{Slot: e.Slot, Until: e.LeaseUntil}
	t.Reports = slices.Clone(t.Reports)
	t.Reports[len(t.Reports)-1].ContinueUntil = e.LeaseUntil
	return nil
}

// carried gives the trial's last value to the next rung too.
func (t *Trial) carried(e Event, p plan) error {
	if err := t.is(e, 0, t.Rung+1, Completed); err != nil {
		return err
	}
	if e.Rung > p.last(e.Trial) {
		return fmt.Errorf("trial %d has no rung %d", e.Trial, e.Rung)
	}
	last := t.Reports[t.Rung]
	t.Reports = append(slices.Clip(t.Reports), Report{Trial: e.Trial, Rung: e.Rung, Attempt: last.Attempt,
		ToEpoch: p.rungs(e.Trial)[e.Rung], Value: last.Value, At: e.At, Carried: true})
	t.Rung = e.Rung
	return nil
}

func (t *Trial) lost(e Event) error {
	if err := t.is(e, t.Attempt, t.Rung, Running); err != nil {
		return err
	}
	t.State = Stale
	return t.end(e)
}

func (t *Trial) requeued(e Event) error {
	if err := t.is(e, 0, 0, Stale); err != nil {
		return err
	}
	t.State = Queued
	if e.Counted {
		t.Requeues++
	}
	return nil
}

// failed ends the trial: a running one by what its attempt told, a stale one because it
// was taken back too often.
func (t *Trial) failed(e Event) error {
	if err := t.is(e, t.Attempt, t.Rung, Running, Stale); err != nil {
		return err
	}
	if e.Failure == nil {
		return errors.New("it has no failure")
	}
	running := t.State == Running
	t.State, t.Failure = Failed, e.Failure
	if !running {
		return nil
	}
	return t.end(e)
}

// end writes down that the trial's attempt ended without a report.
func (t *Trial) end(e Event) error {
	if e.Failure == nil {
		return errors.New("it has no failure")
	}
	t.Lease = nil
	t.Ended = append(slices.Clip(t.Ended), AttemptEnd{Attempt: e.Attempt, Rung: e.Rung, Failure: *e.Failure,
		Told: e.Told, CostSeconds: e.CostSeconds, PeakMemoryBytes: e.PeakMemoryBytes, At: e.At})
	return nil
}

// sameSeeds reports whether the records are of these seeds, in their order.
func sameSeeds(records []SeedBest, seeds []int64) bool {
	return slices.EqualFunc(records, seeds, func(b SeedBest, seed int64) bool { return b.Seed == seed })
}
