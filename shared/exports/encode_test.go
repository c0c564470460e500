package exports

import (
	"encoding/json"
	"math"
	"regexp"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestEncode(t *testing.T) {
	type inner struct {
		A any `json:"a"`
		B any `json:"b"`
	}
	got, text, err := Encode(map[string]any{
		"empty": []int{}, "none": map[string]int{}, "nil": nil, "list": []any{1, "x", inner{1e-7, []int{1}}, []int{2, 3}},
		"strings": map[string]string{"a.b": "off", "b": "", "c": "1.0", "d": "a/b-c_d", "e": "No", "f": "ä: #\n", "g": "\u007f\ufeff"},
		"numbers": []float64{0.5, 1, -2.5e-9, 1e21, 3e-300, 1 << 64}, "bool": []bool{true, false}, "yes": inner{},
	})
	if err != nil {
		t.Fatal(err)
	}
	const want = `bool:
  - true
  - false
empty: []
list:
  - 1
  - x
  - a: 1.0e-7
    b:
      - 1
  -
    - 2
    - 3
nil: null
none: {}
numbers:
  - 0.5
  - 1
  - -2.5e-9
  - 1.0e+21
  - 3.0e-300
  - 18446744073709552000.0
strings:
  a.b: "off"
  b: ""
  c: "1.0"
  d: a/b-c_d
  e: "No"
  f: "ä: #\n"
  g: "\u007f\ufeff"
"yes":
  a: null
  b: null
`
	if d := cmp.Diff(want, string(got)); d != "" {
		t.Error(d)
	}
	if !json.Valid(text) {
		t.Errorf("the JSON is %s", text)
	}
	for _, c := range []struct {
		value any
		want  string
	}{{3, "3\n"}, {[]int{}, "[]\n"}, {map[string]int{}, "{}\n"}, {[]int{1}, "- 1\n"}, {"no", "\"no\"\n"}} {
		if got, _, err := Encode(c.value); err != nil || string(got) != c.want {
			t.Errorf("Encode(%v) = %q, %v; want %q", c.value, got, err, c.want)
		}
	}
	if _, _, err := Encode(math.NaN()); err == nil {
		t.Error("NaN was encoded")
	}
}

// A YAML reader sees in the YAML what a JSON reader sees in the JSON.
func TestYAMLMeansTheJSON(t *testing.T) {
	var value func(depth int) *rapid.Generator[any]
	value = func(depth int) *rapid.Generator[any] {
		scalars := []*rapid.Generator[any]{
			rapid.String().AsAny(), rapid.StringMatching(`[-a-zA-Z0-9.:#]{0,6}`).AsAny(), rapid.Float64().AsAny(), rapid.Int32().AsAny(), rapid.Bool().AsAny(), rapid.Just[any](nil),
			rapid.SampledFrom([]any{"yes", "NO", "off", "null", "~", "1e5", "0x1f", "2025-05-01", "- a", "a: b", "a #b", "*a", "&a", "|", ">", "'", "\t"}),
		}
		if depth == 0 {
			return rapid.OneOf(scalars...)
		}
		below := rapid.Deferred(func() *rapid.Generator[any] { return value(depth - 1) })
		return rapid.OneOf(append(scalars, rapid.SliceOfN(below, 0, 3).AsAny(), rapid.MapOfN(rapid.String(), below, 0, 3).AsAny())...)
	}
	rapid.Check(t, func(rt *rapid.T) {
		v := value(3).Draw(rt, "value")
		y, j, err := Encode(v)
		if err != nil {
			rt.Fatal(err)
		}
		var fromYAML, fromJSON any
		if err := yaml.Unmarshal(y, &fromYAML); err != nil {
			rt.Fatalf("%v\n%s", err, y)
		}
		if err := json.Unmarshal(j, &fromJSON); err != nil {
			rt.Fatal(err)
		}
		if d := cmp.Diff(fromJSON, floats(fromYAML)); d != "" {
			rt.Fatalf("-json +yaml\n%s\n%s", d, y)
		}
	})
}

// floats turns the YAML reader's integers into the floats that the JSON reader makes.
func floats(v any) any {
	switch v := v.(type) {
	case uint64:
		return float64(v)
	case int64:
		return float64(v)
	case []any:
		for i := range v {
			v[i] = floats(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = floats(v[k])
		}
	}
	return v
}

// YAML 1.1, which Python's reader follows, knows floats by this form (yaml.org/type/float).
func TestFloatsOfYAML11(t *testing.T) {
	form := regexp.MustCompile(`^[-+]?([0-9][0-9_]*)\.[0-9.]*([eE][-+][0-9]+)?$`)
	whole := regexp.MustCompile(`^-?[0-9]+$`)
	rapid.Check(t, func(rt *rapid.T) {
		data, err := json.Marshal(rapid.Float64().Draw(rt, "x"))
		if err != nil {
			rt.Fatal(err)
		}
		if s := number(string(data)); !form.MatchString(s) && !whole.MatchString(s) {
			rt.Fatalf("%s is written as %s", data, s)
		}
	})
}
