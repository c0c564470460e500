package sampler

import (
	"math"
	"slices"
)

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

// A neighbour is a component that may matter at a point: its squared distance there, which
// begins with its handicap, and in the end its log density.
type neighbour struct {
	component int32
	distance  float64
}

// logDensity returns the log density at a point: with respect to the logarithm in a log
// dimension, a probability on a grid. Where that turns out to be greater than enough, the
// answer is +Inf and the rest is spared.
//
// Of a thousand trials in twenty dimensions nearly all lie so far from the point that they
// are nothing beside the prior, or beside one that is near. Dimension by dimension those drop
// out that are too far already. What stays is added up in the order of age, so that the sum is
// always the same.
func (p *parzen) logDensity(at *spot, enough float64) float64 {
	if len(p.filled) <= few {
		return p.sum(at.prior, p.logDensities(at))
	}
	b := p.bounds(at)
	if b.least > enough {
		return math.Inf(1)
	}
	near := p.findNear(at, b.farthest)
	p.scratch.near = near
	for i, n := range near {
		near[i].distance = p.logDensityOf(n.component, at)
	}
	p.remember(near)
	return p.sum(at.prior, near)
}

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
		place := k.place(x[d])
		at.prior += k.priorLogDensity(&place)
		if slot.dim.step > 0 {
			at.grids = append(at.grids, place)
		} else {
			at.smooth = append(at.smooth, place)
		}
	}
}

// findNear returns the components whose squared distance is, or may be, at most farthest.
func (p *parzen) findNear(at *spot, farthest float64) []neighbour {
	near := slices.Grow(p.scratch.near[:0], len(p.handicap))[:len(p.handicap)]
	if len(p.smooth) == 0 {
		kept := 0
		for c, handicap := range p.handicap {
			near[kept] = neighbour{int32(c), handicap}
			if handicap <= farthest {
				kept++
			}
		}
		near = near[:kept]
	} else {
		turns := p.turns(at, farthest)
		near = p.firstNear(near, at, turns[0], turns[min(1, len(turns)-1)], farthest)
		for turns = turns[min(2, len(turns)):]; len(turns) > 0; turns = turns[min(2, len(turns)):] {
			near = p.keepNear(near, at, turns[0], turns[min(1, len(turns)-1)], farthest)
		}
	}
	for i, k := range p.choices {
		near = k.keepNear(near, at.choice[i], farthest)
	}
	for i, k := range p.grids {
		near = k.keepOnGrid(near, &at.grids[i], farthest)
	}
	return near
}

// turns returns the smooth dimensions in the order in which to look at them: first the one
// that has the fewest components around the place.
func (p *parzen) turns(at *spot, farthest float64) []int {
	s := &p.scratch
	widths := math.Sqrt(max(farthest-p.nearest, 0))
	s.turn, s.crowds = s.turn[:0], s.crowds[:0]
	for d, k := range p.smooth {
		n := k.within(at.smooth[d].middle, widths)
		i := len(s.turn)
		s.turn, s.crowds = append(s.turn, d), append(s.crowds, n)
		for ; i > 0 && s.crowds[i-1] > n; i-- {
			s.turn[i], s.crowds[i] = s.turn[i-1], s.crowds[i-1]
		}
		s.turn[i], s.crowds[i] = d, n
	}
	return s.turn
}

// firstNear fills found, which has room for all components, with those that are near in two
// smooth dimensions, or one if they are the same.
func (p *parzen) firstNear(found []neighbour, spot *spot, first, second int, farthest float64) []neighbour {
	one, two := p.smooth[first].shape[:len(p.handicap)], p.smooth[second].shape[:len(p.handicap)]
	at, then := spot.smooth[first].middle, spot.smooth[second].middle
	twice := 1.0
	if first == second {
		twice = 0
	}
	kept := 0
	for c, handicap := range p.handicap {
		z := (at - one[c].mean) * one[c].inverse
		y := (then - two[c].mean) * two[c].inverse * twice
		distance := handicap + z*z + y*y
		// Written before it is known whether it stays: there is nothing to guess for the
		// processor, which would guess wrong half the time.
		found[kept] = neighbour{int32(c), distance}
		if distance <= farthest {
			kept++
		}
	}
	return found[:kept]
}

// keepNear adds the distances in two smooth dimensions, or one if they are the same, and keeps
// what is still near.
func (p *parzen) keepNear(found []neighbour, spot *spot, first, second int, farthest float64) []neighbour {
	one, two := p.smooth[first].shape, p.smooth[second].shape
	at, then := spot.smooth[first].middle, spot.smooth[second].middle
	twice := 1.0
	if first == second {
		twice = 0
	}
	kept := 0
	for _, f := range found {
		c := f.component
		z := (at - one[c].mean) * one[c].inverse
		y := (then - two[c].mean) * two[c].inverse * twice
		f.distance += z*z + y*y
		found[kept] = f
		if f.distance <= farthest {
			kept++
		}
	}
	return found[:kept]
}

// keepNear does it for a categorical dimension.
func (k *categoricalKernel) keepNear(found []neighbour, choice int32, farthest float64) []neighbour {
	kept := 0
	for _, f := range found {
		f.distance -= 2 * k.logDensity(f.component, choice)
		found[kept] = f
		if f.distance <= farthest {
			kept++
		}
	}
	return found[:kept]
}

// keepOnGrid does it for a dimension with a grid, with a bound: what lies beyond z widths is at
// most exp(−z²/2) of all.
func (k *numericKernel) keepOnGrid(found []neighbour, at *place, farthest float64) []neighbour {
	kept := 0
	for _, f := range found {
		shape := &k.shape[f.component]
		z := max((math.Abs(at.middle-shape.mean)-at.half)*shape.inverse, 0)
		f.distance += z * z
		found[kept] = f
		if f.distance <= farthest {
			kept++
		}
	}
	return found[:kept]
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
