package study

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/supermax-hpo/supermax/shared/protocol"
)

// TestRandomStudies lets slots that die, repeat themselves, speak late and out of order
// walk whole studies. After every command it checks that a trial has one lease at most and
// a slot holds one at most, that each trial and rung was accepted at most once, that no
// more trials were started than the limit, and that the command changed nothing by itself.
// Every study must drain; and from any point of its log on, the same commands must give
// the same events and answers.
func TestRandomStudies(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t)
		for _, stage := range stages {
			w.do(func(s *State, now time.Time) (any, []Event, error) {
				r, ev, err := s.Plan(now, protocol.StageRequest{Study: "s", Stage: stage})
				return r, ev, err
			})
			for range rapid.IntRange(0, 25).Draw(t, "steps") {
				w.step(stage)
			}
			w.drain(stage)
			_, err := w.do(func(s *State, now time.Time) (any, []Event, error) {
				r, ev, err := s.Promote(now, protocol.StageRequest{Study: "s", Stage: stage})
				return r, ev, err
			})
			if err != nil { // every trial failed: that is the end, and the only reason
				if w.state.Open(stage) && len(w.state.Best(stage)) > 0 {
					t.Fatalf("promote stage %s: %v", stage, err)
				}
				w.replay()
				return
			}
		}
		if _, err := w.do(func(s *State, now time.Time) (any, []Event, error) {
			r, ev, err := s.Finish(now, protocol.StudyRequest{Study: "s"})
			return r, ev, err
		}); err != nil {
			t.Fatal(err)
		}
		c, ok := w.state.Chosen()
		if !ok || c.Failed || c.Value == nil {
			t.Fatalf("chosen %v, %+v", ok, c)
		}
		w.replay()
	})
}

// command is one call on a study at a time.
type command func(s *State, now time.Time) (reply any, events []Event, err error)

// call is a command that was made, and what came of it.
type call struct {
	command command
	at      time.Time
	before  int // events before it
	events  []Event
	answer  string
}

// world is a study and what its slots know of it.
type world struct {
	t      *rapid.T
	state  *State
	now    time.Time
	calls  []call
	events []Event
	slots  int // names given so far
	alive  []*worker
	tells  []protocol.TellRequest // every one that was ever sent
	asks   []protocol.AskRequest
	told   map[string]string // the answer to each accepted tell
}

// worker is one slot as it sees itself.
type worker struct {
	name  string
	token int64
	work  *protocol.Work
}

func newWorld(t *rapid.T) *world {
	settings := testSettings()
	settings.A.Trials = rapid.IntRange(1, 8).Draw(t, "trials of A")
	settings.B.Trials = rapid.IntRange(2, 6).Draw(t, "trials of B")
	settings.A.Rungs, settings.B.Rungs = Rungs{1, 4, 2}, Rungs{1, 2, 2}
	settings.A.Seeds = []int64{1, 2}
	settings.A.Patience = rapid.IntRange(0, 2).Draw(t, "patience")
	settings.B.Sampler = rapid.SampledFrom([]string{"random", "nsga2", "tpe"}).Draw(t, "sampler")
	settings.MaxRequeues = 2
	s, events, err := New(testStart, settings)
	if err != nil {
		t.Fatal(err)
	}
	return &world{t: t, state: s, now: testStart, events: events, told: make(map[string]string)}
}

// do runs a command, checks that it changed nothing, and applies its events.
func (w *world) do(c command) (any, error) {
	before := w.snapshot()
	reply, events, err := c(w.state, w.now)
	if after := w.snapshot(); before != after {
		w.t.Fatalf("the command changed the state:\n%s", cmp.Diff(before, after))
	}
	if err != nil && len(events) > 0 {
		w.t.Fatalf("refused (%v) with events %v", err, events)
	}
	w.calls = append(w.calls, call{c, w.now, len(w.events), events, answerText(reply, err)})
	for _, e := range events {
		if err := w.state.Apply(e); err != nil {
			w.t.Fatal(err)
		}
	}
	w.events = append(w.events, events...)
	w.invariants()
	return reply, err
}

func answerText(reply any, err error) string {
	data, jsonErr := json.Marshal(reply)
	return fmt.Sprint(string(data), err, jsonErr)
}

func (w *world) snapshot() string {
	data, err := w.state.Snapshot()
	if err != nil {
		w.t.Fatal(err)
	}
	return string(data)
}

func (w *world) invariants() {
	accepted := make(map[[2]int]int)
	for _, e := range w.events {
		if e.Type == EventReported {
			accepted[[2]int{e.Trial, e.Rung}]++
		}
	}
	for at, n := range accepted {
		if n > 1 {
			w.t.Fatalf("trial %d, rung %d was accepted %d times", at[0], at[1], n)
		}
	}
	for _, stage := range stages {
		leases := make(map[string]int)
		for _, t := range w.state.Trials(stage) {
			if (t.Lease != nil) != (t.State == Running) {
				w.t.Fatalf("trial %d is %s with lease %v", t.Number, t.State, t.Lease)
			}
			if t.Lease != nil {
				leases[t.Lease.Slot]++
			}
		}
		for slot, n := range leases {
			if n > 1 {
				w.t.Fatalf("slot %s holds %d leases", slot, n)
			}
		}
		c := w.state.Counts(stage)
		if n := c.Queued + c.Running + c.Paused + c.Completed + c.Failed; n > c.Limit {
			w.t.Fatalf("stage %s has %d trials, its limit is %d", stage, n, c.Limit)
		}
	}
}

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
		"advance", "check", "die", "join", "restore", "nonsense"}).Draw(t, "what") {
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
			n := len(w.state.trials)
			if _, err := w.do(func(s *State, now time.Time) (any, []Event, error) {
				r, ev, err := s.Ask(now, req)
				return r, ev, err
			}); err == nil && len(w.state.trials) > n {
				t.Fatalf("a repeated ask created a trial")
			}
		}
	case "heartbeat":
		if n := len(w.state.trials); n > 0 {
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
	w.asks = append(w.asks, req)
	reply, err := w.do(func(s *State, now time.Time) (any, []Event, error) {
		r, ev, err := s.Ask(now, req)
		return r, ev, err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	r := reply.(protocol.AskReply)
	sl.work = r.Work
	return r
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

// drain lets one honest slot finish the stage, after everybody else went silent.
func (w *world) drain(stage protocol.Stage) {
	w.slots++
	honest := &worker{name: fmt.Sprintf("slot-%d", w.slots)}
	for range 200 {
		switch w.ask(honest, stage).Kind {
		case protocol.AskDone:
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

// replay folds the log up to a random call, and makes the calls from there on again.
func (w *world) replay() {
	first := rapid.IntRange(0, len(w.calls)-1).Draw(w.t, "replay from")
	s, err := fold(w.events[:w.calls[first].before])
	if err != nil {
		w.t.Fatal(err)
	}
	for _, c := range w.calls[first:] {
		reply, events, err := c.command(s, c.at)
		if diff := cmp.Diff(eventText(w.t, c.events), eventText(w.t, events)); diff != "" {
			w.t.Fatalf("replayed events differ:\n%s", diff)
		}
		if got := answerText(reply, err); got != c.answer {
			w.t.Fatalf("replayed answer %s, first %s", got, c.answer)
		}
		for _, e := range events {
			if err := s.Apply(e); err != nil {
				w.t.Fatal(err)
			}
		}
	}
	data, err := s.Snapshot()
	if err != nil || string(data) != w.snapshot() {
		w.t.Fatalf("the replayed state differs (error %v):\n%s", err, cmp.Diff(w.snapshot(), string(data)))
	}
}

func eventText(t *rapid.T, events []Event) string {
	data, err := json.Marshal(append([]Event{}, events...))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
