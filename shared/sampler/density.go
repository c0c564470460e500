package sampler

import "math"

const (
	// negligible is how far, in logs, a component may lie below the prior and be left out of
	// a density: a hundred thousand of them change it by less than its rounding.
	negligible = 45
	// invisible is how far below the largest one a term may lie that is not added to a sum.
	invisible = 45
)

// scratch is what [parzen.logDensity] needs for the time of a call.
type scratch struct {
	smooth, grids []place
	choice        []int32
	components    []int32
	distance      []float64 // of components: the squared distance, then the log density
	bound         []float64 // what the grids from one on can add to a log density
}

// logDensity returns the log density at a point: with respect to the logarithm in a log
// dimension, a probability on a grid.
//
// Of a thousand trials in twenty dimensions nearly all lie so far from the point that they
// are nothing beside the prior: a bound on their squared distance, which costs a small part
// of their density, leaves them out. Components are added up by their age, so that the sum
// is always the same.
func (p *parzen) logDensity(x []float64) float64 {
	s := &p.scratch
	prior := p.locate(x)
	reach := 0.0
	for _, k := range p.smooth {
		reach += k.reach()
	}
	s.bound = append(s.bound[:0], 0)
	for i := len(p.grids) - 1; i >= 0; i-- {
		s.bound = append(s.bound, s.bound[len(s.bound)-1]+p.grids[i].reach())
	}
	gridReach := s.bound[len(p.grids)]
	least := prior + p.logHeaviest - negligible
	p.near(2 * (reach + gridReach - least))
	kept := 0
	for i, c := range s.components {
		log := p.norm(c) - 0.5*s.distance[i]
		s.components[kept], s.distance[kept] = c, log
		if log+gridReach >= least {
			kept++
		}
	}
	for g, k := range p.grids {
		kept = p.keepOnGrid(k, s.grids[g], least-s.bound[len(p.grids)-g-1], kept)
	}
	for i, k := range p.choices {
		kept2 := 0
		choice := s.choice[i]
		for j, c := range s.components[:kept] {
			log := s.distance[j] + k.logDensity(c, choice)
			s.components[kept2], s.distance[kept2] = c, log
			if log >= least {
				kept2++
			}
		}
		kept = kept2
	}
	return p.sum(kept, prior)
}

// locate finds where x lies in each dimension and returns the prior's log density there.
func (p *parzen) locate(x []float64) float64 {
	s := &p.scratch
	s.smooth, s.grids, s.choice = s.smooth[:0], s.grids[:0], s.choice[:0]
	prior := 0.0
	for d, slot := range p.dims {
		k := p.numeric(slot)
		if k == nil {
			s.choice = append(s.choice, int32(x[d]))
			prior += p.choices[slot.index].logPrior
			continue
		}
		at := k.place(x[d])
		prior += k.priorLogDensity(at)
		if slot.dim.step > 0 {
			s.grids = append(s.grids, at)
		} else {
			s.smooth = append(s.smooth, at)
		}
	}
	return prior
}

// near finds the components whose squared distance in the smooth dimensions, in their widths,
// is at most farthest.
func (p *parzen) near(farthest float64) {
	s := &p.scratch
	n := len(p.filled)
	if cap(s.components) < n {
		s.components, s.distance = make([]int32, 2*n), make([]float64, 2*n)
	}
	components, distance := s.components[:n], s.distance[:n]
	kept := 0
	for d, k := range p.smooth {
		at := s.smooth[d].low
		if d == 0 {
			mean, inverse := k.mean[:n], k.inverse[:n]
			for c := range mean {
				z := (at - mean[c]) * inverse[c]
				// Written before it is known whether it stays: there is nothing to guess for
				// the processor, which would guess wrong half the time.
				total := z * z
				components[kept], distance[kept] = int32(c), total
				if total <= farthest {
					kept++
				}
			}
			continue
		}
		mean, inverse := k.mean, k.inverse
		before := components[:kept]
		kept = 0
		for i, c := range before {
			z := (at - mean[c]) * inverse[c]
			total := distance[i] + z*z
			components[kept], distance[kept] = c, total
			if total <= farthest {
				kept++
			}
		}
	}
	if len(p.smooth) == 0 {
		for c, filled := range p.filled {
			if filled {
				components[kept], distance[kept] = int32(c), 0
				kept++
			}
		}
	}
	s.components, s.distance = components[:kept], distance[:kept]
}

// norm returns the log density of a component at its centre in the smooth dimensions.
func (p *parzen) norm(component int32) float64 {
	if len(p.smooth) == 0 {
		return 0
	}
	norm := p.logNorm[component]
	if math.IsNaN(norm) {
		norm = 0
		for _, k := range p.smooth {
			norm += k.scale(k.mean[component], k.sigma[component])
		}
		p.logNorm[component] = norm
	}
	return norm
}

// keepOnGrid adds a grid's log probabilities to the first kept components and returns how
// many of them reach least.
func (p *parzen) keepOnGrid(k *numericKernel, at place, least float64, kept int) int {
	s := &p.scratch
	middle, half := (at.low+at.high)/2, (at.high-at.low)/2
	reach := k.reach()
	stay := 0
	for i, c := range s.components[:kept] {
		log := s.distance[i]
		if z := (math.Abs(middle-k.mean[c]) - half) * k.inverse[c]; z > 0 && log+reach-0.5*z*z < least {
			continue
		}
		if log += k.logDensity(c, at); log >= least {
			s.components[stay], s.distance[stay] = c, log
			stay++
		}
	}
	return stay
}

// sum returns the log density of the mixture of the prior and the first kept components.
func (p *parzen) sum(kept int, prior float64) float64 {
	s := &p.scratch
	top := prior
	for _, log := range s.distance[:kept] {
		top = max(top, log)
	}
	total := p.priorWeight() * math.Exp(prior-top)
	for i, log := range s.distance[:kept] {
		if log > top-invisible {
			total += p.weight(s.components[i]) * math.Exp(log-top)
		}
	}
	return top + math.Log(total/p.total)
}
