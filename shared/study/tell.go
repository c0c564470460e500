package study

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/supermax-hpo/supermax/shared/protocol"
)

// Tell takes the outcome of an attempt at a rung. What was told before gets its first
// answer again; what comes from an attempt that does not hold the trial's lease is stale;
// an outcome that is not complete and sane is invalid. None of these changes anything. An
// attempt whose lease ran out is heard as long as nobody took the lease back.
//
// A reported trial pauses, or goes on at once if that report made it promotable, the study is
// not stopped and the stage's budget has room. Where each report is decided for good, a trial
// that may go on but cannot now is queued. An outcome whose cost brings what was spent to the budget stops it.
func (s *State) Tell(now time.Time, req protocol.TellRequest) (protocol.TellReply, []Event, error) {
	none := protocol.TellReply{SchemaVersion: protocol.Version}
	if err := s.mine(req.Study); err != nil {
		return none, nil, err
	}
	t, err := s.trial(req.Trial)
	if err != nil {
		return none, nil, err
	}
	if err := t.attempted(req.Attempt); err != nil {
		return none, nil, err
	}
	if reply, ok := s.told(t, req.Attempt, req.Rung); ok {
		return reply, nil, nil
	}
	if !t.owns(req.Attempt) {
		return protocol.TellReply{SchemaVersion: protocol.Version, Kind: protocol.TellStale}, nil, nil
	}
	d := s.draft(now)
	if err := d.tell(t, req); err != nil {
		var refused *Error
		if errors.As(err, &refused) {
			refused.Message = fmt.Sprintf("tell trial %d, attempt %d, rung %d: %s", req.Trial, req.Attempt, req.Rung, refused.Message)
		}
		return none, nil, err
	}
	reply, ok := d.told(d.trials.At(t.Number), req.Attempt, req.Rung)
	if !ok {
		return none, nil, fmt.Errorf("tell trial %d: its events hold no answer", t.Number)
	}
	return reply, d.events, nil
}

// told returns the answer to a tell that was accepted before.
func (s *State) told(t *Trial, attempt, rung int) (protocol.TellReply, bool) {
	reply := protocol.TellReply{SchemaVersion: protocol.Version, Kind: protocol.TellRelease}
	for _, r := range t.Reports {
		if r.Attempt != attempt || r.Rung != rung || r.Carried {
			continue
		}
		if !r.ContinueUntil.IsZero() {
			reply.Kind, reply.Rung, reply.LeaseUntil = protocol.TellContinue, rung+1, r.ContinueUntil
			reply.FromEpoch, reply.ToEpoch = s.planOf(t).rungs(t.Number).Span(rung + 1)
		}
		return reply, true
	}
	ended := slices.ContainsFunc(t.Ended, func(e AttemptEnd) bool {
		return e.Attempt == attempt && e.Rung == rung && e.Told
	})
	return reply, ended
}

// tell plays out an outcome that comes from the lease's holder.
func (d *draft) tell(t *Trial, req protocol.TellRequest) error {
	if req.Rung != t.Rung {
		return invalid("the attempt trains rung %d", t.Rung)
	}
	o := req.Outcome
	if err := checkOutcome(o); err != nil {
		return err
	}
	e := Event{Trial: t.Number, Attempt: t.Attempt, Rung: t.Rung, Failure: o.Failed,
		CostSeconds: o.CostSeconds, PeakMemoryBytes: o.PeakMemoryBytes}
	if o.Failed != nil {
		e.Told = true
		var err error
		switch o.Failed.Kind {
		case protocol.FailedCrash, protocol.FailedInterrupted:
			_, err = d.giveBack(t, e)
		default:
			e.Type = EventFailed
			err = d.emit(e)
		}
		if err != nil {
			return err
		}
		return d.withinBudget()
	}
	if err := checkBaseline(t.Stage, o.Baseline); err != nil {
		return err
	}
	p := d.planOf(t)
	if p.pricePerHour > 0 && o.CostSeconds < minCostSeconds {
		return invalid("cost_seconds is %v; allowed: %v or more, as the stage's objective is %s", o.CostSeconds, minCostSeconds, ObjectiveF1PerDollar)
	}
	seeds, value, err := t.progress(p, o.Epochs)
	if err != nil {
		return err
	}
	e.Type, e.Seeds, e.Value, e.Baseline = EventReported, seeds, &value, o.Baseline
	e.Final = t.Rung == p.last(t.Number) || exhausted(seeds, p.patience)
	slotName := t.Lease.Slot
	if err := d.emit(e); err != nil {
		return err
	}
	stage, err := indexOf(t.Stage)
	if err != nil {
		return err
	}
	if err := d.carry(stage, t.Number); err != nil {
		return err
	}
	if err := d.withinBudget(); err != nil {
		return err
	}
	t = d.trials.At(t.Number)
	if e.Final || !d.indexes[stage].results.GoesOn(t.result(nil, p, t.Rung)) {
		return nil
	}
	promoted := Event{Type: EventPromoted, Trial: t.Number, Rung: t.Rung + 1}
	switch {
	case d.stopped == "" && d.fits(stage, t.epochs(p, t.Rung+1)):
		promoted.Attempt, promoted.Slot, promoted.LeaseUntil = t.Attempt, slotName, d.leaseUntil(d.now)
	case p.scheduler.Promotes(): // an ask will find it
		return nil
	}
	return d.emit(promoted)
}

// carry promotes the trials that deserve it but have no seed left to train: their value
// counts at the next rung without a lease. Only a new report can make one promotable; where
// each report is decided for good, that is the trial that reported.
func (d *draft) carry(stage, reported int) error {
	p := d.plans[stage]
	if !p.scheduler.Promotes() {
		for {
			t := d.trials.At(reported)
			if t.State != Completed || !d.indexes[stage].results.GoesOn(t.result(nil, p, t.Rung)) {
				return nil
			}
			if err := d.emit(Event{Type: EventCarried, Trial: reported, Rung: t.Rung + 1}); err != nil {
				return err
			}
		}
	}
	for rung := range p.last(reported) {
		for _, n := range d.indexes[stage].results.Promotable(rung) {
			if d.trials.At(n).State != Completed {
				continue
			}
			if err := d.emit(Event{Type: EventCarried, Trial: n, Rung: rung + 1}); err != nil {
				return err
			}
		}
	}
	return nil
}
