package sampler

import (
	"math"
	"slices"
)

// landmarks are how many components a density remembers from point to point.
const landmarks = 4

// bounds are what is known of the density at a point before the components near it are looked
// for.
type bounds struct {
	farthest float64 // a component at a greater squared distance is nothing beside the others
	least    float64 // the log density is no less
}

// bounds returns what follows from the prior and the landmarks: the density is at least what
// these add, and what is nothing beside one of them need not be looked at. Where a search has
// come far its candidates are close together and so have the same neighbours, beside which
// the prior is nothing.
func (p *parzen) bounds(at *spot) bounds {
	top := at.prior + math.Log(p.priorWeight())
	marks := p.scratch.marks
	var added [landmarks]float64
	for i, c := range marks {
		added[i] = math.Log(p.weight(c)) + p.logDensityOf(c, at)
		top = max(top, added[i])
	}
	sum := 0.0
	for _, log := range added[:len(marks)] {
		sum += math.Exp(log - top)
	}
	return bounds{
		farthest: p.farthest(top, p.invisible),
		least:    top + math.Log(sum/p.total) - rounding,
	}
}

// remember makes the component that adds most at a point a landmark, in the place of the
// oldest one if there are enough. The components' log densities stand for their distances.
func (p *parzen) remember(near []neighbour) {
	if len(near) == 0 {
		return
	}
	most := near[0]
	for _, n := range near[1:] {
		if n.distance > most.distance {
			most = n
		}
	}
	marks := &p.scratch.marks
	if slices.Contains(*marks, most.component) {
		return
	}
	if len(*marks) == landmarks {
		*marks = slices.Delete(*marks, 0, 1)
	}
	*marks = append(*marks, most.component)
}

// forgetLandmarks begins a series of points: what was looked at before must not decide which
// components are left out.
func (p *parzen) forgetLandmarks() { p.scratch.marks = p.scratch.marks[:0] }

// logDensityOf returns a component's log density.
func (p *parzen) logDensityOf(c int32, at *spot) float64 {
	distance := p.handicap[c]
	for i, k := range p.smooth {
		z := (at.smooth[i].middle - k.shape[c].mean) * k.shape[c].inverse
		distance += z * z
	}
	log := -0.5 * distance
	for i, k := range p.choices {
		log += k.logDensity(c, at.choice[i])
	}
	for i, k := range p.grids {
		log += k.logMass(k.shape[c].mean, k.sigma[c], &at.grids[i])
	}
	return log
}
