package sampler

import (
	"math"

	"github.com/supermax-hpo/supermax/shared/space"
)

// A dimension is the range of one parameter as the estimators see it. Points in it are
// plain numbers: the index of a choice, or the value itself.
type dimension struct {
	choices   int     // of a categorical parameter, else 0
	first     float64 // the lowest value, on the grid if there is one
	last      float64 // the highest value
	step      float64 // 0: a continuum
	log       bool
	low, high float64 // first and last widened by half a step, as logarithms if log

	// With a step, shared by all estimators of the dimension:
	masses *massCache
	table  *cellTable
}

func newDimension(p space.Param) dimension {
	if p.Kind == space.Categorical {
		return dimension{choices: p.Count()}
	}
	step := p.Step
	if p.Kind == space.IntRange && step == 0 {
		step = 1
	}
	return newRange(p.Low, p.High, step, p.Log)
}

func newRange(first, last, step float64, log bool) dimension {
	d := dimension{first: first, last: last, step: step, log: log}
	d.low, d.high = d.scaled(first-step/2), d.scaled(last+step/2)
	if step > 0 {
		d.masses, d.table = new(massCache), &cellTable{count: d.index(last) + 1}
	}
	return d
}

// scaled maps a value to the scale on which the parameter is modelled.
func (d dimension) scaled(x float64) float64 {
	if d.log {
		return math.Log(x)
	}
	return x
}

// uniform maps u in [0, 1) to a value, uniformly on the scale of the parameter.
func (d dimension) uniform(u float64) float64 { return d.value(d.low + u*(d.high-d.low)) }

// value maps a point on the scale of the parameter back to a value, on the grid if there
// is one.
func (d dimension) value(x float64) float64 {
	if d.log {
		x = math.Exp(x)
	}
	return d.nearest(x)
}

// nearest returns the value that lies nearest to x; a choice is its own.
func (d dimension) nearest(x float64) float64 {
	if d.choices > 0 {
		return x
	}
	if d.step > 0 {
		x = d.first + math.Round((x-d.first)/d.step)*d.step
	}
	return min(max(x, d.first), d.last)
}

// index returns the place of a value on the grid, 0 for the first.
func (d dimension) index(x float64) int { return int(math.Round((x - d.first) / d.step)) }
