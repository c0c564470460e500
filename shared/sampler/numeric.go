package sampler

import (
	"math"
	"slices"
)

// numericKernel is a normal distribution a component, truncated to the dimension and,
// where that has a grid, integrated over the cell around each grid point.
//
// Most components are never asked for their density (see [parzen.logDensity]), and on a
// grid few differ, so what a density costs most is worked out when it is needed first.
type numericKernel struct {
	dimension
	mean, sigma []float64 // by component, on the scale of the dimension
	inverse     []float64 // 1/sigma
	narrowest   float64   // of sigma

	class    []int32     // by component, on a grid: those of one class have the same mean and sigma
	logScale []float64   // by class: log of what normalises it; 0: not known yet, or indeed 0
	cells    []float64   // the grid values that were asked for
	logMass  [][]float64 // by cell, then class: the log probability; 0: as above
}

// newNumericKernel centres a component on each observation, as wide as the farther of
// its two neighbours is away, and a prior as wide as the dimension on its middle.
func newNumericKernel(d dimension, observed []float64, cfg parzenConfig, s *sorter) *numericKernel {
	n := len(observed)
	k := &numericKernel{dimension: d, mean: make([]float64, n, n+1)}
	for i, x := range observed {
		k.mean[i] = d.scaled(x)
	}
	order := s.order(k.mean, d.low, d.high)
	k.sigma = append(widths(k.mean, order, d, cfg), d.high-d.low)
	k.mean = append(k.mean, 0.5*(d.low+d.high))
	k.classify(order)
	return k
}

// classify sets what follows from the means and widths. order is that of the observations'
// means, so that equal ones stand together. On a continuum nearly all differ: each is a class
// of its own.
func (k *numericKernel) classify(order []int32) {
	k.narrowest = slices.Min(k.sigma)
	k.inverse = make([]float64, len(k.sigma))
	for i, sigma := range k.sigma {
		k.inverse[i] = 1 / sigma
	}
	k.class, k.cells, k.logMass = nil, nil, nil
	if k.step == 0 {
		k.logScale = make([]float64, len(k.mean))
		return
	}
	k.class = make([]int32, len(k.mean))
	classes := int32(0)
	for j, i := range order {
		if j > 0 {
			if before := order[j-1]; k.mean[i] != k.mean[before] || k.sigma[i] != k.sigma[before] {
				classes++
			}
		}
		k.class[i] = classes
	}
	prior := len(k.mean) - 1
	if prior > 0 {
		classes++
	}
	k.class[prior] = classes
	k.logScale = make([]float64, classes+1)
}

func (k *numericKernel) place(x float64) place {
	if k.step == 0 {
		at := k.scaled(x)
		return place{low: at, high: at}
	}
	at := place{low: k.scaled(x - k.step/2), high: k.scaled(x + k.step/2), cell: slices.Index(k.cells, x)}
	if at.cell < 0 {
		at.cell = len(k.cells)
		k.cells = append(k.cells, x)
		k.logMass = append(k.logMass, make([]float64, len(k.logScale)))
	}
	return at
}

func (k *numericKernel) logDensity(component int, at place) float64 {
	mean, sigma, class := k.mean[component], k.sigma[component], component
	if k.step > 0 {
		class = int(k.class[component])
	}
	if k.logScale[class] == 0 {
		k.logScale[class] = k.scale(mean, sigma)
	}
	if k.step == 0 {
		z := (at.low - mean) / sigma
		return k.logScale[class] - 0.5*z*z
	}
	row := k.logMass[at.cell]
	if row[class] == 0 {
		row[class] = k.logScale[class] + logMass((at.low-mean)/sigma, (at.high-mean)/sigma)
	}
	return row[class]
}

// scale returns the log of what normalises a component.
func (k *numericKernel) scale(mean, sigma float64) float64 {
	scale := -logMass((k.low-mean)/sigma, (k.high-mean)/sigma)
	if k.step == 0 {
		scale -= logSqrt2Pi + math.Log(sigma)
	}
	return scale
}

// reach: a component's mean lies in the dimension and its width is at most the dimension's,
// so that it has at least Φ(1) − Φ(0) = 0.341 > exp(−1.08) of its mass there. What lies
// beyond z standard deviations is at most exp(−z²/2).
func (k *numericKernel) reach() float64 {
	const most = 1.08
	if k.step == 0 {
		return most - logSqrt2Pi - math.Log(k.narrowest)
	}
	return most
}

func (k *numericKernel) keepNear(at place, farthest float64, components []int32, sum []float64) int {
	middle, half := (at.low+at.high)/2, (at.high-at.low)/2
	kept := 0
	for j, c := range components {
		distance := math.Abs(middle-k.mean[c]) - half
		if distance < 0 {
			distance = 0
		}
		z := distance * k.inverse[c]
		// Written before it is known whether it stays: there is nothing to guess for the
		// processor, which would guess wrong half the time.
		total := sum[j] + z*z
		components[kept], sum[kept] = c, total
		if total <= farthest {
			kept++
		}
	}
	return kept
}

func (k *numericKernel) quantile(component int, u float64) float64 {
	mean, sigma := k.mean[component], k.sigma[component]
	z := truncatedNormal(u, (k.low-mean)/sigma, (k.high-mean)/sigma)
	return k.value(mean + sigma*z)
}
