package sampler

import (
	"math/rand/v2"
	"testing"

	"github.com/supermax-hpo/supermax/shared/space"
)

// inherited returns what 1,000 suggestions have of the finished trials' values in either of
// two parameters, in which no other trial has the same.
func inherited(t *testing.T, finished []float64, running int) []float64 {
	t.Helper()
	s := &space.Space{Params: []space.Param{uniform("x", 0, 1), uniform("y", 0, 1)}}
	h := historyOf(t, Problem{Space: s, Directions: []Direction{Minimize}}, nil)
	values := map[float64]bool{}
	for i, x := range finished {
		values[x] = true
		set(t, h, Observation{Number: i, Point: space.Point{x, x}, Values: []float64{x}, State: Completed})
	}
	for i := range running {
		set(t, h, Observation{Number: len(finished) + i, Point: space.Point{1, 1}, Rung: -1, State: Running})
	}
	var found []float64
	rng := rand.New(rand.NewPCG(9, 9))
	for range 1000 {
		a, err := NSGA2{}.Suggest(h, rng)
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range []float64{get(a, "x"), get(a, "y")} {
			if values[x] {
				found = append(found, x)
			}
		}
	}
	return found
}

// ramp is n numbers from 0 up to but not including 1.
func ramp(n int) []float64 {
	x := make([]float64, n)
	for i := range x {
		x[i] = float64(i) / float64(n)
	}
	return x
}

func TestNSGA2BreedsFromTheFirstPopulationOn(t *testing.T) {
	for _, c := range []struct {
		finished, running int
		breeds            bool
	}{{49, 0, false}, {50, 0, true}, {30, 19, false}, {30, 20, true}, {4, 100, false}, {5, 100, true}} {
		if n := len(inherited(t, ramp(c.finished), c.running)); (n > 500) != c.breeds || !c.breeds && n > 0 {
			t.Errorf("%d finished and %d running trials: %d values of 2,000 are inherited, want them: %v", c.finished, c.running, n, c.breeds)
		}
	}
}

// The best of k places drawn from 50 is at 50/(k+1) on average: 0.33 of the way with two
// contestants, 0.17 with five, 0.06 with 16, the most.
func TestNSGA2ChoosesHarderTheMoreIsRunning(t *testing.T) {
	for _, c := range []struct {
		running int
		want    float64
	}{{0, 0.33}, {12, 0.17}, {56, 0.06}, {1000, 0.06}} {
		x := inherited(t, ramp(50), c.running)
		sum := 0.0
		for _, v := range x {
			sum += v
		}
		if mean := sum / float64(len(x)); mean < c.want-0.03 || mean > c.want+0.03 {
			t.Errorf("%d running trials: parents stand at %.3f on average, want %.2f", c.running, mean, c.want)
		}
	}
}

// Deb's constrained domination: whatever their values and rungs, feasible trials breed before
// others, and those by how little they break.
func TestNSGA2PrefersTheFeasible(t *testing.T) {
	h := historyOf(t, Problem{Space: &space.Space{Params: []space.Param{uniform("x", 0, 1)}}, Directions: []Direction{Minimize, Minimize}}, nil)
	for i := range 90 {
		o := Observation{Number: i, Point: space.Point{0.5}, Values: []float64{1, float64(-i)}, Rung: 3, State: Completed}
		switch {
		case i < 30:
			o.Violation = 1 + float64(i)
		case i < 70:
			o.State, o.Rung, o.Values = Paused, 1, []float64{100, 100}
		}
		if i >= 40 && i < 70 {
			o.Violation = 0.5
		}
		set(t, h, o)
	}
	got := h.elite(nsga2Population)
	for place, trial := range got {
		var first, last int32
		switch {
		case place < 20: // completed and feasible
			first, last = 70, 89
		case place < 30: // feasible
			first, last = 30, 39
		default: // half a limit above it
			first, last = 40, 59
		}
		if trial < first || trial > last {
			t.Errorf("place %d has trial %d, want one from %d to %d", place, trial, first, last)
		}
	}
	if len(got) != nsga2Population {
		t.Errorf("%d trials breed, want %d", len(got), nsga2Population)
	}
}
