package study

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/supermax-hpo/supermax/shared/asha"
	"github.com/supermax-hpo/supermax/shared/protocol"
	"github.com/supermax-hpo/supermax/shared/sampler"
	"github.com/supermax-hpo/supermax/shared/space"
)

// A report may read a view while the study goes on.
func TestViewsAreNotChangedByLaterEvents(t *testing.T) {
	settings := testSettings()
	settings.A.Trials = 30
	m := newSimulation(t, settings)
	m.run("A")
	text := func(trials []Trial) string {
		data, err := json.Marshal(trials)
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	var views [][]Trial
	var texts []string
	s := new(State)
	for _, e := range m.events {
		if err := s.Apply(e); err != nil {
			t.Fatal(err)
		}
		views = append(views, s.Trials("A"))
		texts = append(texts, text(s.Trials("A")))
	}
	for i, view := range views {
		if diff := cmp.Diff(texts[i], text(view)); diff != "" {
			t.Fatalf("the view after event %d (%s) changed later:\n%s", i, m.events[i].Type, diff)
		}
	}
}

func TestTrialAsTheSamplerSeesIt(t *testing.T) {
	rungs, err := asha.NewScheduler(asha.Options{Kind: asha.KindASHA, Directions: dirsB, First: 1, Last: 3, Factor: 3})
	if err != nil {
		t.Fatal(err)
	}
	p := plan{scheduler: rungs, dirs: dirsB}
	one := []Report{{ToEpoch: 1, Value: Value{F1Macro: 0.5, ECE: 0.1}}}
	two := append(slices.Clone(one), Report{Rung: 1, ToEpoch: 3, Value: Value{F1Macro: 0.6, ECE: 0.2}})
	cases := []struct {
		name  string
		trial Trial
		state sampler.State
		rung  int
	}{
		{"enqueued", Trial{State: Queued}, sampler.Running, -1},
		{"running", Trial{State: Running}, sampler.Running, -1},
		{"promoted", Trial{State: Running, Rung: 1, Reports: one}, sampler.Running, 1},
		{"paused", Trial{State: Paused, Reports: one}, sampler.Paused, 1},
		{"stopped early", Trial{State: Completed, Reports: one}, sampler.Paused, 1},
		{"completed", Trial{State: Completed, Rung: 1, Reports: two}, sampler.Completed, 3},
		{"failed", Trial{State: Failed, Rung: 1, Reports: one}, sampler.Failed, 1},
	}
	for _, c := range cases {
		o := c.trial.observed(p)
		if o.State != c.state || o.Rung != c.rung {
			t.Errorf("%s: got %+v", c.name, o)
		}
	}
}

// The same parameters twice are confirmed once.
func TestHandedOnTrialsDiffer(t *testing.T) {
	settings := testSettings()
	settings.A.Trials, settings.A.Rungs = 3, Rungs{1, 1, 2}
	m := newSimulation(t, settings)
	_, events, err := m.state.Plan(testStart, protocol.StageRequest{Study: "s", Stage: "A"})
	m.take(events, err)
	for n, lr := range []float64{1e-4, 1e-4, 1e-3} {
		e := Event{Type: EventTrialCreated, Stage: "A", Trial: n,
			Params: space.Assignment{"optim.lr": space.Float(lr), "head.pooling": space.String("cls")}}
		m.take([]Event{e}, nil)
		reply, events, err := m.state.Ask(testStart, protocol.AskRequest{Study: "s", Stage: "A", Slot: "x", Token: int64(n + 1)})
		m.take(events, err)
		m.train(*reply.Work)
	}
	reply, events, err := m.state.Promote(testStart, protocol.StageRequest{Study: "s", Stage: "A"})
	m.take(events, err)
	if diff := cmp.Diff([]int{0, 2}, reply.Trials); diff != "" {
		t.Errorf("handed on: %s", diff)
	}
}

func TestViewsOfAnUnknownStageAreEmpty(t *testing.T) {
	s := midway(t)
	if s.Open("D") || s.Trials("D") != nil || s.Best("D") != nil || s.Pareto("D") != nil || s.Accepted("D") != nil ||
		s.CostSeconds("D") != 0 || s.Counts("D") != (protocol.Counts{}) || s.Closed("D") {
		t.Error("a view of stage D is not empty")
	}
	if _, ok := s.Trial(99); ok {
		t.Error("trial 99 exists")
	}
}
