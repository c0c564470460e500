package sampler

import (
	"math"
	"slices"
)

// A neighbour is a component that may matter at a point: its squared distance there, which
// begins with its handicap, and in the end its log density.
type neighbour struct {
	component int32
	distance  float64
}

// near returns the components whose squared distance is at most farthest, with their log
// densities, in the order of age.
func (p *parzen) near(at *spot, farthest float64) []neighbour {
	return p.nearAmong(at, p.turns(at, farthest), farthest, 0, len(p.handicap))
}

// roughSum adds up the components that are not farther, from the latest to the oldest, and the
// prior, until that is more than 1; exp(log) is 1. Where a search has come far, the latest
// trials lie where its candidates do.
func (p *parzen) roughSum(at *spot, log, farthest float64) float64 {
	sum, turns := p.priorWeight()*math.Exp(at.prior-log), p.turns(at, farthest)
	for to := len(p.handicap); to > 0 && sum <= 1+rounding; to -= block {
		for _, n := range p.nearAmong(at, turns, farthest, max(0, to-block), to) {
			sum += p.weight(n.component) * math.Exp(n.distance-log)
		}
	}
	return sum
}

// block is how many components [parzen.roughSum] looks at before it adds them up.
const block = 128

// nearAmong is near for the components from … to-1 alone.
func (p *parzen) nearAmong(at *spot, turns []int, farthest float64, from, to int) []neighbour {
	near := slices.Grow(p.scratch.near[:0], to-from)[:to-from]
	if len(turns) == 0 {
		kept := 0
		for c, handicap := range p.handicap[from:to] {
			near[kept] = neighbour{int32(from + c), handicap}
			if handicap <= farthest {
				kept++
			}
		}
		near = near[:kept]
	} else {
		near = p.firstNear(near, at, turns[0], turns[min(1, len(turns)-1)], farthest, from)
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
	p.scratch.near = near
	for i, n := range near {
		near[i].distance = p.logDensityOf(n.component, at)
	}
	p.remember(near)
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

// firstNear fills found, which has room for those components, with the ones after from that are
// near in two smooth dimensions, or one if they are the same.
func (p *parzen) firstNear(found []neighbour, spot *spot, first, second int, farthest float64, from int) []neighbour {
	handicaps := p.handicap[from:][:len(found)]
	one, two := p.smooth[first].shape[from:][:len(found)], p.smooth[second].shape[from:][:len(found)]
	at, then := spot.smooth[first].middle, spot.smooth[second].middle
	twice := 1.0
	if first == second {
		twice = 0
	}
	kept := 0
	for c, handicap := range handicaps {
		z := (at - one[c].mean) * one[c].inverse
		y := (then - two[c].mean) * two[c].inverse * twice
		distance := handicap + z*z + y*y
		// Written before it is known whether it stays: there is nothing to guess for the
		// processor, which would guess wrong half the time.
		found[kept] = neighbour{int32(from + c), distance}
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
