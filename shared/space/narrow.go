package space

import (
	"fmt"
	"math"
	"slices"
)

// A Constraint narrows one parameter in one of three ways: Choices keeps some of a
// categorical parameter's choices, Low and High (either or both) shrink the range of a
// number, Fix leaves one value.
type Constraint struct {
	Choices []Value  `json:"choices,omitempty"`
	Low     *float64 `json:"low,omitempty"`
	High    *float64 `json:"high,omitempty"`
	Fix     Value    `json:"fix,omitzero"`
}

// Constraints are constraints by parameter name.
type Constraints map[string]Constraint

// Narrow returns a copy of s with every constraint of c applied: [MergedChoices],
// [MergedFloat] or [MergedInt] by the parameter's kind. A parameter that a condition
// switches off may be narrowed too. Every value of the result is a value of s; nothing
// outside s is clipped or dropped in silence. The error, an [*Error], names the parameter
// that s does not have, or that the constraint does not fit or leaves without a value.
func (s *Space) Narrow(c Constraints) (*Space, error) {
	n := s.Clone()
	names := make([]string, 0, len(c))
	for name := range c {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		i := slices.IndexFunc(n.Params, func(p Param) bool { return p.Name == name })
		if i < 0 {
			return nil, s.unknown(name)
		}
		p, err := n.Params[i].narrowed(c[name])
		if err != nil {
			err.Param = name
			return nil, err
		}
		n.Params[i] = p
	}
	return n, nil
}

func (p Param) narrowed(c Constraint) (Param, *Error) {
	ranged, forms := c.Low != nil || c.High != nil, 0
	for _, set := range []bool{c.Choices != nil, ranged, c.Fix.IsValid()} {
		if set {
			forms++
		}
	}
	var err *Error
	switch {
	case forms != 1:
		return p, &Error{Problem: "wants one of a list of choices, {low, high} or one value"}
	case c.Fix.IsValid():
		v, ok := p.canonical(c.Fix)
		if !ok {
			return p, notAllowed(c.Fix, p)
		}
		if p.Kind == Categorical {
			p.Choices = []Value{v}
		} else {
			p.Low, _ = v.AsFloat()
			p.High = p.Low
		}
	case p.Kind == Categorical && ranged:
		return p, &Error{Problem: "wants a list of choices or one of them; allowed: " + p.Allowed()}
	case p.Kind != Categorical && !ranged:
		return p, &Error{Problem: "wants {low, high} or one value; allowed: " + p.Allowed()}
	case p.Kind == Categorical:
		p.Choices, err = mergedChoices(p, c.Choices)
	default:
		p.Low, p.High, err = mergedRange(p, c.Low, c.High)
	}
	return p, err
}

// MergedChoices returns those of base that want lists, in base's order. The error, an
// [*Error] without a parameter, names what is not in base, is listed twice, or says that
// nothing is left.
func MergedChoices(base, want []Value) ([]Value, error) {
	merged, err := mergedChoices(Param{Kind: Categorical, Choices: base}, want)
	if err != nil {
		return nil, err
	}
	return merged, nil
}

// MergedFloat returns the range of the float parameter base after narrowing it to
// [low, high]; nil leaves that bound. A bound between two steps moves inward to the next.
// The error, an [*Error], says which bound lies outside base, or that nothing is left.
func MergedFloat(base Param, low, high *float64) (mergedLow, mergedHigh float64, err error) {
	return merged(base, low, high)
}

// MergedInt is [MergedFloat] for whole numbers: a bound must be one.
func MergedInt(base Param, low, high *int) (mergedLow, mergedHigh int, err error) {
	l, h, err := merged(base, asFloat(low), asFloat(high))
	return int(l), int(h), err
}

func merged(base Param, low, high *float64) (float64, float64, error) {
	l, h, err := mergedRange(base, low, high)
	if err != nil {
		err.Param = base.Name
		return 0, 0, err
	}
	return l, h, nil
}

func asFloat(i *int) *float64 {
	if i == nil {
		return nil
	}
	f := float64(*i)
	return &f
}

func mergedChoices(p Param, want []Value) ([]Value, *Error) {
	if len(want) == 0 {
		return nil, &Error{Problem: "leaves no value; allowed: " + p.Allowed()}
	}
	keep := make([]bool, len(p.Choices))
	for i, v := range want {
		at := indexOf(p.Choices, v)
		if at < 0 {
			err := notAllowed(v, p)
			err.Item = &i
			return nil, err
		}
		if keep[at] {
			return nil, &Error{Item: &i, Problem: quote(v) + " is listed twice"}
		}
		keep[at] = true
	}
	var merged []Value
	for i, v := range p.Choices {
		if keep[i] {
			merged = append(merged, v)
		}
	}
	return merged, nil
}

func mergedRange(p Param, low, high *float64) (float64, float64, *Error) {
	l, err := p.bound("low", low, p.Low)
	if err != nil {
		return 0, 0, err
	}
	h, err := p.bound("high", high, p.High)
	if err != nil {
		return 0, 0, err
	}
	askedLow, askedHigh := l, h
	if stride := p.stride(); stride != 0 {
		// The tolerance keeps a bound that is a grid point but for its last bits.
		first := math.Ceil((l-p.Low)/stride - gridTolerance)
		last := math.Floor((h-p.Low)/stride + gridTolerance)
		l, h = p.gridPoint(first), p.gridPoint(last)
		if first > last {
			l, h = 1, 0
		}
	}
	if l > h {
		return 0, 0, &Error{Problem: fmt.Sprintf("low %s, high %s leaves no value; allowed: %s",
			number(askedLow), number(askedHigh), p.Allowed())}
	}
	return l, h, nil
}

func (p Param) gridPoint(i float64) float64 {
	f, _ := p.At(int(i)).AsFloat()
	return f
}

// bound checks one bound of a constraint.
func (p Param) bound(field string, want *float64, have float64) (float64, *Error) {
	if want == nil {
		return have, nil
	}
	if !(*want >= p.Low && *want <= p.High) || p.Kind == IntRange && *want != math.Trunc(*want) {
		return 0, &Error{Field: field, Problem: number(*want) + " is not allowed; allowed: " + p.Allowed()}
	}
	return *want, nil
}

func notAllowed(v Value, p Param) *Error {
	return &Error{Problem: quote(v) + " is not allowed; allowed: " + p.Allowed()}
}
