package space

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Kind says which values a parameter takes.
type Kind string

// The kinds of parameters.
const (
	Categorical Kind = "categorical" // one of Choices
	FloatRange  Kind = "float"       // a number in [Low, High]
	IntRange    Kind = "int"         // a whole number in [Low, High]
)

// A Param is one dimension of a [Space]. Its JSON form round-trips exactly.
type Param struct {
	Name string `json:"name"` // dotted: optim.lr
	Kind Kind   `json:"kind"`

	// Choices are a categorical parameter's values, all of one type, in the order of the
	// space file. The order carries no meaning.
	Choices []Value `json:"choices,omitempty"`

	// Low and High bound a float or int parameter; both belong to it. With a Step, the
	// values are Low, Low+Step, … and High is one of them; Step 0 is a continuum (float) or
	// every whole number (int). Log says that ratios matter rather than differences.
	Low  float64 `json:"low,omitempty"`
	High float64 `json:"high,omitempty"`
	Step float64 `json:"step,omitempty"`
	Log  bool    `json:"log,omitempty"`

	// When switches the parameter on; nil: it is always active. Otherwise is its value while
	// it is off, which need not be one of its choices or in its range.
	When      *Condition `json:"when,omitempty"`
	Otherwise Value      `json:"otherwise,omitzero"`
}

// A Condition holds while the named parameter is itself active and its value is one of In
// or, where Above is set, greater than Above. Exactly one of the two is set.
type Condition struct {
	Param string   `json:"param"`
	In    []Value  `json:"in,omitempty"`
	Above *float64 `json:"above,omitempty"`
}

// Holds reports whether v, the value of the parameter c.Param, satisfies c.
func (c Condition) Holds(v Value) bool {
	if c.Above != nil {
		f, ok := v.AsFloat()
		return ok && f > *c.Above
	}
	return indexOf(c.In, v) >= 0
}

// holdsSomewhere reports whether some value of p satisfies c.
func (c Condition) holdsSomewhere(p Param) bool {
	if p.Kind == Categorical {
		for _, v := range p.Choices {
			if c.Holds(v) {
				return true
			}
		}
		return false
	}
	if c.Above != nil {
		return p.High > *c.Above
	}
	for _, v := range c.In {
		if p.Contains(v) {
			return true
		}
	}
	return false
}

// Contains reports whether v is a value that p takes while it is active.
func (p Param) Contains(v Value) bool {
	_, ok := p.canonical(v)
	return ok
}

// canonical returns the one form of v that assignments of a space hold: the choice itself,
// an integer for an int parameter, the grid's own float for a stepped one.
func (p Param) canonical(v Value) (Value, bool) {
	if p.Kind == Categorical {
		i := indexOf(p.Choices, v)
		if i < 0 {
			return Value{}, false
		}
		return p.Choices[i], true
	}
	f, ok := v.AsFloat()
	if !ok || !(f >= p.Low && f <= p.High) { // NaN is outside
		return Value{}, false
	}
	if p.Kind == FloatRange && p.Step == 0 {
		return Float(f), true
	}
	near := p.Nearest(f)
	at, _ := near.AsFloat()
	if p.Kind == IntRange && at != f || math.Abs(at-f) > gridTolerance*p.stride() {
		return Value{}, false
	}
	return near, true
}

// gridTolerance is how far from a grid point, in steps, a float still means it: 0.05 × 3
// is not 0.15 in binary.
const gridTolerance = 1e-6

// Count returns how many values p takes while active, 0 for a continuum.
func (p Param) Count() int {
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
func (p Param) At(i int) Value {
	if i < 0 || i >= p.Count() {
		return Value{}
	}
	switch {
	case p.Kind == Categorical:
		return p.Choices[i]
	case p.Kind == IntRange:
		return Int(int(p.Low + float64(i)*p.stride()))
	case i == 0:
		return Float(p.Low)
	case i == p.Count()-1:
		return Float(p.High)
	}
	return Float(round12(p.Low + float64(i)*p.Step))
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
func (p Param) Nearest(x float64) Value {
	if p.Kind == Categorical || math.IsNaN(x) {
		return Value{}
	}
	x = min(max(x, p.Low), p.High)
	if p.Count() == 0 {
		return Float(x)
	}
	if p.Low == p.High {
		return p.At(0)
	}
	return p.At(int(math.Round((x - p.Low) / p.stride())))
}

// Fixed returns the only value of p, if it has but one. Samplers leave such a parameter
// out of their models.
func (p Param) Fixed() (Value, bool) {
	if p.Count() != 1 {
		return Value{}, false
	}
	return p.At(0), true
}

// Allowed describes the values of p for a person.
func (p Param) Allowed() string {
	if p.Kind == Categorical {
		names := make([]string, len(p.Choices))
		for i, v := range p.Choices {
			names[i] = v.String()
		}
		return strings.Join(names, ", ")
	}
	what := "a number"
	if p.Kind == IntRange {
		what = "a whole number"
	}
	if v, ok := p.Fixed(); ok {
		return "only " + v.String()
	}
	s := fmt.Sprintf("%s from %s to %s", what, number(p.Low), number(p.High))
	if p.Step != 0 && (p.Kind != IntRange || p.Step != 1) {
		s += " in steps of " + number(p.Step)
	}
	return s
}

// stride is the distance between neighbouring values, 0 for a continuum.
func (p Param) stride() float64 {
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

func number(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }

func indexOf(values []Value, v Value) int {
	for i, w := range values {
		if w.Equal(v) {
			return i
		}
	}
	return -1
}

// quote formats v for a message: strings in quotes.
func quote(v Value) string {
	if s, ok := v.AsString(); ok {
		return strconv.Quote(s)
	}
	return v.String()
}
