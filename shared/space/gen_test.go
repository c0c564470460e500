package space

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/supermax-hpo/supermax/configs"
)

func whole(t testing.TB) *Space {
	t.Helper()
	s, err := Parse("configs/space.yaml", configs.Space)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func ptr[T any](x T) *T { return &x }

// drawValue draws one of p's values.
func drawValue(t *rapid.T, p Param, label string) Value {
	if n := p.Count(); n > 0 {
		return p.At(rapid.IntRange(0, n-1).Draw(t, label))
	}
	return Float(rapid.Float64Range(p.Low, p.High).Draw(t, label))
}

// drawActive draws a value for every active parameter of s, none for the others.
func drawActive(t *rapid.T, s *Space, label string) Assignment {
	a := Assignment{}
	for _, p := range s.Params {
		if s.Active(a, p.Name) {
			a[p.Name] = drawValue(t, p, label+p.Name)
		}
	}
	return a
}

// drawSpace draws a valid space of every kind of parameter, some under conditions.
func drawSpace(t *rapid.T) *Space {
	s := &Space{}
	for i := range rapid.IntRange(1, 6).Draw(t, "params") {
		p := drawParam(t, fmt.Sprintf("p%d.x", i))
		if i > 0 && rapid.Bool().Draw(t, "conditional") {
			parent := s.Params[rapid.IntRange(0, i-1).Draw(t, "parent")]
			p.When = &Condition{Param: parent.Name}
			if parent.Kind != Categorical && rapid.Bool().Draw(t, "above") {
				p.When.Above = ptr(rapid.Float64Range(parent.Low-1, parent.High+1).Draw(t, "bound"))
			} else {
				p.When.In = []Value{drawValue(t, parent, "in")}
			}
			p.Otherwise = drawValue(t, p, "otherwise")
		}
		s.Params = append(s.Params, p)
	}
	if err := s.Validate(); err != nil {
		t.Fatalf("drew an invalid space: %v", err)
	}
	return s
}

func drawParam(t *rapid.T, name string) Param {
	p := Param{Name: name}
	switch rapid.IntRange(0, 6).Draw(t, "form") {
	case 0:
		p.Kind = Categorical
		for _, s := range rapid.SliceOfNDistinct(rapid.StringMatching(`[a-z]{1,4}`), 1, 5, rapid.ID).Draw(t, "strings") {
			p.Choices = append(p.Choices, String(s))
		}
	case 1:
		p.Kind, p.Choices = Categorical, []Value{Bool(true), Bool(false)}
	case 2:
		p.Kind = Categorical
		for _, f := range rapid.SliceOfNDistinct(rapid.Float64Range(-10, 10), 1, 5, rapid.ID).Draw(t, "floats") {
			p.Choices = append(p.Choices, Float(f))
		}
	case 3:
		p.Kind = FloatRange
		p.Low = rapid.Float64Range(-100, 100).Draw(t, "low")
		p.High = p.Low + rapid.Float64Range(0, 100).Draw(t, "width")
	case 4:
		p.Kind, p.Log = FloatRange, true
		p.Low = rapid.Float64Range(1e-8, 1).Draw(t, "low")
		p.High = p.Low * rapid.Float64Range(1, 1e6).Draw(t, "ratio")
	case 5:
		p.Kind = FloatRange
		p.Step = float64(rapid.IntRange(1, 999).Draw(t, "step")) / 1000
		p.Low = float64(rapid.IntRange(-1000, 1000).Draw(t, "low")) / 1000
		p.High = round12(p.Low + p.Step*float64(rapid.IntRange(0, 30).Draw(t, "steps")))
	case 6:
		p.Kind = IntRange
		p.Step = float64(rapid.IntRange(0, 64).Draw(t, "step"))
		p.Low = float64(rapid.IntRange(-1000, 1000).Draw(t, "low"))
		p.High = p.Low + max(p.Step, 1)*float64(rapid.IntRange(0, 30).Draw(t, "steps"))
	}
	return p
}

// drawConstraint draws a constraint that fits p.
func drawConstraint(t *rapid.T, p Param) Constraint {
	if rapid.Bool().Draw(t, "fix") {
		return Constraint{Fix: drawValue(t, p, "fixed")}
	}
	if p.Kind == Categorical {
		order := rapid.Permutation(p.Choices).Draw(t, "order")
		return Constraint{Choices: order[:rapid.IntRange(1, len(order)).Draw(t, "kept")]}
	}
	low, _ := drawValue(t, p, "low").AsFloat()
	high, _ := drawValue(t, p, "high").AsFloat()
	c := Constraint{Low: ptr(min(low, high)), High: ptr(max(low, high))}
	switch rapid.IntRange(0, 2).Draw(t, "sides") {
	case 1:
		c.Low = nil
	case 2:
		c.High = nil
	}
	return c
}
