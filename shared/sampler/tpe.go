package sampler

import (
	"cmp"
	"errors"
	"math"
	"math/rand/v2"
	"slices"

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
// ones not at all; infeasible trials rank last. Of several objectives whole fronts are good,
// then the points of one front that cover the most hypervolume. Until ten trials have
// finished, suggestions follow [QuasiRandom].
//
// docs/design.md says in what it differs from Optuna's, and what for.
type TPE struct {
	// Seed, CostWeight and Cost are [Options]'.
	Seed       uint64
	CostWeight float64
	Cost       func(space.Point) float64
}

// Suggest implements [Sampler].
func (s TPE) Suggest(h *History, rng *rand.Rand) (space.Assignment, error) {
	if s.CostWeight > 0 && s.Cost == nil {
		return nil, errors.New("a cost weight needs a prediction of the cost")
	}
	if h.finished < tpeStartup {
		return QuasiRandom{Seed: s.Seed}.Suggest(h, rng)
	}
	m := h.learn(goodTrials(h.finished, len(h.problem.Directions)))
	attempt := 0
	return h.unseen(func() space.Point {
		// The best of many is the same again in a small space; a redraw chooses among fewer
		// until it is a plain draw from the good density, and at last one from the space.
		attempt++
		candidates := max(1, tpeCandidates>>(attempt-1))
		if attempt > maxRedraws/2 {
			return h.layout.drawAll(rng)
		}
		chosen := slices.Clone(h.layout.fixed)
		for _, g := range m.groups {
			g.choose(rng, candidates, chosen, s.penalty)
		}
		return h.layout.assemble(func(i int) float64 {
			if math.IsNaN(chosen[i]) {
				return h.layout.draw(i, rng) // it was never active so far
			}
			return chosen[i]
		})
	}), nil
}

// goodTrials returns how many of n finished trials count as good: a tenth, with one
// objective at most 25.
func goodTrials(n, objectives int) int {
	good := int(math.Ceil(0.1 * float64(n)))
	if objectives == 1 {
		return min(good, 25)
	}
	return good
}

// penalty returns what a point's predicted cost takes off the logarithm of its expected
// improvement. What the point does not say yet is NaN, for all candidates alike.
func (s TPE) penalty(point space.Point) float64 {
	if s.CostWeight == 0 {
		return 0
	}
	return s.CostWeight * math.Log(s.Cost(point))
}

// A candidate is a draw from the good trials' density, as a group sees it.
type candidate struct {
	x     []float64 // by the group's dimensions
	at    spot
	score float64 // its log density there, less what it costs
}

// choose draws n candidates and puts the best one's values into chosen, which has a place
// for every parameter of the space. penalty is taken off a candidate's score.
func (g *group) choose(rng *rand.Rand, n int, chosen space.Point, penalty func(space.Point) float64) {
	d := g.good.drawer()
	point := slices.Clone(chosen)
	for len(g.candidates) < n {
		g.candidates = append(g.candidates, candidate{x: make([]float64, len(g.index))})
	}
	g.order = g.order[:0]
	for i := range n {
		c := &g.candidates[i]
		d.draw(rng, c.x)
		g.good.locate(c.x, &c.at)
		for j, i := range g.index {
			point[i] = c.x[j]
		}
		c.score = g.good.logDensity(&c.at, math.Inf(1)) - penalty(point)
		g.order = append(g.order, i)
	}
	// Where the rest are dense enough to make a candidate worse than the best one, how dense they
	// are is not worked out. The sooner a good one comes, the more is spared.
	slices.SortStableFunc(g.order, func(a, b int) int { return cmp.Compare(g.candidates[b].score, g.candidates[a].score) })
	best := math.Inf(-1)
	g.rest.forgetLandmarks()
	for _, i := range g.order {
		c := &g.candidates[i]
		if score := c.score - g.rest.logDensity(&c.at, c.score-best); score > best {
			best = score
			for j, i := range g.index {
				chosen[i] = c.x[j]
			}
		}
	}
}
