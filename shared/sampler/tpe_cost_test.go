package sampler

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/supermax-hpo/supermax/shared/space"
)

// Of candidates that promise as much, TPE takes the cheaper the more the cost weighs; without
// a weight it suggests what it does without a prediction.
func TestCostWeight(t *testing.T) {
	h, err := NewHistory(Problem{Space: &space.Space{Params: []space.Param{{Name: "x", Kind: space.FloatRange, Low: 0, High: 1}}},
		Directions: []Direction{Maximize}})
	if err != nil {
		t.Fatal(err)
	}
	for n := range 40 {
		x := float64(n) / 39
		if err := h.Set(Observation{Number: n, Point: space.Point{x}, Values: []float64{math.Mod(0.618*float64(n), 1)}, State: Completed}); err != nil {
			t.Fatal(err)
		}
	}
	mean := func(o Options) float64 {
		s, err := New(NameTPE, o)
		if err != nil {
			t.Fatal(err)
		}
		rng, sum := rand.New(rand.NewPCG(1, 2)), 0.0
		for range 50 {
			a, err := s.Suggest(h, rng)
			if err != nil {
				t.Fatal(err)
			}
			x, _ := a["x"].AsFloat()
			sum += x / 50
		}
		return sum
	}
	cost := func(p space.Point) float64 { return math.Exp(8 * p[0]) }
	off, free, some, much := mean(Options{}), mean(Options{Cost: cost}), mean(Options{CostWeight: 0.25, Cost: cost}), mean(Options{CostWeight: 2, Cost: cost})
	if off != free || some > 0.75*off || much > 0.9*some {
		t.Errorf("mean of x: %.3f without a cost, %.3f without a weight, %.3f and %.3f with more and more: want the third three quarters of the first at most, and the last nine tenths of that", off, free, some, much)
	}
}
