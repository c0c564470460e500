package simulate

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/supermax-hpo/supermax/configs"
	"github.com/supermax-hpo/supermax/shared/asha"
	"github.com/supermax-hpo/supermax/shared/functions"
	"github.com/supermax-hpo/supermax/shared/protocol"
	"github.com/supermax-hpo/supermax/shared/space"
	"github.com/supermax-hpo/supermax/shared/study"
)

// wholeSpace is the space of configs/space.yaml.
func wholeSpace(t testing.TB) *space.Space {
	t.Helper()
	s, err := space.Parse("space.yaml", configs.Space)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// middling are options for a study of the design's shape, a tenth of its size, in a world
// where everything goes wrong now and then.
func middling(t testing.TB) Options {
	return Options{
		Settings: study.Settings{
			Study: "s", Agent: "criteria", Seed: 2025, Space: wholeSpace(t), PricePerHour: 0.5, RetrySeconds: 10,
			A: study.SearchStage{Trials: 100, Rungs: study.Rungs{Min: 2, Max: 20, Factor: 3}, Seeds: []int64{1, 2, 3}, Patience: 5, Sampler: "random"},
			B: study.SearchStage{Trials: 60, Rungs: study.Rungs{Min: 3, Max: 30, Factor: 3}, Seeds: []int64{1, 2}, Patience: 8, Sampler: "random", Enqueue: 20},
			C: study.ConfirmStage{Candidates: 4, Folds: 3, Seeds: []int64{1, 2}, Epochs: 40, Patience: 10},
		},
		Model: FineTuning{}, Slots: 16, Seed: 1, StartSeconds: 180,
		Faults: Faults{InterruptionsPerHour: 0.5, SlowShare: 0.2, OOMShare: 0.03, NaNShare: 0.05, CrashShare: 0.02},
	}
}

func mustRun(t testing.TB, o Options) *Result {
	t.Helper()
	r, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// audit follows a study's events and finds what must never happen.
type audit struct {
	t        *testing.T
	w        *world
	promoted map[[2]int]bool
	reported map[[2]int]bool
	lost     int
}

func (a *audit) see(e study.Event) {
	at := [2]int{e.Trial, e.Rung}
	switch e.Type {
	case study.EventPromoted, study.EventCarried:
		if a.promoted[at] {
			a.t.Errorf("trial %d was promoted to rung %d twice", e.Trial, e.Rung)
		}
		if a.promoted[at] = true; !a.reported[[2]int{e.Trial, e.Rung - 1}] {
			a.t.Errorf("trial %d was promoted to rung %d without a result below", e.Trial, e.Rung)
		}
		a.reported[at] = a.reported[at] || e.Type == study.EventCarried
	case study.EventReported:
		if a.reported[at] {
			a.t.Errorf("trial %d reported rung %d twice", e.Trial, e.Rung)
		}
		a.reported[at] = true
	case study.EventLost:
		a.lost++
	}
}

// TestNothingIsLost runs a study in a bad world and accounts for everything: every trial
// that was started ends, none is promoted or reports twice, and slots wait only while no
// trial could be given to them.
func TestNothingIsLost(t *testing.T) {
	for seed := range uint64(3) {
		o := middling(t)
		o.Seed = seed
		w, err := newWorld(o)
		if err != nil {
			t.Fatal(err)
		}
		a := &audit{t: t, w: w, promoted: map[[2]int]bool{}, reported: map[[2]int]bool{}}
		w.watch = a.see
		waits := 0
		w.waited = func() {
			waits++
			c := w.state.Counts(w.stage)
			if started := c.Queued + c.Running + c.Paused + c.Completed + c.Failed; c.Queued > 0 || started < c.Limit {
				t.Errorf("at %v a slot waits though stage %s has work: %+v", w.now, w.stage, c)
			}
		}
		r, err := w.run(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if len(r.Stages) != 3 || r.Chosen == nil || r.Stopped != "" {
			t.Fatalf("the study ended early: %+v", r)
		}
		interruptions, crashes, failed := 0, 0, 0
		for i, s := range r.Stages {
			c := w.state.Counts(s.Stage)
			if want := [...]int{100, 60, 12}[i]; s.Trials != want || c.Running+c.Queued != 0 || s.Completed+s.Paused+s.Failed != want {
				t.Errorf("stage %s: %d trials, want %d; counts %+v", s.Stage, s.Trials, want, c)
			}
			if s.Rungs[0].Trials != s.Trials-s.Failed {
				t.Errorf("stage %s: %d of %d trials that did not fail have a result", s.Stage, s.Rungs[0].Trials, s.Trials-s.Failed)
			}
			if parts := s.Work + s.Starting + s.Waiting + s.Lost; math.Abs(parts-s.SlotHours) > 1e-9 || s.SlotHours > s.Hours*float64(o.Slots)+1e-9 {
				t.Errorf("stage %s: slot hours %v, of parts %v, in %v hours of %d slots", s.Stage, s.SlotHours, parts, s.Hours, o.Slots)
			}
			interruptions, crashes, failed = interruptions+s.Interruptions, crashes+s.Crashes, failed+s.Failed
		}
		if interruptions == 0 || crashes == 0 || failed == 0 || waits == 0 || a.lost < crashes || a.lost > crashes+interruptions {
			t.Errorf("%d interruptions, %d crashes, %d failed trials, %d waits, %d lost attempts: too quiet a world, or attempts that vanish", interruptions, crashes, failed, waits, a.lost)
		}
		if n := w.agenda.len(); n > 0 {
			t.Errorf("%d events are left", n)
		}
	}
}

// TestSameSeedSameResult also checks that the seed matters, and that the study's own
// sampler does not see it.
func TestSameSeedSameResult(t *testing.T) {
	o := middling(t)
	o.Settings.A.Sampler = "tpe"
	first := mustRun(t, o)
	if diff := cmp.Diff(first, mustRun(t, o)); diff != "" {
		t.Errorf("the same options gave another result:\n%s", diff)
	}
	o.Seed++
	if cmp.Equal(first.Total, mustRun(t, o).Total) {
		t.Error("another seed gave the same result")
	}
}

// TestFaultsCostTimeNotResults compares a quiet world with one in which Spot takes slots:
// the same trials with the same curves, so that one slot walks the same way.
func TestFaultsCostTimeNotResults(t *testing.T) {
	o := middling(t)
	o.Slots, o.Faults = 1, Faults{}
	quiet := mustRun(t, o)
	o.Faults.InterruptionsPerHour = 1
	taken := mustRun(t, o)
	for i, q := range quiet.Stages {
		s := taken.Stages[i]
		if diff := cmp.Diff(q.Rungs, s.Rungs); diff != "" || q.Best != s.Best || q.Epochs != s.Epochs {
			t.Errorf("stage %s: %d and %d epochs, best %+v and %+v, rungs\n%s", q.Stage, q.Epochs, s.Epochs, q.Best, s.Best, diff)
		}
		if s.Interruptions == 0 || s.Hours <= q.Hours || s.Lost < q.Lost {
			t.Errorf("stage %s: %d interruptions, %v hours and %v lost; in the quiet world %v and %v", s.Stage, s.Interruptions, s.Hours, s.Lost, q.Hours, q.Lost)
		}
	}
	if diff := cmp.Diff(quiet.Chosen, taken.Chosen); diff != "" {
		t.Errorf("another configuration was chosen:\n%s", diff)
	}
}

// TestBillOfOneSlot works out what a slot's time comes to where it can be known: alone, it
// never waits, and three times as slow it takes three times as long but for loading.
func TestBillOfOneSlot(t *testing.T) {
	o := middling(t)
	o.Slots, o.Faults = 1, Faults{}
	a := mustRun(t, o).Stages[0]
	if a.Waiting != 0 || a.IdleShare != 0 || a.Starting != 180.0/3600 {
		t.Errorf("waiting %v, starting %v", a.Waiting, a.Starting)
	}
	if math.Abs(a.SlotHours-a.Hours) > 1e-9 || math.Abs(a.Dollars-0.5*a.SlotHours) > 1e-9 {
		t.Errorf("%v slot hours in %v hours for %v dollars", a.SlotHours, a.Hours, a.Dollars)
	}
	if !(a.InFull.SlotHours > 1.5*a.Work) || !(a.InFull.F1Macro >= a.Best.F1Macro) {
		t.Errorf("with a scheduler %v hours for %v, without %v for %v", a.Work, a.Best.F1Macro, a.InFull.SlotHours, a.InFull.F1Macro)
	}
	slow := o
	slow.Faults = Faults{SlowShare: 1, SlowFactor: 3}
	load := float64(a.Asks-1) * loadSeconds / 3600 // the last ask got none
	if s := mustRun(t, slow).Stages[0]; math.Abs(s.Work+s.Lost-load-3*(a.Work+a.Lost-load)) > 1e-6 {
		t.Errorf("three times as slow, the slot worked %v hours and lost %v, else %v and %v", s.Work, s.Lost, a.Work, a.Lost)
	}
}

func TestBudgetStops(t *testing.T) {
	o := middling(t)
	o.Budget = 5
	r := mustRun(t, o)
	if r.Stopped != study.StoppedByBudget || len(r.Stages) != 1 || r.Chosen != nil {
		t.Errorf("got %+v", r)
	}
	if s := r.Stages[0]; s.Trials == 0 || s.Trials >= 100 || 0.5*(s.Work+s.Lost) < 4 {
		t.Errorf("the stage had %d trials in %v hours", s.Trials, s.Work)
	}
}

// TestSchedulers runs every kind: each trial is trained to at least one rung, in full by the
// kind that stops none, and for less than that by the others.
func TestSchedulers(t *testing.T) {
	for _, kind := range asha.Kinds() {
		o := middling(t)
		o.Faults = Faults{}
		o.Settings.A.Scheduler.Kind, o.Settings.A.Patience = kind, 0
		a := mustRun(t, o).Stages[0]
		most, reached := 0, 0
		for _, r := range a.Rungs {
			most, reached = max(most, r.Trials), max(reached, r.Epoch)
		}
		if most == 0 || reached != 20 || a.Completed+a.Paused+a.Failed != 100 {
			t.Errorf("%s: rungs %+v, %d completed, %d paused, %d failed", kind, a.Rungs, a.Completed, a.Paused, a.Failed)
		}
		if in := a.InFull.SlotHours; kind == asha.KindNone && math.Abs(in-a.Work) > 0.01*in || kind != asha.KindNone && a.Work > 0.9*in {
			t.Errorf("%s: %v slot hours, in full %v", kind, a.Work, in)
		}
	}
}

func TestFunctions(t *testing.T) {
	for _, name := range []string{"branin", "conditional", "zdt1", "mixedbi"} {
		f, err := functions.ByName(name)
		if err != nil {
			t.Fatal(err)
		}
		m, err := NewFunction(f)
		if err != nil {
			t.Fatal(err)
		}
		o := middling(t)
		o.Settings.Space, o.Model, o.Settings.A.Sampler = f.Space, m, "tpe"
		r := mustRun(t, o)
		if r.Chosen == nil || !(r.Chosen.F1Macro > 0.5) {
			t.Errorf("%s: half of what there is to gain was not reached: %+v", name, r.Chosen)
		}
	}
}

// hopeless is a model in which every trial diverges at once.
type hopeless struct{}

func (hopeless) Curve(space.Assignment) Curve { return Curve{Tau: 1, Seconds: 60, Diverges: true} }

// endless is a model whose epochs last longer than Spot leaves a slot alone.
type endless float64

func (e endless) Curve(space.Assignment) Curve { return Curve{Tau: 1, Seconds: float64(e)} }

func TestWhatCannotGoOnIsAnError(t *testing.T) {
	o := middling(t)
	o.Model = hopeless{}
	if _, err := Run(t.Context(), o); !errors.Is(err, study.ErrNoResult) {
		t.Errorf("every trial fails: %v", err)
	}
	o.Model, o.Faults = endless(5e4), Faults{InterruptionsPerHour: 30}
	if _, err := Run(t.Context(), o); err == nil || !strings.Contains(err.Error(), "in a row were interrupted") {
		t.Errorf("epochs never end: %v", err)
	}
	o.Model, o.Faults = endless(1e6), Faults{}
	if _, err := Run(t.Context(), o); err == nil || !strings.Contains(err.Error(), "at rung 0; at most 720 can be simulated") {
		t.Errorf("an attempt of two months: %v", err)
	}
	w, err := newWorld(middling(t))
	if err != nil {
		t.Fatal(err)
	}
	w.now = time.Duration((maxHours - 1) * float64(time.Hour))
	if _, err := w.run(t.Context()); err == nil || !strings.Contains(err.Error(), "takes more than 1000000 hours") {
		t.Errorf("a century: %v", err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	o = middling(t)
	o.Slots = 5000
	if _, err := Run(ended, o); !errors.Is(err, context.Canceled) {
		t.Errorf("a context that has ended: %v", err)
	}
}

func TestOptionsAreChecked(t *testing.T) {
	for want, change := range map[string]func(*Options){
		"slots: 0 is not allowed; allowed: 1 to 100000":                      func(o *Options) { o.Slots = 0 },
		"start seconds: -1 is not allowed; allowed: 0 to 86400":              func(o *Options) { o.StartSeconds = -1 },
		"interruptions an hour: NaN is not allowed":                          func(o *Options) { o.Faults.InterruptionsPerHour = math.NaN() },
		"share of slow slots: 1.1 is not allowed; allowed: 0 to 1":           func(o *Options) { o.Faults.SlowShare = 1.1 },
		"factor of slow slots: 0.5 is not allowed; allowed: 1 to 100":        func(o *Options) { o.Faults.SlowFactor = 0.5 },
		"share of trials out of memory: 2 is not allowed":                    func(o *Options) { o.Faults.OOMShare = 2 },
		"share of trials that diverge: -0.1 is not allowed":                  func(o *Options) { o.Faults.NaNShare = -0.1 },
		"share of attempts that crash: 0.95 is not allowed; allowed: 0 to 0": func(o *Options) { o.Faults.CrashShare = 0.95 },
		"budget: -1 is not allowed":                                          func(o *Options) { o.Budget = -1 },
		"budget: 3 dollars need a price":                                     func(o *Options) { o.Budget, o.Settings.PricePerHour = 3, 0 },
		"model: is missing":                                                  func(o *Options) { o.Model = nil },
		"a.trials: 0 is not allowed":                                         func(o *Options) { o.Settings.A.Trials = 0 },
	} {
		o := middling(t)
		change(&o)
		if _, err := Run(t.Context(), o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want …%s…", err, want)
		}
	}
}

func TestProgressIsTold(t *testing.T) {
	o := middling(t)
	o.Slots = 2000
	var seen []Progress
	o.Observe = func(p Progress) { seen = append(seen, p) }
	mustRun(t, o)
	if len(seen) == 0 || seen[0].Stage != protocol.StageA || seen[0].Limit != 100 {
		t.Fatalf("got %+v", seen)
	}
	for i := range seen[1:] {
		if seen[i+1].Now < seen[i].Now {
			t.Errorf("time runs backwards: %v after %v", seen[i+1].Now, seen[i].Now)
		}
	}
}
