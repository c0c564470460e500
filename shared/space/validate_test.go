package space

import (
	"errors"
	"math"
	"strings"
	"testing"
)

func TestValidateRefuses(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	onA := func(c Condition) *Condition { c.Param = "a"; return &c }
	categorical := func(v ...Value) Param { return Param{Name: "p", Kind: Categorical, Choices: v} }
	for _, tc := range []struct {
		p    Param
		want string
	}{
		{Param{}, `"": is not a parameter's name; allowed: lower-case words with dots, like optim.weight_decay, at most 64 bytes`},
		{Param{Name: "Optim"}, "Optim: is not a parameter's name; "},
		{Param{Name: strings.Repeat("a", 65)}, "is not a parameter's name; "},
		{Param{Name: "a"}, "a: is defined twice"},
		{Param{Name: "p"}, `p.kind: "" is not allowed; allowed: categorical, float, int`},
		{categorical(), "p.choices: is empty; at least one is needed"},
		{categorical(Value{}), "p.choices: is empty; allowed: true or false, numbers, strings"},
		{categorical(Float(nan)), "p.choices: NaN is not a finite number"},
		{categorical(Int(1), String("x")), `p.choices: "x" (string) and 1 (int) differ in type; all choices must have one`},
		{categorical(Int(1), Int(2), Int(1)), "p.choices: 1 is listed twice"},
		{Param{Name: "p", Kind: Categorical, Choices: []Value{Int(1)}, High: 1}, "p: is categorical and has no low, high, step or log"},
		{Param{Name: "p", Kind: FloatRange, Choices: []Value{Int(1)}}, "p.choices: is only for categorical parameters"},
		{Param{Name: "p", Kind: FloatRange, Low: nan}, "p.low: NaN is not a finite number"},
		{Param{Name: "p", Kind: FloatRange, High: inf}, "p.high: +Inf is not a finite number"},
		{Param{Name: "p", Kind: FloatRange, Low: 2, High: 1}, "p.low: 2 is above high, which is 1"},
		{Param{Name: "p", Kind: FloatRange, Low: -math.MaxFloat64, High: math.MaxFloat64}, "p.high: is too far from low"},
		{Param{Name: "p", Kind: FloatRange, Low: 0, High: 1, Log: true}, "p.low: 0 is not above 0, which log needs"},
		{Param{Name: "p", Kind: FloatRange, Low: 1, High: 2, Log: true, Step: 1}, "p.step: cannot go with log"},
		{Param{Name: "p", Kind: FloatRange, Low: 0, High: 1, Step: -1}, "p.step: -1 is negative"},
		{Param{Name: "p", Kind: FloatRange, Low: 0, High: 1, Step: 1e-7}, "p.step: 1e-07 is too small; at most 1000000 values are allowed"},
		{Param{Name: "p", Kind: FloatRange, Low: 1e9, High: 1e9 + 1, Step: 0.5}, "p.step: 0.5 is too small; at most 1000000 values are allowed"},
		{Param{Name: "p", Kind: FloatRange, Low: 0, High: 1, Step: 0.3}, "p.high: 1 is not low 0 plus a whole number of steps of 0.3"},
		{Param{Name: "p", Kind: IntRange, Low: 0.5, High: 1}, "p.low: 0.5 is not a whole number below 2^53"},
		{Param{Name: "p", Kind: IntRange, High: 1 << 53}, "p.high: 9.007199254740992e+15 is not a whole number below 2^53"},
		{Param{Name: "p", Kind: IntRange, High: 1, Otherwise: Int(0)}, "p.otherwise: is only for parameters with when"},
		{Param{Name: "p", Kind: IntRange, High: 1, When: &Condition{Param: "p", In: []Value{Int(1)}}}, `p.when: "p" is not a parameter that stands before this one`},
		{Param{Name: "p", Kind: IntRange, High: 1, When: onA(Condition{})}, "p.when: wants either in or above"},
		{Param{Name: "p", Kind: IntRange, High: 1, When: onA(Condition{In: []Value{Int(1)}, Above: ptr(1.0)})}, "p.when: wants either in or above"},
		{Param{Name: "p", Kind: IntRange, High: 1, When: onA(Condition{In: []Value{}})}, "p.when: in is empty; at least one value is needed"},
		{Param{Name: "p", Kind: IntRange, High: 1, When: onA(Condition{Above: &nan})}, "p.when: above wants a finite number and a parameter of numbers"},
		{Param{Name: "p", Kind: IntRange, High: 1, When: &Condition{Param: "s", Above: ptr(1.0)}}, "p.when: above wants a finite number and a parameter of numbers"},
		{Param{Name: "p", Kind: IntRange, High: 1, When: onA(Condition{In: []Value{String("x")}})}, `p.when: "x" is not a value of a; allowed: a number from 0 to 1`},
		{Param{Name: "p", Kind: IntRange, High: 1, When: onA(Condition{In: []Value{Int(1)}})}, "p.otherwise: <none> is not of type int, as the parameter's values are"},
		{Param{Name: "p", Kind: IntRange, High: 1, When: onA(Condition{In: []Value{Int(1)}}), Otherwise: Float(0)}, "p.otherwise: 0.0 is not of type int, as the parameter's values are"},
		{Param{Name: "p", Kind: FloatRange, High: 1, When: onA(Condition{In: []Value{Int(1)}}), Otherwise: Float(inf)}, "p.otherwise: +Inf is not a finite number"},
	} {
		s := &Space{Params: []Param{
			{Name: "a", Kind: FloatRange, High: 1},
			{Name: "s", Kind: Categorical, Choices: []Value{String("x")}},
			tc.p,
		}}
		err := s.Validate()
		var e *Error
		if !errors.As(err, &e) || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("got %v, want %s", err, tc.want)
		}
	}
	if err := (&Space{}).Validate(); err == nil || err.Error() != "space: has no parameters" {
		t.Error(err)
	}
}
