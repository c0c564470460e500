package sampler

import (
	"math"
	"slices"
)

// narrowest returns the least width of n components in a dimension: with magicClip, 1/min(100,
// n+2) of it, the clip of Bergstra et al., "Algorithms for hyper-parameter optimization" (2011).
func (c parzenConfig) narrowest(n int, span float64) float64 {
	if c.magicClip {
		return span / min(100, float64(n+2))
	}
	return 1e-12
}

// widen sets the widths of the components that stand at from … to-1 in the order. dims is how
// many dimensions the estimator joins.
func (k *numericKernel) widen(from, to, dims int) {
	for j := from; j < to; j++ {
		sigma := k.width(j, dims)
		k.sigma[k.order[j]], k.inverse[k.order[j]] = sigma, 1/sigma
	}
}

// width returns the standard deviation of the component at a place in the order: the larger of
// the gaps to its neighbours, where cfg.endpoints decides whether the dimension's bounds are
// the outer neighbours of the outermost means or do not count. It is at most the whole
// dimension and at least [parzenConfig.narrowest]. Of equal means, the oldest has the left
// and the latest the right neighbour.
func (k *numericKernel) width(j, dims int) float64 {
	n := len(k.order)
	span := k.high - k.low
	at, left, right := k.mean[k.order[j]], k.low, k.high
	if j > 0 {
		left = k.mean[k.order[j-1]]
	}
	if j < n-1 {
		right = k.mean[k.order[j+1]]
	}
	gap := right - at
	outermost := !k.cfg.endpoints && n >= 2
	switch {
	case k.cfg.scott:
		gap = 0.2 * math.Pow(float64(n), -1/float64(dims+4)) * span
	case outermost && j == 0:
	case outermost && j == n-1, at-left > gap:
		gap = at - left
	}
	return min(max(gap, k.narrowest), span)
}

// A sorter sorts one dimension after the other in the same memory. The zero value is ready.
type sorter struct {
	keys, sorted []uint64 // a value's place between the bounds, then its index
	indices      []int32
}

// order returns the indices of x, which lies between low and high, by rising value, equal
// ones in their order; the answer holds until the next call. A suggestion sorts every
// dimension, so it is a radix sort, by 24 bits of the place between the bounds; the few
// values that these do not tell apart are put right after.
func (s *sorter) order(x []float64, low, high float64) []int32 {
	const bytes = 3
	s.keys = slices.Grow(s.keys[:0], len(x))[:len(x)]
	s.sorted = slices.Grow(s.sorted[:0], len(x))[:len(x)]
	s.indices = slices.Grow(s.indices[:0], len(x))[:len(x)]
	scale := (1<<(8*bytes) - 1) / (high - low)
	var counts [bytes][256]int32
	for i, v := range x {
		at := uint32((v - low) * scale)
		s.keys[i] = uint64(at)<<32 | uint64(i)
		for b := range counts {
			counts[b][byte(at>>(8*b))]++
		}
	}
	for b := range counts {
		next, shift := int32(0), 32+8*b
		for v, n := range counts[b] {
			counts[b][v] = next
			next += n
		}
		for _, key := range s.keys {
			to := &counts[b][byte(key>>shift)]
			s.sorted[*to] = key
			*to++
		}
		s.keys, s.sorted = s.sorted, s.keys
	}
	for j, key := range s.keys {
		i := int32(key) // the lower half
		for ; j > 0 && x[s.indices[j-1]] > x[i]; j-- {
			s.indices[j] = s.indices[j-1]
		}
		s.indices[j] = i
	}
	return s.indices
}
