package space

import (
	"math"
	"strconv"
)

// gridTolerance is how far from a grid point, in steps, a float still means it: 0.05 × 3
// is not 0.15 in binary.
const gridTolerance = 1e-6

// Count returns how many values p takes while active, 0 for a continuum.
func (p Param) Count() int { return p.count() }

// The methods in lower case are those of their names without the copy of a Param, which
// costs more than they do.
func (p *Param) count() int {
	switch {
	case p.Kind == Categorical:
		return len(p.Choices)
	case p.Low == p.High:
		return 1
	case p.stride() == 0:
		return 0
	}
	return int(math.Round((p.High-p.Low)/p.stride())) + 1
}

// At returns value i of the [Param.Count] values of p, in ascending order (or the order
// of Choices). It is the zero Value where there is no such value.
func (p Param) At(i int) Value { return p.at(i) }

func (p *Param) at(i int) Value {
	count := p.count()
	if i < 0 || i >= count {
		return Value{}
	}
	switch {
	case p.Kind == Categorical:
		return p.Choices[i]
	case p.Kind == IntRange:
		return Int(int(p.Low + float64(i)*p.stride()))
	case i == 0:
		return Float(p.Low)
	case i == count-1:
		return Float(p.High)
	}
	if x, ok := p.decimal(i); ok {
		return Float(x)
	}
	return Float(round12(p.Low + float64(i)*p.Step))
}

// decimal returns value i for a low and a step with few decimals, as those that a person
// writes: in units of the last decimal they are whole numbers, and so is their sum. It is the
// nearest float to the decimal number, and many times faster than [round12].
func (p *Param) decimal(i int) (float64, bool) {
	for unit := 1.0; unit <= 1e6; unit *= 10 {
		low, step := math.Round(p.Low*unit), math.Round(p.Step*unit)
		if low/unit == p.Low && step/unit == p.Step {
			sum := low + float64(i)*step
			return sum / unit, math.Abs(sum) < 1e12
		}
	}
	return 0, false
}

// Index returns the i for which [Param.At] gives v, or -1.
func (p Param) Index(v Value) int {
	c, ok := p.canonical(v)
	switch {
	case !ok || p.Count() == 0:
		return -1
	case p.Kind == Categorical:
		return indexOf(p.Choices, c)
	case p.Low == p.High:
		return 0
	}
	f, _ := c.AsFloat()
	return int(math.Round((f - p.Low) / p.stride()))
}

// Nearest returns the value of a float or int parameter that lies nearest to x, which may
// lie outside the range. It is the zero Value for a categorical parameter and for NaN.
func (p Param) Nearest(x float64) Value { return p.nearest(x) }

func (p *Param) nearest(x float64) Value {
	if p.Kind == Categorical || math.IsNaN(x) {
		return Value{}
	}
	x = min(max(x, p.Low), p.High)
	if p.count() == 0 {
		return Float(x)
	}
	if p.Low == p.High {
		return p.at(0)
	}
	return p.at(int(math.Round((x - p.Low) / p.stride())))
}

// stride is the distance between neighbouring values, 0 for a continuum.
func (p *Param) stride() float64 {
	if p.Kind == IntRange && p.Step == 0 {
		return 1
	}
	return p.Step
}

// round12 keeps 12 significant digits, so that 0.05 + 2·0.05 is 0.15 and not
// 0.15000000000000002.
func round12(x float64) float64 {
	f, err := strconv.ParseFloat(strconv.FormatFloat(x, 'g', 12, 64), 64)
	if err != nil {
		return x
	}
	return f
}
