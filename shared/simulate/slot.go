package simulate

import (
	"fmt"
	"math"
	"time"

	"github.com/supermax-hpo/supermax/shared/protocol"
)

// doing is what a slot is at.
type doing int

const (
	starting doing = iota
	waiting
	training
	gone // the stage had no more work for it
)

// slot is one place for a trainer. When Spot takes it or it crashes, another life of it
// begins, under another name.
type slot struct {
	index int32
	life  int
	name  string
	token int64
	pace  float64       // how many times as long as others it takes
	doom  time.Duration // when Spot takes it
	doing doing
	since time.Duration // when it began to do that
	now   attempt       // while it trains
}

// begin starts the slot's next life.
func (w *world) begin(s *slot, at time.Duration) {
	s.life++
	s.name = fmt.Sprintf("%s-%d.%d", w.stage, s.index, s.life)
	s.token, s.doing, s.since = 0, starting, at
	chance := dice(w.options.Seed).of(uint64(w.stageIndex)).of(uint64(s.index)).of(uint64(s.life))
	f := w.options.Faults
	s.pace = 1
	if chance.uniform(drawSlow) < f.SlowShare {
		s.pace = f.SlowFactor
	}
	s.doom = math.MaxInt64
	if f.InterruptionsPerHour > 0 {
		s.doom = at + seconds(3600*chance.exponential(drawDoom)/f.InterruptionsPerHour)
	}
	w.agenda.start(min(at+seconds(w.options.StartSeconds), s.doom), s.index)
}

// spend books the time since the slot began to do what it does.
func (w *world) spend(s *slot, on *float64) {
	*on += (w.now - s.since).Seconds()
	s.since = w.now
}

// event is what a slot's time brings.
func (w *world) event(s *slot) error {
	switch {
	case s.doing == training:
		return w.ended(s)
	case w.now >= s.doom:
		if s.doing == starting {
			w.spend(s, &w.bill.Starting)
		} else {
			w.spend(s, &w.bill.Waiting)
		}
		w.tally.Interruptions++
		if err := w.release(s, protocol.FailedInterrupted); err != nil {
			return err
		}
		w.begin(s, w.now)
		return nil
	case s.doing == starting:
		w.spend(s, &w.bill.Starting)
	default:
		w.spend(s, &w.bill.Waiting)
	}
	return w.ask(s)
}

// ask asks for work. Nothing has changed since an ask that had to wait: this one has to,
// too, and the study need not be asked again.
func (w *world) ask(s *slot) error {
	s.doing, s.since = waiting, w.now
	if w.idle {
		w.agenda.wait(w.now, w.retry, s.doom, s.index)
		return nil
	}
	s.token++
	w.tally.Asks++
	reply, events, err := w.state.Ask(w.clock(), protocol.AskRequest{SchemaVersion: protocol.Version,
		Study: w.options.Settings.Study, Stage: w.stage, Slot: s.name, Token: s.token})
	if err := w.apply(events, err); err != nil {
		return fmt.Errorf("ask for slot %s: %w", s.name, err)
	}
	switch reply.Kind {
	case protocol.AskWork:
		return w.start(s, *reply.Work)
	case protocol.AskWait:
		if w.waited != nil {
			w.waited()
		}
		w.idle, w.retry = true, max(seconds(reply.RetryAfterSeconds), time.Second) // so that time passes
		w.agenda.wait(w.now, w.retry, s.doom, s.index)
	default:
		s.doing = gone
	}
	return nil
}

// release says that a slot is gone.
func (w *world) release(s *slot, cause protocol.FailureKind) error {
	_, events, err := w.state.ReleaseSlot(w.clock(), protocol.ReleaseSlotRequest{SchemaVersion: protocol.Version,
		Study: w.options.Settings.Study, Slot: s.name, Cause: cause})
	if err := w.apply(events, err); err != nil {
		return fmt.Errorf("release slot %s: %w", s.name, err)
	}
	return nil
}
