package space

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/supermax-hpo/supermax/configs"
)

func TestParse(t *testing.T) {
	got, err := Parse("s.yaml", []byte(`
version: 1
parameters:
  m: {kind: categorical, choices: [0, 0.5, 1]}
  n: {kind: int, low: 1, high: 9, step: 4, when: {param: m, above: 0}, otherwise: 0}
  f:
    kind: float
    low: 1e-3
    high: 1
    log: true
    when: {param: m, in: [0, 1]}
    otherwise: 2
`))
	if err != nil {
		t.Fatal(err)
	}
	want := &Space{Params: []Param{
		{Name: "m", Kind: Categorical, Choices: []Value{Float(0), Float(0.5), Float(1)}},
		{Name: "n", Kind: IntRange, Low: 1, High: 9, Step: 4, When: &Condition{Param: "m", Above: ptr(0.0)}, Otherwise: Int(0)},
		{Name: "f", Kind: FloatRange, Low: 1e-3, High: 1, Log: true, When: &Condition{Param: "m", In: []Value{Int(0), Int(1)}}, Otherwise: Float(2)},
	}}
	if diff := cmp.Diff(want, got, exact); diff != "" {
		t.Error(diff)
	}
}

func TestParseRefuses(t *testing.T) {
	const head = "version: 1\nparameters:\n"
	for _, tc := range []struct{ text, want string }{
		{"", "s.yaml:1: is empty"},
		{"[]", "s.yaml:1: a list is not allowed; allowed: keys with values (version, parameters)"},
		{"version: 1\nparams: {}\n", "s.yaml:2: params: is not a key here; allowed: version, parameters"},
		{"version: one\n", `s.yaml:1: version: "one" is not allowed; allowed: a whole number`},
		{"version: 2\n", "s.yaml:1: version: 2 is not allowed; allowed: 1"},
		{"parameters: {a: {kind: int, low: 0, high: 1}}\n", "s.yaml:1: has no version; allowed: version: 1"},
		{"version: 1\n", "s.yaml:1: has no parameters"},
		{"version: 1\nparameters: 3\n", "s.yaml:2: parameters: 3 is not allowed; allowed: keys with values"},
		{head + "  a: 3\n", "s.yaml:3: parameters.a: 3 is not allowed; allowed: keys with values (kind, choices, low, high, step, log, when, otherwise)"},
		{head + "  a: {kind: int, lo: 1}\n", "s.yaml:3: parameters.a.lo: is not a key here; allowed: kind, choices, low, high, step, log, when, otherwise"},
		{head + "  a:\n    kind: real\n", `s.yaml:4: parameters.a.kind: "real" is not allowed; allowed: categorical, float, int`},
		{head + "  a: {low: 1}\n", "s.yaml:3: parameters.a: has no kind"},
		{head + "  a: {kind: int, low: 1}\n", "s.yaml:3: parameters.a: has no high"},
		{head + "  a: {kind: int, low: x, high: 1}\n", `s.yaml:3: parameters.a.low: "x" is not allowed; allowed: a number`},
		{head + "  a: {kind: categorical, choices: x}\n", `s.yaml:3: parameters.a.choices: "x" is not allowed; allowed: a list`},
		{head + "  a:\n    kind: categorical\n    choices:\n      - x\n      - [y]\n", "s.yaml:7: parameters.a.choices: a list is not allowed; allowed: one value"},
		{head + "  a:\n    kind: categorical\n    choices:\n      - x\n      - y\n      - x\n", `s.yaml:8: parameters.a.choices: "x" is listed twice`},
		{head + "  a: {kind: int, low: 0, high: 1}\n  b: {kind: int, low: 0, high: 1, when: {param: a, in: [1]}}\n", "s.yaml:4: parameters.b: has no otherwise"},
		{head + "  a: {kind: int, low: 0, high: 1}\n  b: {kind: int, low: 0, high: 1, otherwise: 0, when: {of: a}}\n", "s.yaml:4: parameters.b.when.of: is not a key here; allowed: param, in, above"},
		{head + "  a: {kind: int, low: 0, high: 1}\n  b: {kind: int, low: 0, high: 1, otherwise: 0, when: {param: a, above: x}}\n", `s.yaml:4: parameters.b.when.above: "x" is not allowed; allowed: a number`},
		{head + "  a: {kind: int, low: 0, high: 1}\n  b: {kind: int, low: 0, high: 1, otherwise: 0, when: {param: a, in: [2]}}\n", "s.yaml:4: parameters.b.when: 2 is not a value of a; allowed: a whole number from 0 to 1"},
		{head + "  a: {kind: int, low: 0, high: 1}\n  b: {kind: int, low: 0, high: 1, otherwise: 0, when: {param: a, above: 1}}\n", "s.yaml:4: parameters.b.when: never holds; a takes a whole number from 0 to 1"},
		{head + "  b:\n    kind: int\n    low: 0\n    high: 1\n    otherwise: 0\n    when: {param: a, above: 1}\n", `s.yaml:8: parameters.b.when: "a" is not a parameter that stands before this one`},
		{head + "  B: {kind: int, low: 0, high: 1}\n", "s.yaml:3: parameters.B: is not a parameter's name; allowed: lower-case words with dots, like optim.weight_decay, at most 64 bytes"},
	} {
		s, err := Parse("s.yaml", []byte(tc.text))
		if err == nil || err.Error() != tc.want {
			t.Errorf("%q\ngot  %+v, %v\nwant %s", tc.text, s, err, tc.want)
		}
	}
}

// FuzzParse holds that no text panics, that every fault names the file, and that what is
// accepted is valid, reachable and has values.
func FuzzParse(f *testing.F) {
	f.Add(configs.Space)
	f.Add([]byte("version: 1\nparameters:\n  a: {kind: int, low: 0, high: 1}\n  b: {kind: float, low: 0, high: 1, step: 0.5, otherwise: 0, when: {param: a, in: [1]}}\n"))
	f.Add([]byte("version: 1\nparameters: {a: {kind: categorical, choices: [1, 2.5, x]}}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := Parse("s.yaml", data)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "s.yaml:") {
				t.Fatalf("%v does not name the file", err)
			}
			return
		}
		if err := s.Validate(); err != nil {
			t.Fatal(err)
		}
		a := Assignment{}
		for _, p := range s.Params {
			if !s.Reachable(p.Name) {
				t.Fatalf("%s is never active", p.Name)
			}
			v := p.At(0)
			if p.Kind != Categorical && p.Count() == 0 {
				v = p.Nearest(p.Low)
			}
			if !p.Contains(v) {
				t.Fatalf("%s: its first value %v is not allowed", p.Name, v)
			}
			a[p.Name] = v
		}
		if _, err := s.Complete(a); err != nil {
			t.Fatal(err)
		}
	})
}
