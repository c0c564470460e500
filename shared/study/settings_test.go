package study

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/supermax-hpo/supermax/shared/asha"
	"github.com/supermax-hpo/supermax/shared/protocol"
	"github.com/supermax-hpo/supermax/shared/space"
)

func TestSettingsFaultsNameTheirField(t *testing.T) {
	cases := []struct {
		change func(*Settings)
		want   string
	}{
		{func(s *Settings) { s.Study = "a/b" }, `study: "a/b" is not allowed`},
		{func(s *Settings) { s.Study = "" }, `study: "" is not allowed`},
		{func(s *Settings) { s.Study = ".." }, `study: ".." is not allowed`},
		{func(s *Settings) { s.Space = nil }, "space: an empty space"},
		{func(s *Settings) { s.Space = &space.Space{Params: []space.Param{{Name: "x"}}} }, "space: x"},
		{func(s *Settings) { s.A.Trials = 0 }, "a.trials: 0"},
		{func(s *Settings) { s.A.Rungs = Rungs{4, 2, 3} }, "a.rungs: {4 2 3}"},
		{func(s *Settings) { s.A.Seeds = nil }, "a.seeds: []"},
		{func(s *Settings) { s.B.Seeds = []int64{1, 2, 1} }, "b.seeds: [1 2 1]"},
		{func(s *Settings) { s.B.Patience = -1 }, "b.patience: -1"},
		{func(s *Settings) { s.B.Sampler = "annealing" }, `b.sampler: "annealing" is not allowed; allowed: tpe, nsga2, random, quasi-random, grid`},
		{func(s *Settings) { s.A.Sampler = "grid" }, `a.sampler: "grid" is not allowed; allowed: another one, as sampler "grid" needs a step for optim.lr`},
		{func(s *Settings) { s.B.Enqueue = 7 }, "b.enqueue: 7 is not allowed; allowed: 0 to 6"},
		{func(s *Settings) { s.A.Enqueue = 1 }, "a.enqueue: 1"},
		{func(s *Settings) { s.C.Candidates = 0 }, "c.candidates: 0"},
		{func(s *Settings) { s.C.Folds = 1 }, "c.folds: 1"},
		{func(s *Settings) { s.C.Epochs = 0 }, "c.epochs: 0"},
		{func(s *Settings) { s.C.Patience = -2 }, "c.patience: -2"},
		{func(s *Settings) { s.C.Seeds = []int64{} }, "c.seeds: []"},
		{func(s *Settings) { s.LeaseSeconds = -1 }, "lease_seconds: -1"},
		{func(s *Settings) { s.LeaseSeconds = math.NaN() }, "lease_seconds: NaN"},
		{func(s *Settings) { s.RetrySeconds = math.Inf(1) }, "retry_seconds: +Inf"},
		{func(s *Settings) { s.HeartbeatSeconds = 120 }, "heartbeat_seconds: 120 is not allowed; allowed: less than lease_seconds, which is 120"},
		{func(s *Settings) { s.MaxRequeues = -1 }, "max_requeues: -1"},
		{func(s *Settings) { s.A.Objective = "accuracy" }, `a.objective: "accuracy" is not allowed; allowed: f1_macro, f1_per_dollar`},
		{func(s *Settings) { s.A.Objective = ObjectiveF1PerDollar }, "a.objective: f1_per_dollar is not allowed; allowed: f1_macro, as price_per_hour is 0 or missing"},
		{func(s *Settings) { s.B.Objective = ObjectiveF1 }, `b.objective: "f1_macro" is not allowed`},
		{func(s *Settings) { s.A.Limits.ECE = -0.1 }, "a.limits.ece: -0.1"},
		{func(s *Settings) { s.B.Limits.SecondsPerEpoch = math.Inf(1) }, "b.limits.seconds_per_epoch: +Inf"},
		{func(s *Settings) { s.B.Limits.PeakMemoryGB = math.NaN() }, "b.limits.peak_memory_gb: NaN"},
		{func(s *Settings) { s.A.CostWeight = 1 }, "a.cost_weight: 1 is not allowed; allowed: 0 with any other sampler than tpe"},
		{func(s *Settings) { s.B.Sampler, s.B.CostWeight = "tpe", -1 }, "b.cost_weight: -1"},
		{func(s *Settings) { s.B.Sampler, s.B.CostWeight = "tpe", 1 }, "b.cost_weight: 1 is not allowed; allowed: 0 in a space with none of model.name"},
	}
	for _, c := range cases {
		settings := testSettings()
		c.change(&settings)
		_, events, err := New(testStart, settings)
		var refused *Error
		if !errors.As(err, &refused) || refused.Code != protocol.CodeInvalid || !strings.Contains(err.Error(), c.want) || events != nil {
			t.Errorf("got %v, want an invalid error with %q", err, c.want)
		}
	}
}

func TestSettingsFaultsComeTogether(t *testing.T) {
	settings := testSettings()
	settings.A.Trials, settings.C.Folds = 0, 0
	_, _, err := New(testStart, settings)
	if err == nil || !strings.Contains(err.Error(), "a.trials") || !strings.Contains(err.Error(), "c.folds") {
		t.Errorf("got %v, want both faults", err)
	}
}

func TestSettingsDefaults(t *testing.T) {
	s, _, err := New(testStart, testSettings())
	if err != nil {
		t.Fatal(err)
	}
	got := s.Settings()
	want := testSettings()
	want.A.Objective, want.A.Scheduler.Kind, want.B.Scheduler.Kind = ObjectiveF1, "asha", "asha"
	want.LeaseSeconds, want.HeartbeatSeconds, want.RetrySeconds, want.MaxRequeues = 120, 30, 2, 3
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(space.Value{})); diff != "" {
		t.Error(diff)
	}
}

// The stages of the design: rungs 2, 6, 18, 20 and 3, 9, 27, 30.
func TestRungsOfTheStages(t *testing.T) {
	settings := testSettings()
	settings.A.Rungs, settings.B.Rungs, settings.C.Epochs = Rungs{2, 20, 3}, Rungs{3, 30, 3}, 40
	s, _, err := New(testStart, settings)
	if err != nil {
		t.Fatal(err)
	}
	for stage, want := range map[protocol.Stage]asha.Rungs{"A": {2, 6, 18, 20}, "B": {3, 9, 27, 30}, "C": {40}, "D": nil} {
		if diff := cmp.Diff(want, s.Rungs(stage)); diff != "" {
			t.Errorf("stage %s: %s", stage, diff)
		}
	}
}

func TestSeedBest(t *testing.T) {
	cases := []struct {
		name     string
		f1       []float64
		patience int
		best     int
		stops    int // after which epoch, 0: never
	}{
		{"rising", []float64{0.1, 0.2, 0.3, 0.4}, 1, 4, 0},
		{"equal is not better", []float64{0.5, 0.5, 0.5}, 2, 1, 3},
		{"better again resets", []float64{0.5, 0.4, 0.6, 0.5, 0.5}, 2, 3, 5},
		{"no patience never stops", []float64{0.5, 0.1, 0.1, 0.1}, 0, 1, 0},
		{"zero is a value", []float64{0, 0}, 1, 1, 2},
	}
	for _, c := range cases {
		b, stops := SeedBest{Seed: 1}, 0
		for i, f1 := range c.f1 {
			b = b.Seen(i+1, f1, f1/2)
			if b.Stopped(c.patience) && stops == 0 {
				stops = i + 1
			}
		}
		want := SeedBest{Seed: 1, Last: len(c.f1), Epoch: c.best, F1Macro: c.f1[c.best-1], ECE: c.f1[c.best-1] / 2}
		if diff := cmp.Diff(want, b, cmp.AllowUnexported(SeedBest{})); diff != "" || stops != c.stops {
			t.Errorf("%s: stops after %d, want %d; %s", c.name, stops, c.stops, diff)
		}
	}
}
