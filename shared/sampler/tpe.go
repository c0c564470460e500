package sampler

import (
	"errors"
	"math"
	"math/rand/v2"

	"github.com/supermax-hpo/supermax/shared/space"
)

const (
	tpeStartup    = 10 // finished trials before the model is trusted
	tpeCandidates = 24 // drawn from the good trials' density for one suggestion
)

// TPE is the tree-structured Parzen estimator: it splits the trials into a few good ones
// and the rest, estimates a density from each, draws candidates from the good one and
// suggests that with the highest ratio of the two. Bergstra et al., "Algorithms for
// hyper-parameter optimization" (2011).
//
// Parameters are modelled jointly with those that were active in the same trials, on the
// trials where they were. A running trial counts among the rest, so that slots that ask
// at the same time spread out. Paused trials count with their rung as fidelity, failed
// ones not at all. Several objectives are ordered as by [BestFirst]. The first ten
// trials are drawn at random.
type TPE struct {
	// CostWeight and Cost are [Options]'.
	CostWeight float64
	Cost       func(space.Point) float64
}

// Suggest implements [Sampler].
func (s TPE) Suggest(h *History, rng *rand.Rand) (space.Assignment, error) {
	if s.CostWeight > 0 && s.Cost == nil {
		return nil, errors.New("a cost weight needs a prediction of the cost")
	}
	trials := h.alive()
	finished := countFinished(trials)
	if finished < tpeStartup {
		return Random{}.Suggest(h, rng)
	}
	good := make([]bool, len(trials))
	for _, t := range bestFinished(trials, h.problem.Directions, goodTrials(finished)) {
		good[t] = true
	}
	m := newModel(h.problem.Space, trials)
	pairs := make([]densities, len(m.groups))
	for i, g := range m.groups {
		goodOnes, rest := m.observed(g, good)
		pairs[i] = densities{
			group: g,
			good:  newParzen(g.dims, goodOnes, nil, defaultParzen),
			rest:  newParzen(g.dims, rest, nil, defaultParzen),
		}
	}
	candidates := tpeCandidates
	return h.unseen(func() space.Point {
		chosen := make(space.Point, len(h.layout.params))
		for i := range chosen {
			chosen[i] = math.NaN()
		}
		for _, d := range pairs {
			d.choose(rng, candidates, chosen)
		}
		// The best of many is the same again in a small space; a redraw chooses among
		// fewer until it is a plain draw from the good density.
		candidates = max(1, candidates/2)
		return h.layout.assemble(func(i int) float64 {
			if math.IsNaN(chosen[i]) {
				return h.layout.draw(i, rng) // it was never active so far
			}
			return chosen[i]
		})
	}), nil
}

// goodTrials returns how many of n finished trials count as good: a tenth, at most 25.
func goodTrials(n int) int { return min(int(math.Ceil(0.1*float64(n))), 25) }

// densities are the two models of one group of parameters.
type densities struct {
	group      group
	good, rest *parzen
}

// choose draws n candidates and puts the best one's values into chosen, which has a place
// for every parameter of the space.
func (d densities) choose(rng *rand.Rand, n int, chosen space.Point) {
	points := d.good.sample(rng, n)
	good, rest := d.good.logDensity(points), d.rest.logDensity(points)
	best := 0
	for i := range good {
		if good[i]-rest[i] > good[best]-rest[best] {
			best = i
		}
	}
	for j, i := range d.group.index {
		chosen[i] = points[j][best]
	}
}
