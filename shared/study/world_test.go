package study

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/supermax-hpo/supermax/shared/asha"
	"github.com/supermax-hpo/supermax/shared/protocol"
)

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
	asks   []ask
	told   map[string]string // the answer to each accepted tell
}

// ask is an ask that was sent, and the kind of its first answer.
type ask struct {
	protocol.AskRequest
	got protocol.AskKind
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
	settings.A.Limits.ECE = rapid.SampledFrom([]float64{0, 0.5}).Draw(t, "limit of ECE in A")
	settings.B.Limits.ECE = rapid.SampledFrom([]float64{0, 0.8}).Draw(t, "limit of ECE in B")
	settings.A.Objective = rapid.SampledFrom([]string{ObjectiveF1, ObjectiveF1PerDollar}).Draw(t, "objective")
	settings.A.Scheduler = rapid.SampledFrom([]asha.Options{
		{}, {}, {Kind: asha.KindASHA, MinEarlyStoppingRate: 1, Bootstrap: 2}, {Kind: asha.KindStopping}, {Kind: asha.KindStopping, Bootstrap: 1},
		{Kind: asha.KindHyperband}, {Kind: asha.KindMedian}, {Kind: asha.KindPercentile, Percentile: 40, StartupTrials: 1, WarmupEpochs: 2}, {Kind: asha.KindNone},
	}).Draw(t, "scheduler of A")
	settings.B.Scheduler.Kind = rapid.SampledFrom([]string{"", asha.KindASHA, asha.KindStopping, asha.KindHyperband, asha.KindNone}).Draw(t, "scheduler of B")
	settings.A.Budget.Epochs = rapid.SampledFrom([]int{0, 0, 8, 20}).Draw(t, "epochs of A")
	settings.A.Budget.Dollars = rapid.SampledFrom([]float64{0, 0, 12}).Draw(t, "dollars of A")
	settings.B.Budget.GPUHours = rapid.SampledFrom([]float64{0, 0, 0.001}).Draw(t, "hours of B")
	settings.MaxRequeues = 2
	settings.PricePerHour = 3600 // a dollar a second
	s, events, err := New(testStart, settings)
	if err != nil {
		t.Fatal(err)
	}
	return &world{t: t, state: s, now: testStart, events: events, told: make(map[string]string)}
}

// do runs a command, checks that it changed nothing, and applies its events.
func (w *world) do(c command) (any, error) {
	before := w.snapshot()
	if rapid.IntRange(0, 3).Draw(w.t, "lost race") == 0 {
		w.loseRace(c)
	}
	reply, events, err := c(w.state, w.now)
	if after := w.snapshot(); before != after {
		w.t.Fatalf("the command changed the state:\n%s", cmp.Diff(before, after))
	}
	if err != nil && len(events) > 0 {
		w.t.Fatalf("refused (%v) with events %v", err, events)
	}
	w.gaveNothingOutWhileStopped(events)
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

// loseRace makes the command and another ask on a copy whose events nobody keeps.
func (w *world) loseRace(c command) {
	s := w.state.Clone()
	ask := func(s *State, now time.Time) (any, []Event, error) {
		return s.Ask(now, protocol.AskRequest{Study: "s", Stage: s.Stage(), Slot: "rival", Token: 1})
	}
	for _, c := range []command{c, ask} {
		_, events, err := c(s, w.now)
		for _, e := range events {
			if applyErr := s.Apply(e); err != nil || applyErr != nil {
				w.t.Fatal(err, applyErr)
			}
		}
	}
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

// gaveNothingOutWhileStopped checks a command's events before they are applied.
func (w *world) gaveNothingOutWhileStopped(events []Event) {
	stopped := w.state.Stopped() != ""
	for _, e := range events {
		if stopped && (e.Type == EventLeased || e.Type == EventTrialCreated || e.Type == EventPromoted && e.Slot != "") {
			w.t.Fatalf("a stopped study: %+v", e)
		}
		stopped = (stopped || e.Type == EventStopped) && e.Type != EventResumed
	}
}

func (w *world) invariants() {
	if diff := indexDiff(w.state); diff != "" {
		w.t.Fatalf("the index is not that of its trials:\n%s", diff)
	}
	spent := 0.0
	for _, stage := range stages {
		spent += w.state.CostSeconds(stage)
	}
	if got := w.state.SpentDollars(); got != spent { // small whole numbers: exact in any order
		w.t.Fatalf("%v dollars are spent, the trials cost %v seconds", got, spent)
	}
	if budget, ok := w.state.BudgetDollars(); ok && spent >= budget && w.state.Stopped() == "" {
		w.t.Fatalf("%v of %v dollars are spent and the study goes on", spent, budget)
	}
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
	for i, stage := range stages {
		if b, x := w.state.plans[i].budget.Epochs, w.state.indexes[i].spent; b > 0 && x.trained+x.leased > b {
			w.t.Fatalf("stage %s has trained %d epochs, leased %d and may have %d", stage, x.trained, x.leased, b)
		}
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

// prefixes makes every call again on what a snapshot of the events before it is read as.
func (w *world) prefixes() {
	folded, at := new(State), 0
	for _, c := range w.calls {
		for ; at < c.before; at++ {
			if err := folded.Apply(w.events[at]); err != nil {
				w.t.Fatal(err)
			}
		}
		data, err := folded.Snapshot()
		if err != nil {
			w.t.Fatal(err)
		}
		s, err := Restore(data)
		if err != nil {
			w.t.Fatal(err)
		}
		reply, events, err := c.command(s, c.at)
		if diff := cmp.Diff(eventText(w.t, c.events), eventText(w.t, events)); diff != "" {
			w.t.Fatalf("after %d events, the events differ:\n%s", c.before, diff)
		}
		if got := answerText(reply, err); got != c.answer {
			w.t.Fatalf("after %d events the answer is %s, was %s", c.before, got, c.answer)
		}
	}
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
	if rapid.IntRange(0, 3).Draw(w.t, "every prefix") == 0 { // in one study of four, as it takes long
		w.prefixes()
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
