package functions

import (
	"encoding/json"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/supermax-hpo/supermax/shared/space"
)

// computed is what the Python code of the golden data says of one function:
// testdata/values.py wrote it.
type computed struct {
	Params map[string]struct {
		Kind      space.Kind
		Low, High float64
		Step      float64
		Log       bool
		Choices   []space.Value
	}
	Refs   [][]float64
	Points []struct {
		Params space.Assignment
		Values []float64
	}
}

func readComputed(t *testing.T) map[string]computed {
	t.Helper()
	data, err := os.ReadFile("testdata/values.json")
	if err != nil {
		t.Fatal(err)
	}
	var all map[string]computed
	if err := json.Unmarshal(data, &all); err != nil {
		t.Fatal(err)
	}
	return all
}

func TestValuesAreThePythonCodes(t *testing.T) {
	all := readComputed(t)
	if want := slices.Sorted(slices.Values(Names())); len(all) != len(want) {
		t.Errorf("values.json has %d functions, the package %v", len(all), want)
	}
	for name, want := range all {
		f, err := ByName(name)
		if err != nil {
			t.Fatal(err)
		}
		if len(want.Points) < 20 {
			t.Fatalf("%s: only %d points", name, len(want.Points))
		}
		for _, point := range want.Points {
			full, err := f.Space.Complete(point.Params)
			if err != nil {
				t.Fatalf("%s at %v: %v", name, point.Params, err)
			}
			for _, param := range f.Space.Names() {
				if _, asked := point.Params[param]; asked != f.Space.Active(full, param) {
					t.Errorf("%s at %v: %s is active: %v, Python asked for it: %v", name, point.Params, param, !asked, asked)
				}
			}
			got := f.Eval(full)
			if len(got) != f.Objectives || len(got) != len(point.Values) {
				t.Fatalf("%s: %d values, %d objectives, Python has %d", name, len(got), f.Objectives, len(point.Values))
			}
			for i, v := range got {
				if !(math.Abs(v-point.Values[i]) <= 1e-12*max(1, math.Abs(v))) {
					t.Errorf("%s at %v: objective %d is %v, Python's %v", name, point.Params, i, v, point.Values[i])
				}
			}
			if f.Best != nil && got[0] < f.Best[0] {
				t.Errorf("%s at %v is %v, below its minimum %v", name, point.Params, got[0], f.Best[0])
			}
		}
	}
}

func TestSpacesAreThePythonCodes(t *testing.T) {
	for name, want := range readComputed(t) {
		f, err := ByName(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Space.Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if len(f.Space.Params) != len(want.Params) {
			t.Errorf("%s has %d parameters, Python's %d", name, len(f.Space.Params), len(want.Params))
		}
		for param, w := range want.Params {
			p, ok := f.Space.Param(param)
			if !ok {
				t.Errorf("%s has no %s", name, param)
				continue
			}
			if p.Kind == space.IntRange && p.Step == 0 {
				p.Step = 1
			}
			if p.Kind != w.Kind || p.Low != w.Low || p.High != w.High || p.Step != w.Step || p.Log != w.Log ||
				!slices.EqualFunc(p.Choices, w.Choices, space.Value.Equal) {
				t.Errorf("%s: %s is %+v, Python's %+v", name, param, p, w)
			}
		}
		if diff := cmp.Diff(want.Refs, f.Refs); diff != "" {
			t.Errorf("%s: reference points (-Python +ours):\n%s", name, diff)
		}
	}
}

// TestMinima evaluates each function of one objective where it is known to be lowest.
func TestMinima(t *testing.T) {
	all := func(prefix string, at ...float64) space.Assignment {
		a := space.Assignment{}
		for i, x := range at {
			a[indexed(prefix, i)] = space.Float(x)
		}
		return a
	}
	speed := space.Assignment{"il": space.Int(8)}
	for i := range 6 {
		speed[indexed("u", i)] = space.Float(0.1 * float64(i))
	}
	for i := range 4 {
		speed[indexed("l", i)], speed[indexed("i", i)] = space.Float(1e-3), space.Int(4)
	}
	for i := range 3 {
		speed[indexed("c", i)] = space.String("c0")
	}
	speed["s0"], speed["s1"] = space.Float(0), space.Float(0)
	at := map[string]space.Assignment{
		"branin":      {"x1": space.Float(math.Pi), "x2": space.Float(2.275)},
		"hartmann6":   all("x", 0.20168952, 0.15001069, 0.47687398, 0.27533243, 0.31165162, 0.65730054),
		"rosenbrock4": all("x", 1, 1, 1, 1),
		"ackley10":    all("x", 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
		"conditional": {"z": space.Float(0.3), "model": space.String("net"), "lr": space.Float(math.Pow(10, -3.5)),
			"layers": space.Int(2), "drop": space.Float(0.15), "units0": space.Int(128), "units1": space.Int(128)},
		"speed20": speed,
	}
	for _, f := range All() {
		if (f.Best != nil) != (f.Objectives == 1) {
			t.Errorf("%s: %d objectives, best %v", f.Name, f.Objectives, f.Best)
		}
		if f.Best == nil {
			continue
		}
		a, err := f.Space.Complete(at[f.Name])
		if err != nil {
			t.Fatalf("%s: %v", f.Name, err)
		}
		if got := f.Eval(a)[0]; !(math.Abs(got-f.Best[0]) < 1e-8) {
			t.Errorf("%s is %v where it is lowest, Best says %v", f.Name, got, f.Best[0])
		}
	}
}

func TestWhatIsMissingIsNaN(t *testing.T) {
	for _, f := range All() {
		if v := f.Eval(space.Assignment{}); len(v) != f.Objectives || !math.IsNaN(v[0]) {
			t.Errorf("%s of nothing is %v", f.Name, v)
		}
	}
	conditional, mixed := conditional(), mixedbi()
	if v := conditional.Eval(space.Assignment{"z": space.Float(0), "model": space.String("forest")}); !math.IsNaN(v[0]) {
		t.Errorf("an unknown model gives %v", v)
	}
	if v := mixed.Eval(space.Assignment{"len": space.Int(32), "batch": space.Int(7), "model": space.String("small")}); !math.IsNaN(v[1]) {
		t.Errorf("an unknown batch size gives %v", v)
	}
}

func TestByNameRefuses(t *testing.T) {
	_, err := ByName("brannin")
	if err == nil || !strings.Contains(err.Error(), `"brannin"`) || !strings.Contains(err.Error(), "branin, hartmann6") {
		t.Errorf("got %v", err)
	}
}
