package space

import (
	"fmt"
	"math"
	"slices"
)

// A Point is a complete assignment in numbers, one a parameter in the space's order: the
// index of a categorical parameter's choice, the value of another, NaN while the parameter
// is off. It says what the assignment says in a fraction of its memory.
type Point []float64

// Point returns where a complete assignment lies; [Space.Assignment] leads back. The error,
// an [*Error], names the first parameter that is active and missing or whose value is not
// allowed.
func (s *Space) Point(a Assignment) (Point, error) {
	point := make(Point, len(s.Params))
	for i := range s.Params {
		p := &s.Params[i]
		if !s.active(a, i) {
			point[i] = math.NaN()
			continue
		}
		v, ok := a[p.Name]
		if !ok {
			return nil, &Error{Param: p.Name, Problem: "is missing; allowed: " + p.Allowed()}
		}
		c, ok := p.canonical(v)
		switch {
		case !ok:
			return nil, &Error{Param: p.Name, Problem: quote(v) + " is not allowed; allowed: " + p.Allowed()}
		case p.Kind == Categorical:
			point[i] = float64(indexOf(p.Choices, c))
		default:
			point[i], _ = c.AsFloat()
		}
	}
	return point, nil
}

// Assignment returns the complete assignment at a point that [Space.CheckPoint] accepts.
func (s *Space) Assignment(point Point) Assignment {
	a := make(Assignment, len(s.Params))
	for i := range s.Params {
		p, v := &s.Params[i], s.Params[i].Otherwise
		if !math.IsNaN(point[i]) {
			v = p.value(point[i])
		}
		a[p.Name] = v
	}
	return a
}

// Equal reports whether two points of one space are the same.
func (point Point) Equal(other Point) bool {
	return slices.EqualFunc(point, other, func(x, y float64) bool { return x == y || math.IsNaN(x) && math.IsNaN(y) })
}

// CheckPoint checks that a point has a number for each parameter, in its range or NaN. Of a
// point that was made in another way than by [Space.Point] it does not find out whether a
// number lies on its parameter's grid, or NaN where its condition is off; such a point
// still means an assignment.
func (s *Space) CheckPoint(point Point) error {
	if len(point) != len(s.Params) {
		return fmt.Errorf("a point of %d numbers is not one of %d parameters", len(point), len(s.Params))
	}
	for i := range s.Params {
		if p := &s.Params[i]; !p.spans(point[i]) {
			return &Error{Param: p.Name, Problem: fmt.Sprintf("is %v in a point; allowed: %s", point[i], p.Allowed())}
		}
	}
	return nil
}

// spans reports whether x may stand for p in a [Point].
func (p *Param) spans(x float64) bool {
	low, high := p.Low, p.High
	if p.Kind == Categorical {
		low, high = 0, float64(len(p.Choices)-1)
	}
	if !(x >= low && x <= high) {
		return math.IsNaN(x)
	}
	return p.Kind == FloatRange || x == math.Trunc(x)
}

// Value returns what a number of a [Point] means: that choice of a categorical parameter,
// the nearest value of another. NaN means none.
func (p Param) Value(x float64) Value { return p.value(x) }

func (p *Param) value(x float64) Value {
	if p.Kind == Categorical && !math.IsNaN(x) {
		return p.at(int(x))
	}
	return p.nearest(x)
}
