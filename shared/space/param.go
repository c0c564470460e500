package space

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/supermax-hpo/supermax/shared/internal/show"
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

// Contains reports whether v is a value that p takes while it is active.
func (p Param) Contains(v Value) bool {
	_, ok := p.canonical(v)
	return ok
}

// canonical returns the one form of v that assignments of a space hold: the choice itself,
// an integer for an int parameter, the grid's own float for a stepped one.
func (p *Param) canonical(v Value) (Value, bool) {
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
	near := p.nearest(f)
	at, _ := near.AsFloat()
	if p.Kind == IntRange && at != f || math.Abs(at-f) > gridTolerance*p.stride() {
		return Value{}, false
	}
	return near, true
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
		return show.Quote(s)
	}
	return v.String()
}
