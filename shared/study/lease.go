package study

import (
	"fmt"
	"time"

	"github.com/supermax-hpo/supermax/shared/protocol"
)

// leaseUntil returns when a lease that is given or renewed now runs out.
func (s *State) leaseUntil(now time.Time) time.Time {
	return clean(now).Add(seconds(s.settings.LeaseSeconds))
}

// owns reports whether the attempt holds the trial's lease. A lease that ran out is still
// held until a command takes it back.
func (t *Trial) owns(attempt int) bool { return t.Lease != nil && t.Attempt == attempt }

// attempted checks that the attempt was ever leased.
func (t *Trial) attempted(attempt int) error {
	if attempt < 0 || attempt > t.Attempt {
		return invalid("trial %d has no attempt %d: its attempts so far are %d, counted from 0", t.Number, attempt, t.Attempt+1)
	}
	return nil
}

// giveBack takes the lease of a running trial away and puts the trial back into the queue;
// or fails it when that happened too often. An interruption is nobody's fault and not
// counted. It reports whether the trial is queued.
func (d *draft) giveBack(t *Trial, end Event) (bool, error) {
	end.Type, end.Trial, end.Attempt, end.Rung = EventLost, t.Number, t.Attempt, t.Rung
	if err := d.emit(end); err != nil {
		return false, err
	}
	counted := end.Failure.Kind != protocol.FailedInterrupted
	if counted && t.Requeues >= d.settings.MaxRequeues {
		return false, d.emit(Event{Type: EventFailed, Trial: t.Number, Attempt: t.Attempt, Rung: t.Rung,
			Failure: &protocol.Failure{Kind: end.Failure.Kind, Message: fmt.Sprintf(
				"given up after %d lost attempts; the last: %s", t.Requeues+1, end.Failure.Message)}})
	}
	return true, d.emit(Event{Type: EventRequeued, Trial: t.Number, Counted: counted})
}

// takeBack gives back the trials of the stage whose lease ran out and returns those that
// are queued again.
func (d *draft) takeBack(stage int) ([]int, error) {
	requeued := []int{}
	for _, n := range d.indexes[stage].expired(d.now) {
		t := d.trials.At(n)
		queued, err := d.giveBack(t, Event{Failure: &protocol.Failure{Kind: protocol.FailedCrash, Message: fmt.Sprintf(
			"the lease of slot %s ran out at %s", t.Lease.Slot, t.Lease.Until.Format(time.RFC3339))}})
		if err != nil {
			return nil, err
		}
		if queued {
			requeued = append(requeued, t.Number)
		}
	}
	return requeued, nil
}

// heldBy returns the trial that the slot holds a lease of, or nil. A slot holds one at
// most: the one of its last ask.
func (s *State) heldBy(name string) *Trial {
	sl := s.slots.get(name)
	if sl == nil || !sl.worked() {
		return nil
	}
	if t := s.trials.At(sl.Trial); t.owns(sl.Attempt) && t.Lease.Slot == name {
		return t
	}
	return nil
}

// Heartbeat renews a lease; the answer is Lost to an attempt that holds none. It renews a
// lease that ran out too, as long as nobody took it back.
func (s *State) Heartbeat(now time.Time, req protocol.HeartbeatRequest) (protocol.HeartbeatReply, []Event, error) {
	reply := protocol.HeartbeatReply{SchemaVersion: protocol.Version}
	if err := s.mine(req.Study); err != nil {
		return reply, nil, err
	}
	t, err := s.trial(req.Trial)
	if err != nil {
		return reply, nil, err
	}
	if err := t.attempted(req.Attempt); err != nil {
		return reply, nil, err
	}
	if !t.owns(req.Attempt) {
		reply.Lost = true
		return reply, nil, nil
	}
	reply.LeaseUntil = t.Lease.Until
	until := s.leaseUntil(now)
	if !until.After(t.Lease.Until) { // a late request must not shorten the lease
		return reply, nil, nil
	}
	reply.LeaseUntil = until
	d := s.draft(now)
	err = d.emit(Event{Type: EventRenewed, Trial: t.Number, Attempt: t.Attempt, Rung: t.Rung, LeaseUntil: until})
	return reply, d.events, err
}

// ReleaseSlot says that a slot is gone: its lease is given back at once and a late ask of
// it gets [protocol.AskDone]. The cause is a crash or an interruption.
func (s *State) ReleaseSlot(now time.Time, req protocol.ReleaseSlotRequest) (protocol.ReleaseSlotReply, []Event, error) {
	reply := protocol.ReleaseSlotReply{SchemaVersion: protocol.Version, Requeued: []int{}}
	if err := s.mine(req.Study); err != nil {
		return reply, nil, err
	}
	if err := checkSlot(req.Slot); err != nil {
		return reply, nil, err
	}
	if req.Cause != protocol.FailedCrash && req.Cause != protocol.FailedInterrupted {
		return reply, nil, invalid("release slot %s: cause %q is not allowed; allowed: %s, %s",
			req.Slot, req.Cause, protocol.FailedCrash, protocol.FailedInterrupted)
	}
	sl := s.slots.get(req.Slot)
	if s.openStage() < 0 || sl != nil && sl.Released {
		return reply, nil, nil
	}
	d := s.draft(now)
	if t := s.heldBy(req.Slot); t != nil {
		queued, err := d.giveBack(t, Event{Failure: &protocol.Failure{Kind: req.Cause,
			Message: fmt.Sprintf("slot %s is gone", req.Slot)}})
		if err != nil {
			return reply, nil, err
		}
		if queued {
			reply.Requeued = append(reply.Requeued, t.Number)
		}
	}
	err := d.emit(Event{Type: EventSlotReleased, Slot: req.Slot})
	return reply, d.events, err
}

// openStage returns the open stage's index, or -1.
func (s *State) openStage() int {
	for i := range s.stages {
		if s.stages[i].open() {
			return i
		}
	}
	return -1
}
