package sampler

import "math"

// narrowest returns the least width of n components in a dimension: with magicClip, 1/min(100,
// n+2) of it, the clip of Bergstra et al., "Algorithms for hyper-parameter optimization" (2011).
// On a grid the fineness does not count, lest neighbouring values be out of reach.
func (c parzenConfig) narrowest(n int, span float64, grid bool) float64 {
	switch {
	case !c.magicClip:
		return 1e-12
	case grid:
		return span / min(100, float64(n+2))
	}
	return span / min(100, c.fineness*float64(n+2))
}

// widen sets the widths of the components that stand at from … to-1 in the order, and calls
// changed for each that is another. dims is how many dimensions the estimator joins.
func (k *numericKernel) widen(from, to, dims int, changed func(component int32)) {
	for j := max(from, 0); j < min(to, len(k.order)); j++ {
		c, sigma := k.order[j], k.width(j, dims)
		if k.sigma[c] == sigma {
			continue
		}
		k.sigma[c], k.shape[c].inverse = sigma, 1/sigma
		k.scale[c] = k.normalizer(k.shape[c].mean, sigma)
		changed(c)
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
	at, left, right := k.shape[k.order[j]].mean, k.low, k.high
	if j > 0 {
		left = k.shape[k.order[j-1]].mean
	}
	if j < n-1 {
		right = k.shape[k.order[j+1]].mean
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
