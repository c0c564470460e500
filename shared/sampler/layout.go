package sampler

import (
	"math"
	"slices"

	"github.com/supermax-hpo/supermax/shared/space"
)

// A layout is a space by the places of its parameters, which is what points have.
type layout struct {
	space  *space.Space
	params []space.Param
	dims   []dimension
	parent []int     // the place of the parameter that the condition names; -1: always active
	fixed  []float64 // the coordinate of a parameter with one value only, else NaN
}

func newLayout(s *space.Space) layout {
	l := layout{space: s, params: s.Params}
	for _, p := range s.Params {
		parent := -1
		if p.When != nil {
			parent = slices.IndexFunc(s.Params, func(q space.Param) bool { return q.Name == p.When.Param })
		}
		fixed := math.NaN()
		if v, ok := p.Fixed(); ok {
			fixed = coordinate(&p, v)
		}
		l.dims, l.parent, l.fixed = append(l.dims, newDimension(p)), append(l.parent, parent), append(l.fixed, fixed)
	}
	return l
}

// free reports whether parameter i has more than one value.
func (l *layout) free(i int) bool { return math.IsNaN(l.fixed[i]) }

// active reports whether parameter i is switched on at a point that is known up to it.
func (l *layout) active(point space.Point, i int) bool {
	parent := l.parent[i]
	if parent < 0 {
		return true
	}
	x := point[parent]
	return !math.IsNaN(x) && l.params[i].When.Holds(l.params[parent].Value(x))
}

// assemble walks the space and takes from choose a number for each parameter that is
// active and not fixed, then puts it on the parameter's grid.
func (l *layout) assemble(choose func(i int) float64) space.Point {
	point := make(space.Point, len(l.params))
	for i := range point {
		switch {
		case !l.active(point, i):
			point[i] = math.NaN()
		case !l.free(i):
			point[i] = l.fixed[i]
		default:
			point[i] = l.onGrid(i, choose(i))
		}
	}
	return point
}

// onGrid returns the coordinate of the value of parameter i that lies nearest to x.
func (l *layout) onGrid(i int, x float64) float64 {
	p := &l.params[i]
	if p.Kind != space.FloatRange || p.Step == 0 {
		return l.dims[i].nearest(x)
	}
	// The grid's own float, which is not always the one that arithmetic gives.
	at, _ := p.Nearest(x).AsFloat()
	return at
}

// coordinate returns the number of a point that means v.
func coordinate(p *space.Param, v space.Value) float64 {
	if p.Kind == space.Categorical {
		return float64(p.Index(v))
	}
	x, _ := v.AsFloat()
	return x
}
