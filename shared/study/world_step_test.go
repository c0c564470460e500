package study

import (
	"fmt"
	"time"

	"pgregory.net/rapid"

	"github.com/supermax-hpo/supermax/shared/protocol"
)

// step does one random thing.
func (w *world) step(stage protocol.Stage) {
	t := w.t
	pick := func() *worker {
		if len(w.alive) == 0 {
			w.slots++
			w.alive = append(w.alive, &worker{name: fmt.Sprintf("slot-%d", w.slots)})
		}
		return rapid.SampledFrom(w.alive).Draw(t, "slot")
	}
	switch rapid.SampledFrom([]string{"ask", "ask", "tell", "tell", "tell", "fail", "repeat tell", "repeat ask", "heartbeat",
		"advance", "check", "die", "join", "restore", "nonsense", "stop", "resume"}).Draw(t, "what") {
	case "ask":
		w.ask(pick(), stage)
	case "tell":
		w.tell(pick(), false)
	case "fail":
		w.tell(pick(), true)
	case "repeat tell":
		if len(w.tells) > 0 {
			w.send(rapid.SampledFrom(w.tells).Draw(t, "tell"))
		}
	case "repeat ask":
		if len(w.asks) > 0 {
			req := rapid.SampledFrom(w.asks).Draw(t, "ask")
			n := len(w.events)
			if _, err := w.do(func(s *State, now time.Time) (any, []Event, error) {
				r, ev, err := s.Ask(now, req.AskRequest)
				return r, ev, err
			}); err == nil && req.got == protocol.AskWork && len(w.events) > n {
				t.Fatalf("an ask that had got work did something again")
			}
		}
	case "heartbeat":
		if n := w.state.trials.Len(); n > 0 {
			req := protocol.HeartbeatRequest{Study: "s", Trial: rapid.IntRange(0, n-1).Draw(t, "trial"), Attempt: rapid.IntRange(0, 2).Draw(t, "attempt")}
			_, _ = w.do(func(s *State, now time.Time) (any, []Event, error) {
				r, ev, err := s.Heartbeat(now, req)
				return r, ev, err
			})
		}
	case "advance":
		w.now = w.now.Add(time.Duration(rapid.IntRange(1, 150).Draw(t, "seconds")) * time.Second)
	case "check":
		w.check(stage)
	case "die":
		i := rapid.IntRange(0, len(w.alive)).Draw(t, "slot")
		if i == len(w.alive) {
			return
		}
		name := w.alive[i].name
		w.alive = append(w.alive[:i:i], w.alive[i+1:]...)
		if rapid.Bool().Draw(t, "noticed") {
			cause := rapid.SampledFrom([]protocol.FailureKind{protocol.FailedCrash, protocol.FailedInterrupted}).Draw(t, "cause")
			_, _ = w.do(func(s *State, now time.Time) (any, []Event, error) {
				r, ev, err := s.ReleaseSlot(now, protocol.ReleaseSlotRequest{Study: "s", Slot: name, Cause: cause})
				return r, ev, err
			})
		}
	case "join":
		w.slots++
		w.alive = append(w.alive, &worker{name: fmt.Sprintf("slot-%d", w.slots)})
	case "restore":
		s, err := Restore([]byte(w.snapshot()))
		if err != nil {
			t.Fatal(err)
		}
		w.state = s
	case "stop":
		_, err := w.do(func(s *State, now time.Time) (any, []Event, error) {
			r, ev, err := s.Stop(now, protocol.StopRequest{Study: "s", Reason: StoppedByUser})
			return r, ev, err
		})
		if err != nil || w.state.Stopped() == "" {
			t.Fatalf("stop: stopped %q, error %v", w.state.Stopped(), err)
		}
	case "resume":
		budget := w.state.SpentDollars() + float64(rapid.IntRange(-2, 6).Draw(t, "budget"))
		w.resume(budget)
	case "nonsense":
		req := protocol.TellRequest{Study: "s", Trial: rapid.IntRange(-1, 5).Draw(t, "trial"),
			Attempt: rapid.IntRange(-1, 3).Draw(t, "attempt"), Rung: rapid.IntRange(-1, 3).Draw(t, "rung")}
		events := len(w.events)
		w.send(req)
		if len(w.events) > events {
			t.Fatalf("an empty tell changed something")
		}
	}
}

func (w *world) ask(sl *worker, stage protocol.Stage) protocol.AskReply {
	sl.token++
	req := protocol.AskRequest{Study: "s", Stage: stage, Slot: sl.name, Token: sl.token}
	reply, err := w.do(func(s *State, now time.Time) (any, []Event, error) {
		r, ev, err := s.Ask(now, req)
		return r, ev, err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	r := reply.(protocol.AskReply)
	sl.work = r.Work
	w.asks = append(w.asks, ask{req, r.Kind})
	return r
}

// resume lets the study go on with a budget, which is refused if it is already spent.
func (w *world) resume(budget float64) {
	spent, was := w.state.SpentDollars(), w.state.Stopped()
	_, err := w.do(func(s *State, now time.Time) (any, []Event, error) {
		r, ev, err := s.Resume(now, protocol.ResumeRequest{Study: "s", BudgetDollars: &budget})
		return r, ev, err
	})
	switch {
	case (err != nil) != (budget < 0 || spent >= budget):
		w.t.Fatalf("resume with %v dollars after %v: %v", budget, spent, err)
	case err != nil && w.state.Stopped() != was, err == nil && w.state.Stopped() != "":
		w.t.Fatalf("resume: error %v, stopped %q, was %q", err, w.state.Stopped(), was)
	}
}

// tell reports what the slot works on, with epochs as a trainer would make them.
func (w *world) tell(sl *worker, fail bool) {
	if sl.work == nil {
		return
	}
	work := sl.work
	req := protocol.TellRequest{Study: "s", Trial: work.Trial, Attempt: work.Attempt, Rung: work.Rung}
	req.Outcome.CostSeconds = 1
	if fail {
		kind := rapid.SampledFrom([]protocol.FailureKind{protocol.FailedOOM, protocol.FailedCrash, protocol.FailedInterrupted}).Draw(w.t, "kind")
		req.Outcome.Failed = &protocol.Failure{Kind: kind, Message: "m"}
	} else {
		t, _ := w.state.Trial(work.Trial)
		p := w.state.planOf(&t)
		for i, seed := range work.Seeds {
			best := SeedBest{Seed: seed}
			if len(t.Seeds) > 0 {
				best = t.Seeds[i]
			}
			for epoch := work.FromEpoch + 1; epoch <= work.ToEpoch && !best.Stopped(p.patience); epoch++ {
				f1 := float64(rapid.IntRange(0, 10).Draw(w.t, "f1")) / 10
				ece := float64(rapid.IntRange(0, 10).Draw(w.t, "ece")) / 10
				best = best.Seen(epoch, f1, ece)
				req.Outcome.Epochs = append(req.Outcome.Epochs, epochOf(seed, epoch, f1, ece))
			}
		}
		if work.Fold != nil {
			req.Outcome.Baseline = &protocol.Baseline{MajorityF1Macro: 0.4, UntrainedF1Macro: 0.3}
		}
	}
	sl.work = nil
	w.tells = append(w.tells, req)
	if reply, ok := w.send(req); ok && reply.Kind == protocol.TellContinue {
		more := *work
		more.Rung, more.FromEpoch, more.ToEpoch = reply.Rung, reply.FromEpoch, reply.ToEpoch
		sl.work = &more
	}
}

// send sends a tell and checks that what was answered once is answered so again.
func (w *world) send(req protocol.TellRequest) (protocol.TellReply, bool) {
	owned := false
	if t, ok := w.state.Trial(req.Trial); ok {
		owned = t.owns(req.Attempt)
	}
	key := fmt.Sprint(req.Trial, req.Attempt, req.Rung)
	events := len(w.events)
	reply, err := w.do(func(s *State, now time.Time) (any, []Event, error) {
		r, ev, err := s.Tell(now, req)
		return r, ev, err
	})
	got := answerText(reply, err)
	changed := len(w.events) > events
	if first, ok := w.told[key]; ok && first != got {
		w.t.Fatalf("tell %s was answered %s, now %s", key, first, got)
	}
	if changed && !owned {
		w.t.Fatalf("tell %s changed something without the lease", key)
	}
	if changed {
		w.told[key] = got
	}
	r, ok := reply.(protocol.TellReply)
	return r, ok && err == nil
}

func (w *world) check(stage protocol.Stage) protocol.CheckReply {
	reply, err := w.do(func(s *State, now time.Time) (any, []Event, error) {
		r, ev, err := s.Check(now, protocol.StageRequest{Study: "s", Stage: stage})
		return r, ev, err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return reply.(protocol.CheckReply)
}

// drain lets one honest slot finish the stage, after everybody else went silent. What is
// left of the budget may end it once more.
func (w *world) drain(stage protocol.Stage) {
	w.slots++
	honest := &worker{name: fmt.Sprintf("slot-%d", w.slots)}
	for range 200 {
		switch w.ask(honest, stage).Kind {
		case protocol.AskDone:
			if w.state.Stopped() != "" {
				w.checkStopped(stage)
				w.resume(w.state.SpentDollars() + 20)
				continue
			}
			if !w.check(stage).Done {
				w.t.Fatalf("stage %s gives no work and is not done", stage)
			}
			w.alive = nil
			return
		case protocol.AskWait:
			w.now = w.now.Add(121 * time.Second)
		case protocol.AskWork:
			for honest.work != nil {
				w.tell(honest, false)
			}
		}
	}
	w.t.Fatalf("stage %s does not drain: %+v", stage, w.state.Counts(stage))
}

// checkStopped drains a stopped stage. Only the last one may then be done.
func (w *world) checkStopped(stage protocol.Stage) {
	reply := w.check(stage)
	if reply.Draining {
		w.now = w.now.Add(121 * time.Second)
		reply = w.check(stage)
	}
	if (reply.Stopped != "") == reply.Done || reply.Done && stage != protocol.StageC || reply.Draining || reply.Counts.Running > 0 {
		w.t.Fatalf("stage %s of a stopped study: %+v", stage, reply)
	}
}
