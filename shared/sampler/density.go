package sampler

import "math"

// invisible is how far, in logs, n terms may lie below another of the same sum and be left out:
// all of them together change it by less than 1e-9 of it.
func invisible(n int) float64 { return 21 + math.Log(float64(n+1)) }

// A spot is a point as estimators of the same dimensions see it.
type spot struct {
	smooth, grids []place // by dimension of that kind
	choice        []int32
	prior         float64 // the prior's log density
}

// scratch is what [parzen.logDensity] needs for the time of a call.
type scratch struct {
	crowds []int32 // by smooth dimension: how many components may be near
	turn   []int   // the smooth dimensions, the one that rules out most first
	near   []neighbour
	marks  []int32 // see [parzen.remember]
}

// logDensity returns the log density at a point: with respect to the logarithm in a log
// dimension, a probability on a grid. Where that turns out to be greater than enough, the
// answer is +Inf and the rest is spared.
//
// Of a thousand trials in twenty dimensions nearly all lie so far from the point that they
// are nothing beside the prior, or beside one that is near: they are left out (near.go). What
// stays is added up in the order of age, so that the sum is always the same.
func (p *parzen) logDensity(at *spot, enough float64) float64 {
	if len(p.filled) <= few {
		return p.sum(at.prior, p.logDensities(at))
	}
	b := p.bounds(at)
	if b.least > enough {
		return math.Inf(1)
	}
	// Mostly a few components make it more than enough. They are looked for as if what is a
	// little less than enough were nothing, so that few others are met on the way.
	log := enough + math.Log(p.total)
	if rough := p.farthest(log, roughly); rough < b.farthest && !math.IsInf(enough, 1) {
		sum := p.roughSum(at, log, rough)
		if sum > 1+rounding {
			return math.Inf(1)
		}
		b.farthest = min(b.farthest, p.farthest(log+math.Log(sum), p.invisible))
	}
	return p.sum(at.prior, p.near(at, b.farthest))
}

// roughly is how far, in logs, a component that is looked for may lie below enough.
const roughly = 2

// rounding is more than the errors of a sum.
const rounding = 1e-9

// farthest is the squared distance beyond which every component adds less than exp(log-margin),
// where the weights are not made to add up to 1.
func (p *parzen) farthest(log, margin float64) float64 { return -2 * (log - p.logGreatest - margin) }

// locate sets at to where x lies in each dimension.
func (p *parzen) locate(x []float64, at *spot) {
	at.smooth, at.grids, at.choice, at.prior = at.smooth[:0], at.grids[:0], at.choice[:0], 0
	for d, slot := range p.dims {
		k := p.numeric(slot)
		if k == nil {
			at.choice = append(at.choice, int32(x[d]))
			at.prior += p.choices[slot.index].logPrior
			continue
		}
		place, prior := k.locate(x[d])
		at.prior += prior
		if slot.dim.step > 0 {
			at.grids = append(at.grids, place)
		} else {
			at.smooth = append(at.smooth, place)
		}
	}
}

// sum returns the log density of the mixture of the prior and the components, whose own log
// densities stand for their distances.
func (p *parzen) sum(prior float64, components []neighbour) float64 {
	top := prior
	for _, c := range components {
		top = max(top, c.distance)
	}
	least := top - p.invisible
	total := p.priorWeight() * math.Exp(prior-top)
	for _, c := range components {
		if c.distance > least {
			total += p.weight(c.component) * math.Exp(c.distance-top)
		}
	}
	return top + math.Log(total/p.total)
}
