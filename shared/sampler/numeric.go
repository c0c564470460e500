package sampler

import (
	"math"
	"math/rand/v2"
	"slices"
	"sort"
)

// numericKernel is a normal distribution a component, truncated to the dimension and,
// where that has a grid, integrated over the cell around each grid point. It is centred on
// the component's observation and as wide as the farther of its neighbours is away. The
// prior stands in the middle and is as wide as the dimension.
type numericKernel struct {
	dimension
	cfg parzenConfig

	mean    []float64 // by component, on the scale of the dimension; +Inf: there is none
	sigma   []float64 // by component
	inverse []float64 // 1/sigma
	order   []int32   // the components by rising mean, equal ones by their number

	narrowest float64 // the least width among so many components
	prior     normal
	masses    massCache // on a grid
}

// normal is a truncated normal distribution, but for its bounds.
type normal struct {
	mean, sigma float64
	scale       float64 // log of what normalises it
}

func newNumericKernel(d dimension, cfg parzenConfig) *numericKernel {
	k := &numericKernel{dimension: d, cfg: cfg, prior: normal{mean: 0.5 * (d.low + d.high), sigma: d.high - d.low}}
	k.prior.scale = k.scale(k.prior.mean, k.prior.sigma)
	k.narrowest = cfg.narrowest(0, d.high-d.low)
	return k
}

// grow makes room for n components.
func (k *numericKernel) grow(n int) {
	for len(k.mean) < n {
		k.mean, k.sigma, k.inverse = append(k.mean, math.Inf(1)), append(k.sigma, 1), append(k.inverse, 1)
	}
}

// fill sets all components at once. It leaves the widths to [numericKernel.widen].
func (k *numericKernel) fill(components []int32, x []float64, s *sorter) {
	means := make([]float64, len(x))
	for i, v := range x {
		means[i] = k.scaled(v)
		k.mean[components[i]] = means[i]
	}
	k.order = slices.Grow(k.order[:0], len(x))
	for _, i := range s.order(means, k.low, k.high) {
		k.order = append(k.order, components[i])
	}
}

// insert adds a component at the value x and returns where in the order it stands.
func (k *numericKernel) insert(component int32, x float64) int {
	k.mean[component] = k.scaled(x)
	j := k.search(component)
	k.order = slices.Insert(k.order, j, component)
	return j
}

// remove takes a component away and returns where it stood.
func (k *numericKernel) remove(component int32) int {
	j := k.search(component)
	k.order = slices.Delete(k.order, j, j+1)
	k.mean[component] = math.Inf(1)
	return j
}

// search returns the place in the order for a component, which need not be there.
func (k *numericKernel) search(component int32) int {
	mean := k.mean[component]
	return sort.Search(len(k.order), func(j int) bool {
		at := k.mean[k.order[j]]
		return at > mean || at == mean && k.order[j] >= component
	})
}

// logDensity returns the log density of a component at a place.
func (k *numericKernel) logDensity(component int32, at place) float64 {
	mean, sigma := k.mean[component], k.sigma[component]
	if k.step == 0 {
		z := (at.low - mean) / sigma
		return k.scale(mean, sigma) - 0.5*z*z
	}
	return k.logMass(mean, sigma, at)
}

func (k *numericKernel) priorLogDensity(at place) float64 {
	if k.step == 0 {
		z := (at.low - k.prior.mean) / k.prior.sigma
		return k.prior.scale - 0.5*z*z
	}
	return k.logMass(k.prior.mean, k.prior.sigma, at)
}

// logMass returns the log probability of a grid cell.
func (k *numericKernel) logMass(mean, sigma float64, at place) float64 {
	known := k.masses.at(mean, sigma, at.low)
	if !known.is(mean, sigma, at.low) {
		*known = mass{mean, sigma, at.low, k.scale(mean, sigma) + logMass((at.low-mean)/sigma, (at.high-mean)/sigma)}
	}
	return known.log
}

// scale returns the log of what normalises a normal distribution.
func (k *numericKernel) scale(mean, sigma float64) float64 {
	scale := -logMass((k.low-mean)/sigma, (k.high-mean)/sigma)
	if k.step == 0 {
		scale -= logSqrt2Pi + math.Log(sigma)
	}
	return scale
}

// reach bounds the log density of all components where they are highest: beyond that, it
// falls by half the squared distance in widths. A component's mean lies in the dimension
// and its width is at most the dimension's, so that it has at least Φ(1) − Φ(0) = 0.341 >
// exp(−1.08) of its mass there. What lies beyond z widths is at most exp(−z²/2).
func (k *numericKernel) reach() float64 {
	const most = 1.08
	if k.step == 0 {
		return most - logSqrt2Pi - math.Log(k.narrowest)
	}
	return most
}

func (k *numericKernel) place(x float64) place {
	if k.step == 0 {
		at := k.scaled(x)
		return place{low: at, high: at}
	}
	return place{low: k.scaled(x - k.step/2), high: k.scaled(x + k.step/2)}
}

// draw returns a value of a component, by drawing until it lies in the dimension: at least
// one draw in three does.
func (k *numericKernel) draw(component int32, rng *rand.Rand) float64 {
	return k.drawNormal(k.mean[component], k.sigma[component], rng)
}

func (k *numericKernel) drawPrior(rng *rand.Rand) float64 {
	return k.drawNormal(k.prior.mean, k.prior.sigma, rng)
}

func (k *numericKernel) drawNormal(mean, sigma float64, rng *rand.Rand) float64 {
	for {
		if x := mean + sigma*rng.NormFloat64(); x >= k.low && x <= k.high {
			return k.value(x)
		}
	}
}
