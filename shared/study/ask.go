package study

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"time"

	"github.com/supermax-hpo/supermax/shared/protocol"
	"github.com/supermax-hpo/supermax/shared/sampler"
	"github.com/supermax-hpo/supermax/shared/space"
)

// maxSlotName bounds a slot's name, which logs and snapshots repeat.
const maxSlotName = 200

func checkSlot(name string) error {
	if name == "" || len(name) > maxSlotName {
		return invalid("slot name %.20q has %d bytes; allowed: 1 to %d", name, len(name), maxSlotName)
	}
	return nil
}

// Ask gives a slot its next work. In this order it gets: the same answer again if the
// token is its last; a trial that was taken back; the best promotion, from the highest
// rung down; an enqueued trial; a new one; wait while another slot may still fail or
// report; done. A stage that is not open, yet or any more, is done: a slot that waited for
// somebody to plan it would cost money for nothing.
//
// A slot trains one trial at a time, so a lease that it still holds when it asks anew was
// forgotten and is given back first, as are leases of the stage that ran out. A lower
// token than the slot's last is a conflict ([ErrLate]). A stopped study has no work for a
// new token: done.
//
// Only an ask that gets work is written down, so that slots that wait write nothing. A
// token that waited may therefore get work when it comes again. That is safe: the answer
// is still one to the slot's newest token that got any, and what is leased to a duplicate
// that nobody listens to is given back by the slot's next ask, when the slot is released,
// or when the lease runs out.
func (s *State) Ask(now time.Time, req protocol.AskRequest) (protocol.AskReply, []Event, error) {
	done := protocol.AskReply{SchemaVersion: protocol.Version, Kind: protocol.AskDone}
	if err := s.mine(req.Study); err != nil {
		return done, nil, err
	}
	stage, err := indexOf(req.Stage)
	if err != nil {
		return done, nil, err
	}
	if err := checkSlot(req.Slot); err != nil {
		return done, nil, err
	}
	if req.Token < 1 {
		return done, nil, invalid("attempt token %d of slot %s is not allowed; allowed: 1 or more", req.Token, req.Slot)
	}
	if !s.stages[stage].open() {
		return done, nil, nil
	}
	if sl := s.slots.get(req.Slot); sl != nil {
		switch {
		case sl.Released:
			return done, nil, nil
		case req.Token == sl.Token && sl.worked():
			return s.answer(sl), nil, nil
		case req.Token < sl.Token:
			return done, nil, conflict(ErrLate, "ask %d of slot %s comes late: it already asked with token %d", req.Token, req.Slot, sl.Token)
		}
	}
	d := s.draft(now)
	if t := d.heldBy(req.Slot); t != nil {
		if _, err := d.giveBack(t, Event{Failure: d.forgotten(t)}); err != nil {
			return done, nil, err
		}
	}
	if _, err := d.takeBack(stage); err != nil {
		return done, nil, err
	}
	if d.stopped != "" {
		return done, d.events, nil
	}
	t, err := d.next(stage)
	switch {
	case err != nil:
		return done, nil, err
	case t != nil:
		err = d.emit(Event{Type: EventLeased, Slot: req.Slot, Token: req.Token, Trial: t.Number,
			Attempt: t.Attempt + 1, Rung: t.Rung, LeaseUntil: d.leaseUntil(now)})
	case d.count(stage).Running > 0:
		return protocol.AskReply{SchemaVersion: protocol.Version, Kind: protocol.AskWait,
			RetryAfterSeconds: d.retryAfter()}, d.events, nil
	default:
		return done, d.events, nil
	}
	if err != nil {
		return done, nil, err
	}
	return d.answer(d.slots.get(req.Slot)), d.events, nil
}

// forgotten says why a slot asks anew with the lease of a trial. One that never renewed it
// most likely never heard of it (its ask arrived twice, or the answer was lost), which is
// nobody's fault; one that did trained the trial and dropped it.
func (s *State) forgotten(t *Trial) *protocol.Failure {
	f := &protocol.Failure{Kind: protocol.FailedCrash, Message: fmt.Sprintf("slot %s asked for other work", t.Lease.Slot)}
	if t.Lease.Until.Equal(s.slots.get(t.Lease.Slot).LeaseUntil) {
		f.Kind = protocol.FailedInterrupted
		f.Message += " and had never begun this"
	}
	return f
}

const (
	// waitingAsks is how many asks a second all waiting slots together should make.
	waitingAsks = 4
	// longestWait bounds in seconds how late a slot learns of work that came up again.
	longestWait = 30
)

// retryAfter returns how many seconds a slot waits that got no work. It grows with the
// slots that had work in this stage and are not gone, which are those that may wait.
func (s *State) retryAfter() float64 {
	return max(s.settings.RetrySeconds, min(float64(s.slots.live)/waitingAsks, longestWait))
}

// answer returns the work that the slot's last ask got.
func (s *State) answer(sl *slot) protocol.AskReply {
	t := s.trials.At(sl.Trial)
	p := s.planOf(t)
	from, to := p.rungs(t.Number).Span(sl.Rung)
	return protocol.AskReply{SchemaVersion: protocol.Version, Kind: protocol.AskWork, Work: &protocol.Work{
		Trial: sl.Trial, Attempt: sl.Attempt, Rung: sl.Rung, FromEpoch: from, ToEpoch: to,
		Params: s.settings.Space.Assignment(t.point), Seeds: append([]int64(nil), p.seeds...), Fold: t.Fold,
		Checkpoint: CheckpointPrefix(s.settings.Study, t.Stage, t.Number),
		LeaseUntil: sl.LeaseUntil, HeartbeatEverySeconds: s.settings.HeartbeatSeconds,
	}}
}

// CheckpointPrefix returns where in the objects a trial keeps its checkpoints.
func CheckpointPrefix(study string, stage protocol.Stage, trial int) string {
	return fmt.Sprintf("%strial=%06d/", StageCheckpoints(study, stage), trial)
}

// StageCheckpoints returns what [CheckpointPrefix] starts with for all trials of a stage.
// The stage stands first so that a bucket can forget the checkpoints of A and B after some
// days by their prefix, and keep the models of C.
func StageCheckpoints(study string, stage protocol.Stage) string {
	return fmt.Sprintf("checkpoints/stage=%s/study=%s/", stage, study)
}

// BestWeights returns where below its trial's [CheckpointPrefix] a seed keeps the weights of
// its best epoch. The name holds the epoch, so that what an attempt that lost its lease
// still writes never stands in the place of a later attempt's.
func BestWeights(prefix string, seed int64, epoch int) string {
	return fmt.Sprintf("%sseed=%d/best-epoch=%04d.safetensors", prefix, seed, epoch)
}

// suggest returns the parameters of trial n. Its random numbers depend on the study's
// seed and name, the stage and n only, not on the calls that came before.
func (s *State) suggest(stage, n int) (space.Assignment, error) {
	p := s.plans[stage]
	options := sampler.Options{Seed: s.settings.Seed}
	if p.costWeight > 0 {
		if cost, ok := s.learnCost(); ok {
			options.CostWeight, options.Cost = p.costWeight, cost.seconds
		}
	}
	smp, err := sampler.New(p.sampler, options)
	if err != nil {
		return nil, err
	}
	h := fnv.New64a()
	fmt.Fprintf(h, "%s/%s/%d", s.settings.Study, stages[stage], n)
	rng := rand.New(rand.NewPCG(s.settings.Seed, h.Sum64()))
	var params space.Assignment
	err = s.memory.with(s, stage, func(h *sampler.History) error {
		params, err = smp.Suggest(h, rng)
		return err
	})
	return params, err
}

// observed returns the trial as a sampler sees it. Complete is what was
// trained to the last rung; a trial whose seeds all stopped below it counts as paused there.
// Its rung is given by the epochs behind its value, so that they compare between trials of
// different rungs.
func (t *Trial) observed(p plan) sampler.Observation {
	o := sampler.Observation{Number: t.Number, Point: t.point, Values: t.values(p), Rung: -1, State: sampler.Paused}
	if last := t.Reported(); last >= 0 {
		o.Rung, o.Violation = t.Reports[last].ToEpoch, t.violation(p, last)
	}
	switch {
	case t.State == Failed:
		o.State = sampler.Failed
	case t.State == Queued || t.State == Running || t.State == Stale:
		o.State = sampler.Running
	case t.State == Completed && t.Reported() == p.last(t.Number):
		o.State = sampler.Completed
	}
	return o
}
