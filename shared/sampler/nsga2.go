package sampler

import (
	"math"
	"math/rand/v2"

	"github.com/supermax-hpo/supermax/shared/space"
)

const (
	nsga2Population = 50
	nsga2Startup    = 5   // finished trials before there is anything to breed from
	nsga2Crossover  = 0.9 // probability that a child has two parents
	nsga2Swap       = 0.5 // probability that a value comes from the second
	nsga2Local      = 0.5 // share of a number's mutations that move it instead of drawing it anew

	// The contestants of a tournament: two, and one more for so many running trials, at most.
	nsga2Contestants     = 2
	nsga2RunningForOne   = 4
	nsga2MostContestants = 16
)

// NSGA2 breeds from the best trials: two parents by tournaments, uniform crossover, and
// mutation of one parameter on average. Deb et al., "A fast and elitist multiobjective
// genetic algorithm: NSGA-II" (2002).
//
// It is the steady-state form: the parents are the best 50 of all trials finished so far, by
// feasibility, rung, non-dominated rank and crowding distance, and no slot waits for a
// generation to end. The first 50 trials are enqueued ones or drawn at random, and so are
// those after them until 5 have finished.
//
// What is running will change who the best are, the more the more of it there is, so that a
// choice among the best known is behind its time. Tournaments among more contestants make up
// for that: binary ones while nothing runs, of 16 from 56 running trials on.
type NSGA2 struct{}

// Suggest implements [Sampler].
func (NSGA2) Suggest(h *History, rng *rand.Rand) (space.Assignment, error) {
	if h.Len() < nsga2Population || h.finished < nsga2Startup {
		return Random{}.Suggest(h, rng)
	}
	elite := h.elite(nsga2Population)
	contestants := min(nsga2Contestants+h.running/nsga2RunningForOne, nsga2MostContestants)
	return h.unseen(func() space.Point {
		mother, father := couple(len(elite), contestants, rng)
		return h.layout.breed(h.trials[elite[mother]].Point, h.trials[elite[father]].Point, rng)
	}), nil
}

// couple returns the places of two parents among n, which stand best first; that of one
// twice for a child without crossover.
func couple(n, contestants int, rng *rand.Rand) (mother, father int) {
	mother = tournament(n, contestants, rng)
	if rng.Float64() >= nsga2Crossover {
		return mother, mother
	}
	// A tournament among the others, so that the two differ.
	father = tournament(n-1, contestants, rng)
	if father >= mother {
		father++
	}
	return mother, father
}

// tournament returns the best, so the lowest, of several places drawn from n.
func tournament(n, contestants int, rng *rand.Rand) int {
	best := n - 1
	for range contestants {
		best = min(best, rng.IntN(n))
	}
	return best
}

// breed returns a child of two parents.
func (l *layout) breed(mother, father space.Point, rng *rand.Rand) space.Point {
	mutation := 1 / float64(max(1, l.freeParams(mother)))
	return l.assemble(func(i int) float64 {
		from, other := mother, father
		if rng.Float64() < nsga2Swap {
			from, other = father, mother
		}
		x := from[i]
		if math.IsNaN(x) {
			x = other[i]
		}
		if math.IsNaN(x) { // neither parent has it
			return l.draw(i, rng)
		}
		if rng.Float64() < mutation {
			return l.mutate(i, x, rng)
		}
		return x
	})
}

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
