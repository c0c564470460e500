package sampler

import (
	"math"
	"math/rand/v2"

	"github.com/supermax-hpo/supermax/shared/space"
)

// QuasiRandom follows a scrambled Halton sequence through the space: with one dimension a
// parameter that has more than one value, trial n of the history is the sequence's point n,
// so that few trials cover the space more evenly than random ones. The dimensions of
// parameters that are switched off go unused. Seed chooses the scrambling, so the seed of the
// study makes the sequence; Suggest draws nothing.
//
// Owen, "A randomized Halton algorithm in R" (2017), as gonum's samplemv.Halton has it. Ours
// makes one point by itself, which gonum's cannot: there point n costs all before it.
type QuasiRandom struct {
	Seed uint64
}

// redrawn is how far on in the sequence a point is taken in place of one that is a trial
// already; it is more than the trials of a study.
const redrawn = 1 << 32

// Suggest implements [Sampler].
func (q QuasiRandom) Suggest(h *History, _ *rand.Rand) (space.Assignment, error) {
	l := &h.layout
	dimension, dimensions := make([]int, len(l.params)), 0
	for i := range dimension {
		if dimension[i] = dimensions; l.free(i) {
			dimensions++
		}
	}
	position := uint64(h.Len())
	return h.unseen(func() space.Point {
		at := halton(position, dimensions, rand.NewPCG(q.Seed, 0))
		position += redrawn
		return l.assemble(func(i int) float64 { return l.uniform(i, at[dimension[i]]) })
	}), nil
}

// halton returns a point of the unit cube: the one at that position of the Halton sequence
// whose digits src permutes.
func halton(position uint64, dimensions int, src rand.Source) []float64 {
	rng := rand.New(src)
	point := make([]float64, dimensions)
	base := uint64(1)
	for d := range point {
		base = primeAfter(base)
		rest := position
		// Digits beyond the position's are zeros, which are permuted as well.
		for scale := 1 / float64(base); 1-scale < 1; scale /= float64(base) {
			point[d] += float64(rng.Perm(int(base))[rest%base]) * scale
			rest /= base
		}
		point[d] = min(point[d], math.Nextafter(1, 0)) // the sum may round up to 1
	}
	return point
}

// primeAfter returns the least prime greater than n.
func primeAfter(n uint64) uint64 {
	for n++; ; n++ {
		prime := n > 1
		for k := uint64(2); k*k <= n && prime; k++ {
			prime = n%k > 0
		}
		if prime {
			return n
		}
	}
}
