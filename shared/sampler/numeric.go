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

	shape  []shape   // by component
	sigma  []float64 // by component: its width
	scale  []float64 // by component: log of what normalises it
	order  []int32   // the components by rising mean, equal ones by their number
	counts histogram

	cells    [][]float64 // see [numericKernel.cell]
	untabled []float64   // the row of a cell that has no place in cells

	narrowest float64 // the least width among so many components
	prior     normal
}

// A shape is what a component's distance from a place depends on.
type shape struct {
	mean    float64 // on the scale of the dimension
	inverse float64 // 1/width
}

// normal is a truncated normal distribution, but for its bounds.
type normal struct{ mean, sigma, scale float64 }

func newNumericKernel(d dimension, cfg parzenConfig) *numericKernel {
	k := &numericKernel{dimension: d, cfg: cfg, prior: normal{mean: 0.5 * (d.low + d.high), sigma: d.high - d.low}}
	k.prior.scale = k.normalizer(k.prior.mean, k.prior.sigma)
	k.narrowest = cfg.narrowest(0, d.high-d.low, d.step > 0)
	return k
}

// grow makes room for n components.
func (k *numericKernel) grow(n int) {
	more := n - len(k.shape)
	k.shape = append(k.shape, make([]shape, more)...)
	k.sigma = append(k.sigma, make([]float64, more)...)
	k.scale = append(k.scale, make([]float64, more)...)
}

// fill makes these the only components. It leaves the widths to [numericKernel.widen].
func (k *numericKernel) fill(components []int32, x []float64, s *sorter) {
	k.counts = histogram{changed: true}
	for i, c := range components {
		x[i] = k.scaled(x[i])
		if k.shape[c].mean != x[i] { // else its width may be right
			k.shape[c].mean, k.sigma[c] = x[i], 0
		}
		k.counts.add(k.bucket(x[i]), 1)
	}
	k.order = slices.Grow(k.order[:0], len(x))
	for _, i := range s.order(x, k.low, k.high) {
		k.order = append(k.order, components[i])
	}
}

// insert adds a component at the value x and returns where in the order it stands.
func (k *numericKernel) insert(component int32, x float64) int {
	mean := k.scaled(x)
	k.shape[component].mean, k.sigma[component] = mean, 0
	k.counts.add(k.bucket(mean), 1)
	j := k.search(component)
	k.order = slices.Insert(k.order, j, component)
	return j
}

// remove takes a component away and returns where it stood.
func (k *numericKernel) remove(component int32) int {
	j := k.search(component)
	k.order = slices.Delete(k.order, j, j+1)
	k.counts.add(k.bucket(k.shape[component].mean), -1)
	return j
}

// search returns the place in the order for a component, which need not be there.
func (k *numericKernel) search(component int32) int {
	mean := k.shape[component].mean
	return sort.Search(len(k.order), func(j int) bool {
		at := k.shape[k.order[j]].mean
		return at > mean || at == mean && k.order[j] >= component
	})
}

// logDensity returns the log density of a component at a place.
func (k *numericKernel) logDensity(component int32, at *place) float64 {
	return k.scale[component] + k.plain(k.shape[component].mean, k.sigma[component], at)
}

func (k *numericKernel) priorLogDensity(at *place) float64 {
	return k.prior.scale + k.plain(k.prior.mean, k.prior.sigma, at)
}

// plain is the log density but for what normalises it.
func (k *numericKernel) plain(mean, sigma float64, at *place) float64 {
	if k.step == 0 {
		z := (at.middle - mean) / sigma
		return -0.5 * z * z
	}
	return k.logMass(mean, sigma, at)
}

// logMass returns the log of what a normal distribution has of itself in a grid cell.
func (k *numericKernel) logMass(mean, sigma float64, at *place) float64 {
	if z, h := math.Abs(at.middle-mean)/sigma, 2*at.half/sigma; (z+2)*h < thin {
		return thinLogMass(z, h)
	}
	known := k.masses.at(mean, sigma, at.middle)
	if !known.is(mean, sigma, at.middle) {
		low, high := at.middle-at.half, at.middle+at.half
		*known = mass{mean, sigma, at.middle, logMass((low-mean)/sigma, (high-mean)/sigma)}
	}
	return known.log
}

// normalizer returns the log of what normalises a normal distribution.
func (k *numericKernel) normalizer(mean, sigma float64) float64 {
	scale := -logMass((k.low-mean)/sigma, (k.high-mean)/sigma)
	if k.step == 0 {
		scale -= logSqrt2Pi + math.Log(sigma)
	}
	return scale
}

// draw returns a value of a component, by drawing until it lies in the dimension: at least
// one draw in three does.
func (k *numericKernel) draw(component int32, rng *rand.Rand) float64 {
	return k.drawNormal(k.shape[component].mean, k.sigma[component], rng)
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

// bucket returns the place of a mean in the dimension's [histogram].
func (k *numericKernel) bucket(mean float64) int {
	return min(max(int((mean-k.low)/(k.high-k.low)*buckets), 0), buckets-1)
}

// within counts the components that may lie within so many of the least width of a place.
func (k *numericKernel) within(at, widths float64) int32 {
	radius := widths * k.narrowest
	return k.counts.count(k.bucket(at-radius), k.bucket(at+radius))
}
