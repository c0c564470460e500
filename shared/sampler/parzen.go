package sampler

import (
	"math"
	"math/rand/v2"
	"slices"
	"sort"
)

// parzenConfig holds the choices in building a [parzen]; [defaultParzen] has those of the
// published TPE.
type parzenConfig struct {
	priorWeight float64 // of the prior, where an observation's weight is at most 1
	magicClip   bool    // kernels are never narrower than the observations are dense
	fineness    float64 // on a continuum they may be so many times narrower
	endpoints   bool    // the bounds count as neighbours of the outermost observations
	scott       bool    // one width for all, by the number of observations and dimensions
}

var defaultParzen = parzenConfig{priorWeight: 1, magicClip: true, fineness: 1}

// A parzen is a density over several dimensions, estimated from observations: a mixture
// with a component for each of them, the product of one kernel a dimension, and a prior
// over the whole range. Falkner, Klein and Hutter, "BOHB" (2018), join the dimensions in
// this way.
//
// Components are numbered by the age of their observations, with gaps. They come and go
// one at a time, and what is worked out for one stays until it or a neighbour changes:
// between two suggestions little does. [parzen.settle] ends a series of changes. What is
// estimated depends on the observations alone, to the last bit, not on the way to them.
type parzen struct {
	cfg     parzenConfig
	dims    []slot
	smooth  []*numericKernel // the continuous dimensions
	grids   []*numericKernel
	choices []*categoricalKernel

	n      int
	filled []bool    // by component: there is one
	given  []float64 // the weights, oldest first; nil: [recency]
	rank   []int32   // by component: how many are older
	// handicap is, by component, what its squared distance from a point begins with: minus
	// twice the log of what normalises it in the numeric dimensions. +Inf: there is none.
	handicap []float64
	stale    []int32 // the components whose handicap is to be worked out, each once
	isStale  []bool  // by component

	narrowest   float64 // the clip, as a share of a dimension, for which the widths are right
	total       float64 // of the weights, the prior's included
	nearest     float64 // a handicap that few are below
	logGreatest float64 // log of the greatest weight of an observation
	invisible   float64 // [invisible] of that many components
	scratch     scratch
}

// A slot is a dimension's place among those of its kind.
type slot struct {
	dim   dimension
	index int // in smooth, grids or choices
}

func newParzen(dims []dimension, cfg parzenConfig) *parzen {
	p := &parzen{cfg: cfg}
	for _, d := range dims {
		s := slot{dim: d}
		switch {
		case d.choices > 0:
			s.index = len(p.choices)
			p.choices = append(p.choices, newCategoricalKernel(d.choices, cfg))
		case d.step > 0:
			s.index = len(p.grids)
			p.grids = append(p.grids, newNumericKernel(d, cfg))
		default:
			s.index = len(p.smooth)
			p.smooth = append(p.smooth, newNumericKernel(d, cfg))
		}
		p.dims = append(p.dims, s)
	}
	p.settle()
	return p
}

// numeric returns the kernel of a dimension, nil for a categorical one.
func (p *parzen) numeric(s slot) *numericKernel {
	switch {
	case s.dim.choices > 0:
		return nil
	case s.dim.step > 0:
		return p.grids[s.index]
	}
	return p.smooth[s.index]
}

// grow makes room for the components 0 … n-1.
func (p *parzen) grow(n int) {
	if n <= len(p.filled) {
		return
	}
	for len(p.filled) < n {
		p.filled, p.isStale, p.handicap = append(p.filled, false), append(p.isStale, false), append(p.handicap, math.Inf(1))
	}
	for _, k := range p.smooth {
		k.grow(n)
	}
	for _, k := range p.grids {
		k.grow(n)
	}
	for _, k := range p.choices {
		k.grow(n)
	}
}

// fill makes these the only components. column returns a dimension's
// values, one a component, in memory that may be overwritten.
func (p *parzen) fill(components []int32, column func(d int) []float64, s *sorter) {
	for c := range p.filled {
		p.filled[c], p.handicap[c] = false, math.Inf(1)
	}
	if len(components) > 0 {
		p.grow(int(slices.Max(components)) + 1)
	}
	p.n = len(components)
	for _, c := range components {
		p.filled[c] = true
		p.outdate(c)
	}
	for d, slot := range p.dims {
		x := column(d)
		if k := p.numeric(slot); k != nil {
			k.fill(components, x, s)
			continue
		}
		for i, c := range components {
			p.choices[slot.index].choice[c] = int32(x[i])
		}
	}
	p.narrowest = math.NaN() // no width is right
	p.settle()
}

// insert adds a component that was not there, with its value by dimension.
func (p *parzen) insert(component int32, value func(d int) float64) {
	p.grow(int(component) + 1)
	p.filled[component] = true
	p.n++
	p.outdate(component)
	for d, slot := range p.dims {
		if k := p.numeric(slot); k != nil {
			j := k.insert(component, value(d))
			p.touch(slot, j-1, j+2)
		} else {
			p.choices[slot.index].choice[component] = int32(value(d))
		}
	}
}

// remove takes a component away.
func (p *parzen) remove(component int32) {
	p.filled[component] = false
	p.n--
	p.handicap[component] = math.Inf(1)
	for _, slot := range p.dims {
		if k := p.numeric(slot); k != nil {
			j := k.remove(component)
			p.touch(slot, j-1, j+1)
		}
	}
}

// touch sets the widths of the components at from … to-1 in a dimension's order anew.
func (p *parzen) touch(s slot, from, to int) {
	p.numeric(s).widen(from, to, len(p.dims), p.outdate)
}

// outdate has a component's handicap worked out anew.
func (p *parzen) outdate(component int32) {
	if !p.isStale[component] {
		p.isStale[component] = true
		p.stale = append(p.stale, component)
	}
}

// settle sets what follows from the number and the age of the components.
func (p *parzen) settle() {
	if narrowest := p.cfg.narrowest(p.n, 1, true); narrowest != p.narrowest || p.cfg.scott {
		p.narrowest = narrowest
		for _, slot := range p.dims {
			if k := p.numeric(slot); k != nil {
				k.narrowest = p.cfg.narrowest(p.n, k.high-k.low, k.step > 0)
				p.touch(slot, 0, p.n)
			}
		}
	}
	for _, c := range p.stale {
		p.isStale[c] = false
		if p.filled[c] {
			p.handicap[c] = p.startOf(c)
		}
	}
	p.nearest = 0
	for _, k := range p.smooth {
		p.nearest += 2 * (logSqrt2Pi + math.Log(k.narrowest))
	}
	for _, s := range p.dims {
		if k := p.numeric(s); k != nil {
			k.counts.settle()
			if len(p.stale) > 0 {
				k.forgetCells()
			}
		}
	}
	p.stale = p.stale[:0]
	for _, k := range p.choices {
		k.settle(p.n)
	}
	p.rank = slices.Grow(p.rank[:0], len(p.filled))[:len(p.filled)]
	older := int32(0)
	for c, filled := range p.filled {
		p.rank[c] = older
		if filled {
			older++
		}
	}
	p.invisible = invisible(p.n)
	p.total, p.logGreatest = p.totalWeight(), 0
	if len(p.given) > 0 {
		p.logGreatest = math.Log(slices.Max(p.given))
	}
}

func (p *parzen) startOf(component int32) float64 {
	handicap := 0.0
	for _, k := range p.smooth {
		handicap -= 2 * k.scale[component]
	}
	for _, k := range p.grids {
		handicap -= 2 * k.scale[component]
	}
	return handicap
}

// weight returns a component's weight before they are made to add up to 1.
func (p *parzen) weight(component int32) float64 {
	if p.given != nil {
		return p.given[p.rank[component]]
	}
	return recency(int(p.rank[component]), p.n)
}

// priorWeight returns the prior's; without observations it has all.
func (p *parzen) priorWeight() float64 {
	if p.n == 0 {
		return 1
	}
	return p.cfg.priorWeight
}

func (p *parzen) totalWeight() float64 {
	if p.given == nil {
		return totalRecency(p.n) + p.priorWeight()
	}
	total := p.priorWeight()
	for _, w := range p.given {
		total += w
	}
	return total
}

// recent observations count in full.
const recent = 25

// recency returns the weight of one of n observations by its age, 0 for the oldest: 1 for the
// latest 25, rising linearly from 1/n for those before.
func recency(age, n int) float64 {
	old := n - recent
	switch {
	case age >= old:
		return 1
	case old == 1:
		return 1 / float64(n)
	}
	return 1/float64(n) + (1-1/float64(n))*float64(age)/float64(old-1)
}

// totalRecency returns the sum of the weights of n observations.
func totalRecency(n int) float64 {
	old := n - recent
	switch {
	case old <= 0:
		return float64(n)
	case old == 1:
		return recent + 1/float64(n)
	}
	return recent + float64(old)*(1+1/float64(n))/2
}

// A drawer draws from a [parzen] that does not change meanwhile.
type drawer struct {
	p          *parzen
	components []int32
	cumulative []float64 // of the components' weights; the prior takes what lies beyond
}

func (p *parzen) drawer() *drawer {
	d := &drawer{p: p}
	sum := 0.0
	for c, filled := range p.filled {
		if filled {
			sum += p.weight(int32(c))
			d.components, d.cumulative = append(d.components, int32(c)), append(d.cumulative, sum)
		}
	}
	return d
}

// draw puts a point into x, which has a place for each dimension.
func (d *drawer) draw(rng *rand.Rand, x []float64) {
	sum := 0.0
	if n := len(d.cumulative); n > 0 {
		sum = d.cumulative[n-1]
	}
	u := rng.Float64() * (sum + d.p.priorWeight())
	i := sort.Search(len(d.cumulative), func(i int) bool { return u < d.cumulative[i] })
	for j, s := range d.p.dims {
		k := d.p.numeric(s)
		switch {
		case i == len(d.components) && k == nil:
			x[j] = d.p.choices[s.index].drawPrior(rng)
		case i == len(d.components):
			x[j] = k.drawPrior(rng)
		case k == nil:
			x[j] = d.p.choices[s.index].draw(d.components[i], rng)
		default:
			x[j] = k.draw(d.components[i], rng)
		}
	}
}
