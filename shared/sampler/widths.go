package sampler

import "math"

// widths returns the standard deviation for each mean: the larger of the gaps to its
// neighbours, where cfg.endpoints decides whether the dimension's bounds are the outer
// neighbours of the outermost means or do not count. It is at most the whole dimension
// and, with cfg.magicClip, at least 1/min(100, n+2) of it: the clip of Bergstra et al.,
// "Algorithms for hyper-parameter optimization" (2011). Of equal means, the oldest has the
// left and the latest the right neighbour. order is the means' [sortedOrder].
func widths(mean []float64, order []int32, d dimension, cfg parzenConfig) []float64 {
	n := len(mean)
	span := d.high - d.low
	narrowest := 1e-12
	if cfg.magicClip {
		narrowest = span / min(100, float64(n+2))
	}
	sigma := make([]float64, n, n+1)
	for j, i := range order {
		left, right := d.low, d.high
		if j > 0 {
			left = mean[order[j-1]]
		}
		if j < n-1 {
			right = mean[order[j+1]]
		}
		gap := max(mean[i]-left, right-mean[i])
		if !cfg.endpoints && n >= 2 {
			if j == 0 {
				gap = right - mean[i]
			} else if j == n-1 {
				gap = mean[i] - left
			}
		}
		sigma[i] = min(max(gap, narrowest), span)
	}
	return sigma
}

// sortedOrder returns the indices of x, which lies between low and high, by rising value,
// equal ones in their order. A suggestion sorts every dimension, so it is a radix sort, by
// 32 bits of the place between the bounds; the few values that these do not tell apart
// are put right after.
func sortedOrder(x []float64, low, high float64) []int32 {
	const bytes = 4
	scale := math.MaxUint32 / (high - low)
	keys, sorted := make([]uint64, len(x)), make([]uint64, len(x)) // place, then index
	var counts [bytes][256]int32
	for i, v := range x {
		at := uint32(min(max((v-low)*scale, 0), math.MaxUint32))
		keys[i] = uint64(at)<<32 | uint64(i)
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
		for _, key := range keys {
			to := &counts[b][byte(key>>shift)]
			sorted[*to] = key
			*to++
		}
		keys, sorted = sorted, keys
	}
	order := make([]int32, len(x))
	for j, key := range keys {
		i := int32(key) // the lower half
		for ; j > 0 && x[order[j-1]] > x[i]; j-- {
			order[j] = order[j-1]
		}
		order[j] = i
	}
	return order
}
