package sampler

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/google/go-cmp/cmp"

	"github.com/supermax-hpo/supermax/configs"
	"github.com/supermax-hpo/supermax/shared/space"
)

// drawSpace draws a valid space of up to eight parameters of every kind, some of them
// conditional on a categorical one and some with a single value.
func drawSpace(t *rapid.T) *space.Space {
	s := &space.Space{}
	var parents []space.Param
	for i := range rapid.IntRange(1, 8).Draw(t, "params") {
		p := space.Param{Name: "p" + string(rune('a'+i))}
		low := float64(rapid.IntRange(1, 20).Draw(t, "low"))
		width := float64(rapid.IntRange(0, 12).Draw(t, "width"))
		switch rapid.IntRange(0, 5).Draw(t, "kind") {
		case 0:
			p.Kind = space.Categorical
			for c := range rapid.IntRange(1, 4).Draw(t, "choices") {
				p.Choices = append(p.Choices, space.String(string(rune('a'+c))))
			}
		case 1:
			p.Kind, p.Low, p.High = space.FloatRange, low-10, low-10+width
		case 2:
			p.Kind, p.Low, p.High, p.Log = space.FloatRange, low*1e-6, low*1e-6+width, true
		case 3:
			p.Kind, p.Low, p.High, p.Step = space.FloatRange, low*0.05, low*0.05+width*0.05, 0.05
		case 4:
			p.Kind, p.Low, p.High, p.Step = space.IntRange, low*8, low*8+width*8, 8
		case 5:
			p.Kind, p.Low, p.High, p.Log = space.IntRange, low, low+width*10, true
		}
		if len(parents) > 0 && rapid.Bool().Draw(t, "conditional") {
			parent := rapid.SampledFrom(parents).Draw(t, "parent")
			p = when(p, parent.Name, "a", "c")
		}
		if p.Kind == space.Categorical {
			parents = append(parents, p)
		}
		s.Params = append(s.Params, p)
	}
	if err := s.Validate(); err != nil {
		t.Fatalf("the test made a wrong space: %v", err)
	}
	return s
}

// drawHistory draws n trials of a space in all states, with small whole values so that
// ties are common.
func drawHistory(t *rapid.T, p Problem, n int) []Observation {
	rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "history seed"), 0))
	history := make([]Observation, n)
	l := newLayout(p.Space)
	for i := range history {
		o := Observation{Number: i, Point: l.drawAll(rng), Rung: -1, State: State(rng.IntN(4))}
		if rng.IntN(3) > 0 {
			o.State = Completed
		}
		if o.finished() || o.State == Running && rng.IntN(2) == 0 {
			o.Rung = rng.IntN(3)
			for range p.Directions {
				o.Values = append(o.Values, float64(rng.IntN(20)))
			}
		}
		history[i] = o
	}
	return history
}

func drawProblem(t *rapid.T) Problem {
	dirs := rapid.SliceOfN(rapid.SampledFrom([]Direction{Maximize, Minimize}), 1, 3).Draw(t, "directions")
	return Problem{Space: drawSpace(t), Directions: dirs}
}

func TestSuggestionsAreValidAndDeterministic(t *testing.T) {
	for _, name := range Names() {
		t.Run(name, func(t *testing.T) { rapid.Check(t, suggests(name)) })
	}
}

func FuzzTPE(f *testing.F)   { f.Fuzz(rapid.MakeFuzz(suggests(NameTPE))) }
func FuzzNSGA2(f *testing.F) { f.Fuzz(rapid.MakeFuzz(suggests(NameNSGA2))) }

func FuzzQuasiRandom(f *testing.F) { f.Fuzz(rapid.MakeFuzz(suggests(NameQuasiRandom))) }

// suggests is the property of every sampler: what it suggests is complete and valid, the
// history stays as it was, and the same history in any order gives the same again.
func suggests(name string) func(*rapid.T) {
	return func(t *rapid.T) {
		s, err := New(name, Options{})
		if err != nil {
			t.Fatal(err)
		}
		p := drawProblem(t)
		history := drawHistory(t, p, rapid.SampledFrom([]int{0, 5, 15, 40, 90}).Draw(t, "trials"))
		before := fmt.Sprint(history)
		seed := rapid.Uint64().Draw(t, "seed")
		a, err := s.Suggest(historyOf(t, p, history), rand.New(rand.NewPCG(seed, 1)))
		if _, endless := GridSize(p.Space); name == NameGrid && (endless != nil || errors.Is(err, ErrExhausted)) {
			if err == nil {
				t.Fatalf("%v is of a grid that cannot be", a)
			}
			return
		}
		if err != nil {
			t.Fatalf("suggest: %v", err)
		}
		complete, err := p.Space.Complete(a)
		if err != nil {
			t.Fatalf("the suggestion is not valid: %v", err)
		}
		if diff := cmp.Diff(complete, a); diff != "" {
			t.Fatalf("the suggestion is not complete:\n%s", diff)
		}
		if fmt.Sprint(history) != before {
			t.Fatal("the history was changed")
		}
		rand.New(rand.NewPCG(seed, 2)).Shuffle(len(history), func(i, j int) {
			history[i], history[j] = history[j], history[i]
		})
		again, err := s.Suggest(historyOf(t, p, history), rand.New(rand.NewPCG(seed, 1)))
		if err != nil {
			t.Fatalf("suggest again: %v", err)
		}
		if diff := cmp.Diff(a, again); diff != "" {
			t.Fatalf("the same history in another order gives another suggestion:\n%s", diff)
		}
	}
}

func TestTPEIgnoresMonotoneTransforms(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := Problem{Space: drawSpace(t), Directions: []Direction{rapid.SampledFrom([]Direction{Maximize, Minimize}).Draw(t, "direction")}}
		history := drawHistory(t, p, 30)
		bent := slices.Clone(history)
		for i, o := range bent {
			if o.Values != nil {
				bent[i].Values = []float64{math.Exp(o.Values[0]/3) - 7}
			}
		}
		plain, err := TPE{}.Suggest(historyOf(t, p, history), rand.New(rand.NewPCG(1, 2)))
		if err != nil {
			t.Fatal(err)
		}
		other, err := TPE{}.Suggest(historyOf(t, p, bent), rand.New(rand.NewPCG(1, 2)))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(plain, other); diff != "" {
			t.Fatalf("exp(x/3) - 7 changed the suggestion:\n%s", diff)
		}
	})
}

// ridge is a history of n finished trials on x in [0, 1], best at 0.8.
func ridge(n int) (Problem, []Observation) {
	p := Problem{Space: &space.Space{Params: []space.Param{uniform("x", 0, 1)}}, Directions: []Direction{Maximize}}
	history := make([]Observation, n)
	for i := range history {
		x := (float64(i) + 0.5) / float64(n)
		history[i] = Observation{
			Number: i, Point: space.Point{x},
			Values: []float64{-math.Abs(x - 0.8)}, State: Completed,
		}
	}
	return p, history
}

// medianDistance is how far TPE's suggestions lie from at, over 101 random sources.
func medianDistance(t *testing.T, p Problem, history []Observation, at float64) float64 {
	t.Helper()
	return medianOver(101, func(seed uint64) float64 {
		a, err := TPE{}.Suggest(historyOf(t, p, history), rand.New(rand.NewPCG(seed, 3)))
		if err != nil {
			t.Fatal(err)
		}
		return math.Abs(get(a, "x") - at)
	})
}

func TestTPEFollowsTheGoodAndShunsTheRunning(t *testing.T) {
	p, history := ridge(40)
	alone := medianDistance(t, p, history, 0.8)
	if alone > 0.1 {
		t.Errorf("suggestions lie %v from the best, want at most 0.1: uniform ones lie 0.3", alone)
	}
	for i := range 40 {
		// A running trial with the best value ever at its last rung is still not good.
		history = append(history, Observation{
			Number: 40 + i, Point: space.Point{0.8}, Values: []float64{100}, State: Running,
		})
	}
	if crowded := medianDistance(t, p, history, 0.8); crowded <= alone {
		t.Errorf("with 40 trials running at the best, suggestions lie %v from it, without %v", crowded, alone)
	}
}

func TestFailedTrialsAreIgnored(t *testing.T) {
	p, history := ridge(40)
	with := slices.Clone(history)
	for i := range 20 {
		with = append(with, Observation{Number: 100 + i, Point: space.Point{0.1}, State: Failed})
	}
	for seed := range uint64(20) {
		a, errA := TPE{}.Suggest(historyOf(t, p, history), rand.New(rand.NewPCG(seed, 0)))
		b, errB := TPE{}.Suggest(historyOf(t, p, with), rand.New(rand.NewPCG(seed, 0)))
		if errA != nil || errB != nil || !a.Equal(b) {
			t.Fatalf("seed %d: %v (%v) without failed trials, %v (%v) with", seed, a, errA, b, errB)
		}
	}
}

func TestHigherRungsComeFirst(t *testing.T) {
	p := Problem{Space: &space.Space{Params: []space.Param{uniform("x", 0, 1)}}, Directions: []Direction{Maximize}}
	h := historyOf(t, p, nil)
	for _, o := range []Observation{
		{Number: 0, Values: []float64{0.9}, Rung: 0, State: Paused},
		{Number: 1, Values: []float64{0.5}, Rung: 1, State: Paused},
		{Number: 2, Values: []float64{0.4}, Rung: 2, State: Completed},
		{Number: 3, Values: []float64{0.6}, Rung: 1, State: Paused},
		{Number: 4, Values: []float64{1.0}, Rung: 1, State: Running},
		{Number: 5, Values: []float64{0.9}, Rung: 0, State: Paused},
		{Number: 6, Values: []float64{2.0}, Rung: 2, State: Completed, Violation: 0.2},
		{Number: 7, Values: []float64{1.0}, Rung: 0, State: Paused, Violation: 0.1},
	} {
		o.Point = space.Point{0.5}
		set(t, h, o)
	}
	var got []int
	for _, t := range h.best(10, Best) {
		got = append(got, h.trials[t].Number)
	}
	if want := []int{2, 3, 1, 0, 5, 7, 6}; !slices.Equal(got, want) {
		t.Errorf("order %v, want %v", got, want)
	}
}

func TestFixedSpace(t *testing.T) {
	s := &space.Space{Params: []space.Param{
		oneOf("model", "bert"), uniform("lr", 0.5, 0.5), whole("length", 128, 128, 0),
		when(stepped("rate", 0.1, 0.3, 0.1), "model", "none"),
	}}
	want := space.Assignment{
		"model": space.String("bert"), "lr": space.Float(0.5), "length": space.Int(128), "rate": space.Float(0.1),
	}
	for _, name := range Names() {
		if name == NameGrid {
			continue // has but one trial here: TestGridIsWhole
		}
		sampler, err := New(name, Options{})
		if err != nil {
			t.Fatal(err)
		}
		p := Problem{Space: s, Directions: []Direction{Maximize, Minimize}}
		var history []Observation
		for i := range 60 {
			a, err := sampler.Suggest(historyOf(t, p, history), rand.New(rand.NewPCG(1, uint64(i))))
			if err != nil {
				t.Fatalf("%s: trial %d: %v", name, i, err)
			}
			if diff := cmp.Diff(want, a); diff != "" {
				t.Fatalf("%s: trial %d:\n%s", name, i, diff)
			}
			history = append(history, Observation{Number: i, Point: pointOf(t, p.Space, a), Values: []float64{1, 2}, State: Completed})
		}
	}
}

func TestNoRepeatsWhileAnythingIsLeft(t *testing.T) {
	p := Problem{
		Space:      &space.Space{Params: []space.Param{oneOf("a", "x", "y", "z"), whole("b", 1, 30, 0)}},
		Directions: []Direction{Maximize},
	}
	for _, name := range Names() {
		s, err := New(name, Options{})
		if err != nil {
			t.Fatal(err)
		}
		seen := map[string]int{}
		var history []Observation
		for i := range 60 {
			a, err := s.Suggest(historyOf(t, p, history), rand.New(rand.NewPCG(7, uint64(i))))
			if err != nil {
				t.Fatal(err)
			}
			seen[fmt.Sprint(a)]++
			history = append(history, Observation{Number: i, Point: pointOf(t, p.Space, a), Values: []float64{get(a, "b")}, State: Completed})
		}
		// 60 of 90 configurations: a redraw fails with probability at most (2/3)^16 < 0.2 %
		// under uniform draws; models concentrate, so a few repeats are allowed.
		if len(seen) < 55 {
			t.Errorf("%s: 60 suggestions hold %d configurations", name, len(seen))
		}
	}
}

func TestBadInput(t *testing.T) {
	good, history := ridge(12)
	with := func(change func(h []Observation)) []Observation {
		h := slices.Clone(history)
		change(h)
		return h
	}
	for _, c := range []struct {
		name    string
		problem Problem
		history []Observation
		want    string
	}{
		{"no space", Problem{Directions: good.Directions}, nil, "needs a space"},
		{"no objective", Problem{Space: good.Space}, nil, "at least one objective"},
		{"number", good, with(func(h []Observation) { h[2].Number = -1 }), "trial -1: allowed are numbers from 0"},
		{"values", good, with(func(h []Observation) { h[3].Values = []float64{1, 2} }), "trial 3 has 2 values for 1"},
		{"no value", good, with(func(h []Observation) { h[4].Values = nil }), "trial 4 has 0 values for 1"},
		{"NaN", good, with(func(h []Observation) { h[5].Values = []float64{math.NaN()} }), "trial 5 has the value NaN"},
		{"violation", good, with(func(h []Observation) { h[6].Violation = -1 }), "trial 6 breaks its constraints by -1"},
		{"out of range", good, with(func(h []Observation) { h[7].Point = space.Point{2} }), "trial 7: x: is 2 in a point; allowed:"},
		{"another space", good, with(func(h []Observation) { h[8].Point = space.Point{0.1, 0.2} }), "trial 8: a point of 2 numbers"},
	} {
		h, err := NewHistory(c.problem)
		for i := 0; err == nil && i < len(c.history); i++ {
			err = h.Set(c.history[i])
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one with %q", c.name, err, c.want)
		}
	}
	for _, c := range []struct {
		name    string
		options Options
		want    string
	}{
		{"cma-es", Options{}, "tpe, nsga2, random, quasi-random, grid"},
		{NameTPE, Options{CostWeight: -1}, "cost weight -1: allowed"},
		{NameTPE, Options{CostWeight: math.NaN()}, "cost weight NaN: allowed"},
		{NameRandom, Options{CostWeight: 1}, `cost weight 1 with sampler "random": only tpe`},
	} {
		if _, err := New(c.name, c.options); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("New(%q, %+v): error %v, want one with %q", c.name, c.options, err, c.want)
		}
	}
	if _, err := (TPE{CostWeight: 1}).Suggest(historyOf(t, good, history), rand.New(rand.NewPCG(1, 1))); err == nil {
		t.Error("TPE weighs costs that nobody predicts")
	}
}

func TestNSGA2ChildrenComeFromTheBest(t *testing.T) {
	// 50 trials are excellent and use only x below 0.1 and "a"; 200 are poor and do not.
	// A child differs from its parents only where it mutated, with probability 1/2 a
	// parameter: 3/4 of the children have at least one parental value.
	p := Problem{
		Space:      &space.Space{Params: []space.Param{uniform("x", 0, 1), uniform("y", 0, 1)}},
		Directions: []Direction{Maximize, Minimize},
	}
	rng := rand.New(rand.NewPCG(3, 4))
	parental := map[space.Value]bool{}
	var history []Observation
	for i := range 250 {
		x, y := rng.Float64(), rng.Float64()
		value := float64(i)
		o := Observation{Number: i, Point: space.Point{x, y}, Values: []float64{-1000, value}, State: Completed}
		if i%5 == 0 {
			o.Values = []float64{value, value}
			parental[space.Float(x)], parental[space.Float(y)] = true, true
		}
		history = append(history, o)
	}
	inherited := 0
	h := historyOf(t, p, history)
	for range 400 {
		a, err := NSGA2{}.Suggest(h, rng)
		if err != nil {
			t.Fatal(err)
		}
		if parental[a["x"]] || parental[a["y"]] {
			inherited++
		}
	}
	// Redraws of clones make it a little less than 300; 5 standard deviations are 43.
	if inherited < 240 || inherited > 345 {
		t.Errorf("%d of 400 children have a parent's value, want about 300", inherited)
	}
}

func TestStrings(t *testing.T) {
	for state, want := range map[State]string{Running: "running", Paused: "paused", Completed: "completed", Failed: "failed", 9: "state 9"} {
		if got := state.String(); got != want {
			t.Errorf("State(%d) is %q, want %q", state, got, want)
		}
	}
	if got := Maximize.String() + Minimize.String(); got != "maximizeminimize" {
		t.Errorf("the directions are %q", got)
	}
}

// The whole space of the project, with its conditions two deep.
func TestWholeSpace(t *testing.T) {
	s, err := space.Parse("space.yaml", configs.Space)
	if err != nil {
		t.Fatal(err)
	}
	p := Problem{Space: s, Directions: []Direction{Maximize, Minimize}}
	for _, name := range Names() {
		sampler, err := New(name, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if name == NameGrid {
			continue // refuses its continua: TestGridSize
		}
		var history []Observation
		for i := range 80 {
			rng := rand.New(rand.NewPCG(11, uint64(i)))
			a, err := sampler.Suggest(historyOf(t, p, history), rng)
			if err != nil {
				t.Fatalf("%s: trial %d: %v", name, i, err)
			}
			if complete, err := s.Complete(a); err != nil || !complete.Equal(a) {
				t.Fatalf("%s: trial %d is not valid and complete: %v", name, i, err)
			}
			history = append(history, Observation{
				Number: i, Point: pointOf(t, s, a), Values: []float64{rng.Float64(), rng.Float64()},
				State: []State{Completed, Paused, Paused, Running}[i%4], Rung: i % 3,
			})
		}
	}
}
