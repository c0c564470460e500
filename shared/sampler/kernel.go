package sampler

import (
	"cmp"
	"math"
	"slices"
)

// A kernel is one dimension of a Parzen estimator: for each component of the mixture,
// one an observation and the prior as the last, a distribution over the dimension.
type kernel interface {
	// addLogDensity adds the log density of component k at x[i] to sum[i][k].
	addLogDensity(x []float64, sum [][]float64)
	// quantile returns the u-quantile, u in [0, 1), of a component.
	quantile(component int, u float64) float64
}

// categoricalKernel holds the probability of each choice: one row a component.
type categoricalKernel [][]float64

// newCategoricalKernel smooths each observed choice by the prior's share.
func newCategoricalKernel(choices int, observed []float64, priorWeight float64) categoricalKernel {
	share := priorWeight / float64(len(observed)+1)
	total := 1 + share*float64(choices)
	rows := make(categoricalKernel, len(observed)+1)
	for k := range rows {
		row := make([]float64, choices)
		for c := range row {
			row[c] = share / total
		}
		if k < len(observed) {
			row[int(observed[k])] = (share + 1) / total
		} else {
			for c := range row {
				row[c] = 1 / float64(choices)
			}
		}
		rows[k] = row
	}
	return rows
}

func (c categoricalKernel) addLogDensity(x []float64, sum [][]float64) {
	for i, choice := range x {
		for k, row := range c {
			sum[i][k] += math.Log(row[int(choice)])
		}
	}
}

func (c categoricalKernel) quantile(component int, u float64) float64 {
	row := c[component]
	for choice, p := range row {
		if u -= p; u < 0 {
			return float64(choice)
		}
	}
	return float64(len(row) - 1) // u was the rounding error of the row's sum
}

// numericKernel is a normal distribution a component, truncated to the dimension and,
// where that has a grid, integrated over the cell around each grid point.
type numericKernel struct {
	dimension
	mean, sigma []float64 // on the scale of the dimension
	logScale    []float64 // log of what normalises the component
}

// newNumericKernel centres a component on each observation, as wide as the farther of
// its two neighbours is away, and a prior as wide as the dimension on its middle.
func newNumericKernel(d dimension, observed []float64, cfg parzenConfig) *numericKernel {
	k := &numericKernel{dimension: d}
	for _, x := range observed {
		k.mean = append(k.mean, d.scaled(x))
	}
	k.sigma = append(widths(k.mean, d, cfg), d.high-d.low)
	k.mean = append(k.mean, 0.5*(d.low+d.high))
	k.normalise()
	return k
}

// normalise sets logScale for the means and widths.
func (k *numericKernel) normalise() {
	k.logScale = make([]float64, len(k.mean))
	for i, mean := range k.mean {
		k.logScale[i] = -logMass((k.low-mean)/k.sigma[i], (k.high-mean)/k.sigma[i])
		if k.step == 0 {
			k.logScale[i] -= logSqrt2Pi + math.Log(k.sigma[i])
		}
	}
}

// widths returns the standard deviation for each mean: the larger of the gaps to its
// neighbours, where cfg.endpoints decides whether the dimension's bounds are the outer
// neighbours of the outermost means or do not count. It is at most the whole dimension
// and, with cfg.magicClip, at least 1/min(100, n+2) of it: the clip of Bergstra et al.,
// "Algorithms for hyper-parameter optimization" (2011). Of equal means, the oldest has the
// left and the latest the right neighbour.
func widths(mean []float64, d dimension, cfg parzenConfig) []float64 {
	n := len(mean)
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(mean[a], mean[b]) })
	span := d.high - d.low
	narrowest := 1e-12
	if cfg.magicClip {
		narrowest = span / min(100, float64(n+2))
	}
	sigma := make([]float64, n)
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

func (k *numericKernel) addLogDensity(x []float64, sum [][]float64) {
	if k.step > 0 {
		k.addLogCell(x, sum)
		return
	}
	for i := range x {
		at := k.scaled(x[i])
		for c, mean := range k.mean {
			z := (at - mean) / k.sigma[c]
			sum[i][c] += k.logScale[c] - 0.5*z*z
		}
	}
}

// addLogCell adds the log probability of the grid cell around each x. Grids are small,
// so many points share a cell, whose probability costs far more than a density.
func (k *numericKernel) addLogCell(x []float64, sum [][]float64) {
	done := make(map[float64][]float64)
	for i := range x {
		cell, ok := done[x[i]]
		if !ok {
			cell = make([]float64, len(k.mean))
			left, right := k.scaled(x[i]-k.step/2), k.scaled(x[i]+k.step/2)
			for c, mean := range k.mean {
				cell[c] = k.logScale[c] + logMass((left-mean)/k.sigma[c], (right-mean)/k.sigma[c])
			}
			done[x[i]] = cell
		}
		for c := range cell {
			sum[i][c] += cell[c]
		}
	}
}

func (k *numericKernel) quantile(component int, u float64) float64 {
	mean, sigma := k.mean[component], k.sigma[component]
	z := truncatedNormal(u, (k.low-mean)/sigma, (k.high-mean)/sigma)
	return k.value(mean + sigma*z)
}
