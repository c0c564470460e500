package space

import (
	"fmt"
	"math"
	"regexp"
)

// maxCount bounds the values of a stepped parameter; more would be a continuum that
// samplers handle better as one.
const maxCount = 1_000_000

// maxInt is the largest whole number that a float64, and so JSON, holds exactly.
const maxInt = 1 << 53

var nameForm = regexp.MustCompile(`^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*$`)

// Validate reports the first fault of s as an [*Error]: a malformed or repeated name, a
// parameter without values, mixed types, a range that is empty or not finite, a condition
// on a parameter that does not stand before it. A condition that can never hold is no
// fault: narrowing makes such.
func (s *Space) Validate() error {
	if len(s.Params) == 0 {
		return &Error{Param: "space", Problem: "has no parameters"}
	}
	for i, p := range s.Params {
		before := Space{Params: s.Params[:i]}
		if _, twice := before.Param(p.Name); twice {
			return &Error{Param: p.Name, Problem: "is defined twice"}
		}
		err := p.validate()
		if err == nil {
			err = p.validateCondition(before)
		}
		if err != nil {
			err.Param = p.Name
			return err
		}
	}
	return nil
}

func (p Param) validate() *Error {
	if !nameForm.MatchString(p.Name) || len(p.Name) > 64 {
		return &Error{Problem: "is not a parameter's name; allowed: lower-case words with dots, like optim.weight_decay, at most 64 bytes"}
	}
	switch p.Kind {
	case Categorical:
		return p.validateChoices()
	case FloatRange, IntRange:
		return p.validateRange()
	}
	return &Error{Field: "kind", Problem: fmt.Sprintf("%q is not allowed; allowed: categorical, float, int", p.Kind)}
}

func (p Param) validateChoices() *Error {
	if p.Low != 0 || p.High != 0 || p.Step != 0 || p.Log {
		return &Error{Problem: "is categorical and has no low, high, step or log"}
	}
	if len(p.Choices) == 0 {
		return &Error{Field: "choices", Problem: "is empty; at least one is needed"}
	}
	for i, v := range p.Choices {
		switch f, isNumber := v.AsFloat(); {
		case !v.IsValid():
			return &Error{Field: "choices", Item: &i, Problem: "is empty; allowed: true or false, numbers, strings"}
		case isNumber && !finite(f):
			return &Error{Field: "choices", Item: &i, Problem: v.String() + " is not a finite number"}
		case v.Type() != p.Choices[0].Type():
			return &Error{Field: "choices", Item: &i, Problem: fmt.Sprintf("%s (%s) and %s (%s) differ in type; all choices must have one",
				quote(v), v.Type(), quote(p.Choices[0]), p.Choices[0].Type())}
		case indexOf(p.Choices[:i], v) >= 0:
			return &Error{Field: "choices", Item: &i, Problem: quote(v) + " is listed twice"}
		}
	}
	return nil
}

func (p Param) validateRange() *Error {
	if p.Choices != nil {
		return &Error{Field: "choices", Problem: "is only for categorical parameters"}
	}
	for _, b := range []struct {
		field string
		value float64
	}{{"low", p.Low}, {"high", p.High}, {"step", p.Step}} {
		if !finite(b.value) {
			return &Error{Field: b.field, Problem: number(b.value) + " is not a finite number"}
		}
		if p.Kind == IntRange && (b.value != math.Trunc(b.value) || math.Abs(b.value) >= maxInt) {
			return &Error{Field: b.field, Problem: number(b.value) + " is not a whole number below 2^53"}
		}
	}
	switch {
	case p.Low > p.High:
		return &Error{Field: "low", Problem: fmt.Sprintf("%s is above high, which is %s", number(p.Low), number(p.High))}
	case p.Step < 0:
		return &Error{Field: "step", Problem: number(p.Step) + " is negative"}
	case p.Log && p.Low <= 0:
		return &Error{Field: "low", Problem: number(p.Low) + " is not above 0, which log needs"}
	case p.Log && p.Step != 0:
		return &Error{Field: "step", Problem: "cannot go with log"}
	case p.Kind == FloatRange && p.Step == 0 && !finite(p.High-p.Low):
		return &Error{Field: "high", Problem: "is too far from low"}
	case p.Step == 0:
		return nil
	}
	steps := (p.High - p.Low) / p.Step
	if !(steps < maxCount) || p.Step < 1e-9*max(math.Abs(p.Low), math.Abs(p.High)) {
		return &Error{Field: "step", Problem: fmt.Sprintf("%s is too small; at most %d values are allowed", number(p.Step), maxCount)}
	}
	if math.Abs(steps-math.Round(steps)) > gridTolerance {
		return &Error{Field: "high", Problem: fmt.Sprintf("%s is not low %s plus a whole number of steps of %s",
			number(p.High), number(p.Low), number(p.Step))}
	}
	return nil
}

func (p Param) validateCondition(before Space) *Error {
	if p.When == nil {
		if p.Otherwise.IsValid() {
			return &Error{Field: "otherwise", Problem: "is only for parameters with when"}
		}
		return nil
	}
	c := *p.When
	parent, ok := before.Param(c.Param)
	switch {
	case !ok:
		return &Error{Field: "when", Problem: fmt.Sprintf("%q is not a parameter that stands before this one", c.Param)}
	case (c.In == nil) == (c.Above == nil):
		return &Error{Field: "when", Problem: "wants either in or above"}
	case c.Above != nil && (!finite(*c.Above) || parent.Type() != TypeInt && parent.Type() != TypeFloat):
		return &Error{Field: "when", Problem: "above wants a finite number and a parameter of numbers"}
	}
	for _, v := range c.In {
		if !v.IsValid() || v.Type() != parent.Type() && !(isNumber(v) && parent.Type() == TypeFloat) {
			return &Error{Field: "when", Problem: fmt.Sprintf("%s is not a value of %s; allowed: %s", quote(v), c.Param, parent.Allowed())}
		}
	}
	if c.In != nil && len(c.In) == 0 {
		return &Error{Field: "when", Problem: "in is empty; at least one value is needed"}
	}
	if p.Otherwise.Type() != p.Type() {
		return &Error{Field: "otherwise", Problem: fmt.Sprintf("%s is not of type %s, as the parameter's values are", quote(p.Otherwise), p.Type())}
	}
	if f, ok := p.Otherwise.AsFloat(); ok && !finite(f) {
		return &Error{Field: "otherwise", Problem: number(f) + " is not a finite number"}
	}
	return nil
}

func finite(f float64) bool { return !math.IsNaN(f) && !math.IsInf(f, 0) }

func isNumber(v Value) bool {
	_, ok := v.AsFloat()
	return ok
}
