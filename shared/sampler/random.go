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
	if n := l.equals(i); n > 0 {
		return l.equal(i, rng.IntN(n))
	}
	return l.dims[i].uniform(rng.Float64())
}

// uniform maps u in [0, 1) to a coordinate of parameter i, uniformly.
func (l *layout) uniform(i int, u float64) float64 {
	if n := l.equals(i); n > 0 {
		return l.equal(i, int(u*float64(n)))
	}
	return l.dims[i].uniform(u)
}

// equals returns how many values parameter i has if each is as likely as another, else 0.
func (l *layout) equals(i int) int {
	if p := &l.params[i]; !p.Log {
		return p.Count()
	}
	return 0
}

// equal returns the coordinate of value k of parameter i.
func (l *layout) equal(i, k int) float64 {
	p := &l.params[i]
	if p.Kind == space.Categorical {
		return float64(k)
	}
	return coordinate(p, p.At(k))
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
