package sampler

import (
	"math/rand/v2"

	"github.com/supermax-hpo/supermax/shared/space"
)

// Random draws every active parameter independently and uniformly: over its choices,
// its grid or its range, over the range of its logarithm where the parameter is log.
type Random struct{}

// Suggest implements [Sampler]. It looks at the history only to avoid repeating a trial.
func (Random) Suggest(h *History, rng *rand.Rand) (space.Assignment, error) {
	return h.unseen(func() space.Point { return h.layout.drawAll(rng) }), nil
}

// drawAll draws a point uniformly.
func (l *layout) drawAll(rng *rand.Rand) space.Point {
	return l.assemble(func(i int) float64 { return l.draw(i, rng) })
}

// draw returns a uniform coordinate of parameter i.
func (l *layout) draw(i int, rng *rand.Rand) float64 {
	p := &l.params[i]
	switch n := p.Count(); {
	case p.Kind == space.Categorical:
		return float64(rng.IntN(n))
	case p.Log, n == 0:
		return l.dims[i].uniform(rng.Float64())
	default:
		return coordinate(p, p.At(rng.IntN(n)))
	}
}

// maxRedraws bounds how often [History.unseen] draws: in a small or exhausted space a
// repeat is the only thing left to suggest.
const maxRedraws = 16

// unseen draws until the point is that of no trial. Training is deterministic, so a repeat
// would cost GPU time and tell nothing new; failed trials count, because what ran out of
// memory once does so again.
func (h *History) unseen(next func() space.Point) space.Assignment {
	point := next()
	for attempt := 1; attempt < maxRedraws && h.contains(point); attempt++ {
		point = next()
	}
	return h.problem.Space.Assignment(point)
}
