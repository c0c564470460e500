package sampler

import (
	"math"
	"math/rand/v2"
	"sort"
)

// parzenConfig holds the choices in building a [parzen]; [defaultParzen] has TPE's.
type parzenConfig struct {
	priorWeight float64 // of the prior, where an observation's weight is at most 1
	magicClip   bool    // kernels are never narrower than the observations are dense
	endpoints   bool    // the bounds count as neighbours of the outermost observations
}

var defaultParzen = parzenConfig{priorWeight: 1, magicClip: true}

// A parzen is a density over several dimensions, estimated from observations: a mixture
// with a component for each of them, the product of one kernel a dimension, and a prior
// over the whole range as the last component. Falkner, Klein and Hutter, "BOHB" (2018),
// join the dimensions in this way.
type parzen struct {
	weights []float64 // of the components; they add up to 1
	kernels []kernel
}

// newParzen estimates the density from observed[d][i], the value of observation i in
// dimension d, oldest first. weights, one an observation, may be nil for
// [recencyWeights].
func newParzen(dims []dimension, observed [][]float64, weights []float64, cfg parzenConfig) *parzen {
	n := len(observed[0])
	if weights == nil {
		weights = recencyWeights(n)
	}
	p := &parzen{weights: make([]float64, n+1)}
	copy(p.weights, weights)
	p.weights[n] = cfg.priorWeight
	if n == 0 {
		p.weights[n] = 1
	}
	total := 0.0
	for _, w := range p.weights {
		total += w
	}
	for i := range p.weights {
		p.weights[i] /= total
	}
	var s sorter
	for d, dim := range dims {
		if dim.choices > 0 {
			p.kernels = append(p.kernels, newCategoricalKernel(dim.choices, observed[d], cfg.priorWeight))
		} else {
			p.kernels = append(p.kernels, newNumericKernel(dim, observed[d], cfg, &s))
		}
	}
	return p
}

// recencyWeights returns the weights of n observations, oldest first: 1 for the latest
// 25, rising linearly from 1/n for those before.
func recencyWeights(n int) []float64 {
	const recent = 25
	weights := make([]float64, n)
	old := n - recent
	for i := range weights {
		switch {
		case i >= old:
			weights[i] = 1
		case old == 1:
			weights[i] = 1 / float64(n)
		default:
			weights[i] = 1/float64(n) + (1-1/float64(n))*float64(i)/float64(old-1)
		}
	}
	return weights
}

// sample draws n points: the answer's [d][i] is point i in dimension d.
func (p *parzen) sample(rng *rand.Rand, n int) [][]float64 {
	cumulative := make([]float64, len(p.weights))
	sum := 0.0
	for k, w := range p.weights {
		sum += w
		cumulative[k] = sum
	}
	points := make([][]float64, len(p.kernels))
	for d := range points {
		points[d] = make([]float64, n)
	}
	for i := range n {
		u := rng.Float64() * sum
		component := sort.Search(len(cumulative)-1, func(k int) bool { return u < cumulative[k] })
		for d, kernel := range p.kernels {
			points[d][i] = kernel.quantile(component, rng.Float64())
		}
	}
	return points
}

// logDensity returns the log density at each of the points, laid out as [parzen.sample]
// does: with respect to the logarithm in a log dimension, a probability on a grid.
func (p *parzen) logDensity(points [][]float64) []float64 {
	logWeights := make([]float64, len(p.weights))
	for k, w := range p.weights {
		logWeights[k] = math.Log(w)
	}
	density := make([]float64, len(points[0]))
	places := make([]place, len(p.kernels))
	var near nearby
	for i := range density {
		for d, kernel := range p.kernels {
			places[d] = kernel.place(points[d][i])
		}
		density[i] = logSumExp(near.logDensities(p.kernels, logWeights, places))
	}
	return density
}

// logSumExp returns log Σ exp(x) without overflow.
func logSumExp(x []float64) float64 {
	top := math.Inf(-1)
	for _, v := range x {
		top = max(top, v)
	}
	if math.IsInf(top, -1) {
		return top
	}
	sum := 0.0
	for _, v := range x {
		sum += math.Exp(v - top)
	}
	return top + math.Log(sum)
}
