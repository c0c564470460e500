package sampler

import (
	"math"
	"math/rand/v2"

	"github.com/supermax-hpo/supermax/shared/space"
)

const (
	nsga2Population = 50
	nsga2Crossover  = 0.9 // probability that a child has two parents
	nsga2Swap       = 0.5 // probability that a value comes from the second
)

// NSGA2 breeds from the best trials: two parents by binary tournaments, uniform
// crossover, and mutation that draws a value anew. Deb et al., "A fast and elitist
// multiobjective genetic algorithm: NSGA-II" (2002).
//
// It is the steady-state form: the parents are the best 50 of all trials finished so
// far, by rung, non-dominated rank and crowding distance, and no slot waits for a
// generation to end. Until 50 have finished, trials are drawn at random.
type NSGA2 struct{}

// Suggest implements [Sampler].
func (NSGA2) Suggest(h *History, rng *rand.Rand) (space.Assignment, error) {
	if h.finished < nsga2Population {
		return Random{}.Suggest(h, rng)
	}
	var parents []space.Point
	for _, t := range h.best(nsga2Population, Best) {
		parents = append(parents, h.trials[t].Point)
	}
	return h.unseen(func() space.Point { return h.layout.breed(parents, rng) }), nil
}

// breed returns a child of two of the parents, which stand best first.
func (l *layout) breed(parents []space.Point, rng *rand.Rand) space.Point {
	first := tournament(len(parents), rng)
	second := first
	if rng.Float64() < nsga2Crossover {
		// A tournament among the others, so that the two differ.
		second = tournament(len(parents)-1, rng)
		if second >= first {
			second++
		}
	}
	mother, father := parents[first], parents[second]
	mutation := 1 / float64(max(1, l.freeParams(mother)))
	return l.assemble(func(i int) float64 {
		from, other := mother, father
		if rng.Float64() < nsga2Swap {
			from, other = father, mother
		}
		switch {
		case rng.Float64() < mutation:
			return l.draw(i, rng)
		case !math.IsNaN(from[i]):
			return from[i]
		case !math.IsNaN(other[i]):
			return other[i]
		}
		return l.draw(i, rng) // neither parent has it
	})
}

// tournament returns the better, so the lower, of two places drawn from n.
func tournament(n int, rng *rand.Rand) int { return min(rng.IntN(n), rng.IntN(n)) }

// freeParams counts the parameters that are active at the point and not fixed.
func (l *layout) freeParams(point space.Point) int {
	n := 0
	for i, x := range point {
		if l.free(i) && !math.IsNaN(x) {
			n++
		}
	}
	return n
}
