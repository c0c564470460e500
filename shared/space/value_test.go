package space

import (
	"encoding/json"
	"math"
	"testing"
)

func TestValueJSON(t *testing.T) {
	for text, want := range map[string]Value{
		"true": Bool(true), "false": Bool(false), "0": Int(0), "-3": Int(-3), "2.0": Float(2), "0.5": Float(0.5),
		"1e-06": Float(1e-6), `"adamw"`: String("adamw"), `"true"`: String("true"), `""`: String(""), `"a\"b"`: String(`a"b`),
		"9007199254740991": Int(1<<53 - 1), "9.007199254740992e+15": Float(1 << 53),
	} {
		data, err := json.Marshal(want)
		if err != nil || string(data) != text {
			t.Errorf("%v: wrote %s, %v, want %s", want, data, err, text)
		}
		var got Value
		if err := json.Unmarshal([]byte(text), &got); err != nil || got != want {
			t.Errorf("%s: read %v, %v", text, got, err)
		}
	}
	var large Value
	if err := json.Unmarshal([]byte("9007199254740993"), &large); err != nil || large.Type() != TypeFloat {
		t.Errorf("beyond 2^53: %v, %v, want a float", large, err)
	}
}

func TestValueJSONRefuses(t *testing.T) {
	for _, text := range []string{"", "null", "[1]", "{}", "tru", "fals", `"a`, "1x", "-", "1e999"} {
		var v Value
		if err := v.UnmarshalJSON([]byte(text)); err == nil {
			t.Errorf("%q: read as %v", text, v)
		}
	}
	for _, v := range []Value{{}, Float(math.NaN()), Float(math.Inf(-1))} {
		if data, err := v.MarshalJSON(); err == nil {
			t.Errorf("%v: written as %s", v, data)
		}
	}
}

func TestValueOf(t *testing.T) {
	for _, x := range []any{true, 3, 0.5, "s"} {
		v, ok := ValueOf(x)
		if !ok || !v.IsValid() {
			t.Errorf("%v: %v, %v", x, v, ok)
		}
	}
	if v, ok := ValueOf([]int{1}); ok || v.IsValid() {
		t.Errorf("a slice became %v", v)
	}
}

func TestValueEqual(t *testing.T) {
	for _, tc := range []struct {
		v, w Value
		want bool
	}{
		{Int(1), Float(1), true},
		{Float(1), Int(1), true},
		{Float(1), Float(1.5), false},
		{Int(1), Bool(true), false},
		{Bool(true), Int(1), false},
		{String("1"), Int(1), false},
		{String("a"), String("a"), true},
		{Bool(false), Bool(true), false},
		{Value{}, Value{}, true},
		{Value{}, Int(0), false},
	} {
		if got := tc.v.Equal(tc.w); got != tc.want {
			t.Errorf("%v (%s) equal to %v (%s): %v", tc.v, tc.v.Type(), tc.w, tc.w.Type(), got)
		}
	}
}

func TestAssignmentAccessors(t *testing.T) {
	a := Assignment{"b": Bool(true), "i": Int(3), "f": Float(0.5), "s": String("x"), "whole": Float(2)}
	if v, err := a.Bool("b"); !v || err != nil {
		t.Error(v, err)
	}
	if v, err := a.Int("i"); v != 3 || err != nil {
		t.Error(v, err)
	}
	if v, err := a.Int("whole"); v != 2 || err != nil {
		t.Error(v, err)
	}
	if v, err := a.Float("f"); v != 0.5 || err != nil {
		t.Error(v, err)
	}
	if v, err := a.Float("i"); v != 3 || err != nil {
		t.Error(v, err)
	}
	if v, err := a.Str("s"); v != "x" || err != nil {
		t.Error(v, err)
	}
	for want, read := range map[string]func() error{
		"parameter f is 0.5, not a whole number": func() error { _, err := a.Int("f"); return err },
		`parameter s is "x", not a number`:       func() error { _, err := a.Float("s"); return err },
		"parameter i is 3, not true or false":    func() error { _, err := a.Bool("i"); return err },
		"parameter b is true, not a string":      func() error { _, err := a.Str("b"); return err },
		"parameter z is missing":                 func() error { _, err := a.Str("z"); return err },
	} {
		if err := read(); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	b := a.Clone()
	if !a.Equal(b) {
		t.Error("a clone differs")
	}
	b["i"] = Float(3)
	if !a.Equal(b) {
		t.Error("3 and 3.0 differ")
	}
	b["i"] = Int(4)
	if a.Equal(b) || a["i"] != Int(3) {
		t.Error("a clone shares its values")
	}
}
