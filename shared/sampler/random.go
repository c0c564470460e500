package sampler

import (
	"math/rand/v2"
	"slices"

	"github.com/supermax-hpo/supermax/shared/space"
)

// Random draws every active parameter independently and uniformly: over its choices,
// its grid or its range, over the range of its logarithm where the parameter is log.
type Random struct{}

// Suggest implements [Sampler]. It looks at the history only to avoid repeating a trial.
func (Random) Suggest(p Problem, history []Observation, rng *rand.Rand) (space.Assignment, error) {
	if _, err := checked(p, history); err != nil {
		return nil, err
	}
	return unseen(p.Space, history, func() (space.Assignment, error) { return drawAll(p.Space, rng) })
}

// drawAll draws a complete assignment uniformly.
func drawAll(s *space.Space, rng *rand.Rand) (space.Assignment, error) {
	return assemble(s, func(_ int, p space.Param) space.Value { return draw(p, rng) })
}

// assemble walks the space and takes a value from choose for each active parameter that
// is not fixed; Complete gives the others theirs.
func assemble(s *space.Space, choose func(i int, p space.Param) space.Value) (space.Assignment, error) {
	a := make(space.Assignment, len(s.Params))
	for i, p := range s.Params {
		if !s.Active(a, p.Name) {
			continue
		}
		if v, fixed := p.Fixed(); fixed {
			a[p.Name] = v
		} else {
			a[p.Name] = choose(i, p)
		}
	}
	return s.Complete(a)
}

// draw returns a uniform value of p.
func draw(p space.Param, rng *rand.Rand) space.Value {
	if p.Log {
		return p.Nearest(newDimension(p).uniform(rng.Float64()))
	}
	if n := p.Count(); n > 0 {
		return p.At(rng.IntN(n))
	}
	return p.Nearest(p.Low + rng.Float64()*(p.High-p.Low))
}

// maxRedraws bounds how often [unseen] draws: in a small or exhausted space a repeat is
// the only thing left to suggest.
const maxRedraws = 16

// unseen draws until the assignment is no trial of the history. Training is
// deterministic, so a repeat would cost GPU time and tell nothing new; failed trials
// count, because what ran out of memory once does so again.
func unseen(s *space.Space, history []Observation, next func() (space.Assignment, error)) (space.Assignment, error) {
	for attempt := 1; ; attempt++ {
		a, err := next()
		if err != nil || attempt == maxRedraws {
			return a, err
		}
		if point, err := s.Point(a); err != nil || !contains(history, point) {
			return a, err
		}
	}
}

// contains reports whether a trial lies at the point.
func contains(history []Observation, point space.Point) bool {
	return slices.ContainsFunc(history, func(o Observation) bool { return o.Point.Equal(point) })
}
