package simulate

import (
	"fmt"
	"time"

	"github.com/supermax-hpo/supermax/shared/protocol"
	"github.com/supermax-hpo/supermax/shared/study"
)

// ending is how an attempt at a rung ends.
type ending int

const (
	finished    ending = iota
	outOfMemory        // told when the first batch is trained
	diverged           // told when the loss is NaN
	crashed            // not told: the lease has to run out
	interrupted        // told, and the slot is gone
)

// failure is what an ending is told as.
func (e ending) failure() *protocol.Failure {
	kind := [...]protocol.FailureKind{outOfMemory: protocol.FailedOOM, diverged: protocol.FailedNaN,
		crashed: protocol.FailedCrash, interrupted: protocol.FailedInterrupted}[e]
	return &protocol.Failure{Kind: kind, Message: "simulated"}
}

// attempt is what a slot that trains is about to do.
type attempt struct {
	work   protocol.Work
	loads  float64 // seconds until its first epoch
	ends   time.Duration
	ending ending // unless Spot takes the slot before
	epochs []protocol.EpochMetrics
	seeds  []study.SeedBest // the trial's after it, if it is finished
	normal float64          // seconds that its epochs take of a slot that is not slow
}

// start makes a slot train what it got.
func (w *world) start(s *slot, work protocol.Work) error {
	t := w.trials[work.Trial]
	if t == nil {
		t = newTrial(w.options.Model.Curve(work.Params), w.chanceOf(work.Params), &work)
		w.trials[work.Trial] = t
	}
	s.doing, s.now = training, w.plan(t, work, s.pace, loadSeconds)
	return w.until(s)
}

// goOn makes a slot train on what was promoted on the spot: the weights are at hand.
func (w *world) goOn(s *slot, reply protocol.TellReply) error {
	work := s.now.work
	work.Rung, work.FromEpoch, work.ToEpoch = reply.Rung, reply.FromEpoch, reply.ToEpoch
	s.now = w.plan(w.trials[work.Trial], work, s.pace, 0)
	return w.until(s)
}

// until lets a slot train until its attempt ends, which its lease must outlast.
func (w *world) until(s *slot) error {
	if lasts := s.now.ends - w.now; lasts >= seconds(longestLease) {
		return fmt.Errorf("trial %d trains for %.0f hours at rung %d; at most %d can be simulated",
			s.now.work.Trial, lasts.Hours(), s.now.work.Rung, longestLease/3600)
	}
	w.agenda.train(min(s.now.ends, s.doom), s.index)
	return nil
}

// plan says what an attempt at a rung will come to.
func (w *world) plan(t *trial, work protocol.Work, pace, loads float64) attempt {
	f := w.options.Faults
	a := attempt{work: work, loads: loads}
	if t.chance.uniform(drawOOM) < f.OOMShare {
		a.ending, a.ends = outOfMemory, w.now+seconds(loads+0.1*pace*t.curve.Seconds)
		return a
	}
	nan := 0 // the epoch of the first seed in which the loss is none, 0: never
	switch {
	case t.curve.Diverges:
		nan = 1
	case t.chance.uniform(drawNaN) < f.NaNShare:
		nan = 1 + int(float64(w.rungs[0])*t.chance.uniform(drawNaNAt))
	}
	a.seeds = t.train(work.ToEpoch, w.patience, func(n int, seed int64, epoch int, e Epoch) bool {
		if n >= t.saved {
			a.normal += e.Seconds
		}
		if epoch == nan {
			a.ending = diverged
			return false
		}
		a.epochs = append(a.epochs, metrics(seed, epoch, e))
		return true
	})
	length := loads + pace*a.normal
	if chance := t.chance.of(uint64(work.Trial)).of(uint64(work.Attempt)).of(uint64(work.Rung)); a.ending == finished &&
		chance.uniform(drawCrash) < f.CrashShare {
		a.ending = crashed
		length *= chance.uniform(drawCrashAt)
	}
	a.ends = w.now + seconds(length)
	return a
}

// ended tells what came of a slot's attempt.
func (w *world) ended(s *slot) error {
	a, t := &s.now, w.trials[s.now.work.Trial]
	end := a.ending
	if w.now < a.ends {
		end = interrupted
	}
	cost := (w.now - s.since).Seconds()
	tell := protocol.TellRequest{SchemaVersion: protocol.Version, Study: w.options.Settings.Study, Trial: a.work.Trial,
		Attempt: a.work.Attempt, Rung: a.work.Rung, Outcome: protocol.Outcome{CostSeconds: cost, PeakMemoryBytes: t.curve.MemoryBytes}}
	switch end {
	case finished:
		w.bill.Work += cost
		w.normal += a.loads + a.normal
		w.tally.Epochs += len(a.epochs) - t.saved
		tell.Outcome.Epochs = a.epochs
		if a.work.Fold != nil {
			tell.Outcome.Baseline = &protocol.Baseline{MajorityF1Macro: t.curve.Floor, UntrainedF1Macro: t.curve.Floor / 2}
		}
	case crashed, interrupted:
		w.keep(t, a, s.pace, cost)
		tell.Outcome.Failed = end.failure()
	default:
		w.bill.Lost += cost
		tell.Outcome.Failed = end.failure()
	}
	s.since = w.now
	if end == crashed {
		w.tally.Crashes++
		w.orphans = append(w.orphans, s.name)
		w.agenda.train(w.now+w.lease, -int32(len(w.orphans)))
		w.begin(s, w.now)
		return nil
	}
	w.tally.Tells++
	reply, events, err := w.state.Tell(w.clock(), tell)
	if err := w.apply(events, err); err != nil {
		return fmt.Errorf("tell for slot %s: %w", s.name, err)
	}
	switch {
	case end == interrupted:
		w.tally.Interruptions++
		if err := w.release(s, protocol.FailedInterrupted); err != nil {
			return err
		}
		w.begin(s, w.now)
		return nil
	case end == finished && reply.Kind != protocol.TellStale:
		t.reported(a)
	}
	if reply.Kind == protocol.TellContinue {
		return w.goOn(s, reply)
	}
	return w.ask(s)
}

// keep books an attempt that was cut short: what its ended epochs took was not in vain, as
// they lie in checkpoints.
func (w *world) keep(t *trial, a *attempt, pace, cost float64) {
	left, trained, saved := cost-a.loads, 0.0, 0
	t.train(a.work.ToEpoch, w.patience, func(n int, _ int64, _ int, e Epoch) bool {
		if n >= t.saved {
			if left -= pace * e.Seconds; left < 0 {
				return false
			}
			trained += e.Seconds
		}
		saved = n + 1
		return true
	})
	w.tally.Epochs += max(0, saved-t.saved)
	t.saved = max(saved, t.saved)
	w.normal += a.loads + trained
	w.bill.Work += pace * trained
	w.bill.Lost += cost - pace*trained
}

// metrics fills in what else a real epoch measures, so that the study finds it sane.
func metrics(seed int64, epoch int, e Epoch) protocol.EpochMetrics {
	return protocol.EpochMetrics{Seed: seed, Epoch: epoch, F1Macro: e.F1Macro, ECE: e.ECE, Accuracy: e.F1Macro,
		Loss: 1 - e.F1Macro, NLL: 1 - e.F1Macro + e.ECE, Brier: 1 - e.F1Macro}
}

// seconds returns s as a duration, of at most thirty years.
func seconds(s float64) time.Duration { return time.Duration(min(s, 1e9) * float64(time.Second)) }
