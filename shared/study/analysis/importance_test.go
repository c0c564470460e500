package analysis

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/supermax-hpo/supermax/shared/sampler"
	"github.com/supermax-hpo/supermax/shared/space"
)

// reference is a case of testdata: a study and what Optuna computes of it.
type reference struct {
	Name       string
	Space      *space.Space
	Directions []string
	Objective  *int // the one that counts; nil: all
	Points     [][]*float64
	Values     [][]float64
	Options    []struct {
		Target, Region float64
		Global         bool
		Importances    map[string]float64
	}
}

func references(t testing.TB) []reference {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("files %v, error %v", files, err)
	}
	var all []reference
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var held struct{ Cases []reference }
		if err := json.Unmarshal(data, &held); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		all = append(all, held.Cases...)
	}
	if len(all) == 0 {
		t.Fatal("no cases")
	}
	return all
}

// study returns the case as a problem and its observations.
func (r reference) study() (sampler.Problem, []sampler.Observation) {
	p := sampler.Problem{Space: r.Space}
	for k, d := range r.Directions {
		if r.Objective == nil || *r.Objective == k {
			p.Directions = append(p.Directions, map[string]sampler.Direction{"maximize": sampler.Maximize, "minimize": sampler.Minimize}[d])
		}
	}
	var all []sampler.Observation
	for n, row := range r.Points {
		o := sampler.Observation{Number: n, Values: r.Values[n]}
		if r.Objective != nil {
			o.Values = o.Values[*r.Objective : *r.Objective+1]
		}
		for _, x := range row {
			v := math.NaN()
			if x != nil {
				v = *x
			}
			o.Point = append(o.Point, v)
		}
		all = append(all, o)
	}
	return p, all
}

func TestGoldenPedAnova(t *testing.T) {
	compared, worst := 0, 0.0
	for _, r := range references(t) {
		p, all := r.study()
		if err := p.Space.Validate(); err != nil {
			t.Fatalf("%s: %v", r.Name, err)
		}
		// Order must not matter.
		rand.New(rand.NewPCG(1, 2)).Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		for _, o := range r.Options {
			got, err := PedAnova(p, all, ImportanceOptions{Target: o.Target, Region: o.Region, Global: o.Global})
			if err != nil {
				t.Errorf("%s: %v", r.Name, err)
				continue
			}
			for name, want := range o.Importances {
				param, ok := p.Space.Param(name)
				i := slices.IndexFunc(got.Params, func(v Importance) bool { return v.Param == name })
				switch {
				case !ok:
					t.Fatalf("%s: the space lacks %s", r.Name, name)
				case i < 0 && param.Count() == 1 && want == 0:
				case i < 0:
					t.Errorf("%s: %s is missing", r.Name, name)
				default:
					compared++
					off := math.Abs(got.Params[i].Divergence-want) / max(1e-3, math.Abs(want))
					worst = max(worst, off)
					if !(off <= 1e-9) {
						t.Errorf("%s, target %v, region %v, global %v: %s has %v, want %v", r.Name, o.Target, o.Region, o.Global, name, got.Params[i].Divergence, want)
					}
				}
			}
			for _, v := range got.Params {
				if _, ok := o.Importances[v.Param]; !ok {
					t.Errorf("%s: %s should not be there", r.Name, v.Param)
				}
			}
		}
	}
	if compared == 0 {
		t.Fatal("nothing was compared")
	}
	t.Logf("%d importances, worst difference %.1e", compared, worst)
}

var nan = math.NaN()

// one is a problem of one parameter from 0 to 10, whose results are the parameter's values.
func one(values ...float64) (sampler.Problem, []sampler.Observation) {
	p := sampler.Problem{
		Space:      &space.Space{Params: []space.Param{{Name: "x", Kind: space.FloatRange, Low: 0, High: 10}}},
		Directions: []sampler.Direction{sampler.Minimize},
	}
	var all []sampler.Observation
	for n, x := range values {
		all = append(all, sampler.Observation{Number: n, Point: space.Point{x}, Values: []float64{x}})
	}
	return p, all
}

func TestPedAnovaRefuses(t *testing.T) {
	for _, tt := range []struct {
		name string
		edit func(*sampler.Problem, []sampler.Observation, *ImportanceOptions)
		want string
	}{
		{"target", func(_ *sampler.Problem, _ []sampler.Observation, o *ImportanceOptions) { o.Target = -0.1 }, "the target -0.1 is not allowed; allowed: a share above 0, below the region's 1"},
		{"target of all", func(_ *sampler.Problem, _ []sampler.Observation, o *ImportanceOptions) { o.Target = 1 }, "the target 1 is not allowed"},
		{"target above region", func(_ *sampler.Problem, _ []sampler.Observation, o *ImportanceOptions) { o.Region = 0.1 }, "the target 0.1 is not allowed; allowed: a share above 0, below the region's 0.1"},
		{"no target", func(_ *sampler.Problem, _ []sampler.Observation, o *ImportanceOptions) { o.Target = nan }, "the target NaN is not allowed"},
		{"region", func(_ *sampler.Problem, _ []sampler.Observation, o *ImportanceOptions) { o.Region = 1.5 }, "the region 1.5 is not allowed; allowed: a share above 0, up to 1"},
		{"no region", func(_ *sampler.Problem, _ []sampler.Observation, o *ImportanceOptions) { o.Region = nan }, "the region NaN is not allowed"},
		{"global region", func(_ *sampler.Problem, _ []sampler.Observation, o *ImportanceOptions) {
			o.Region, o.Global = 0.5, true
		}, "the region 0.5 has no meaning for global importances; allowed: 1"},
		{"no space", func(p *sampler.Problem, _ []sampler.Observation, _ *ImportanceOptions) { p.Space = nil }, "the problem needs a space"},
		{"no objective", func(p *sampler.Problem, _ []sampler.Observation, _ *ImportanceOptions) { p.Directions = nil }, "at least one objective"},
		{"outside", func(_ *sampler.Problem, all []sampler.Observation, _ *ImportanceOptions) { all[1].Point[0] = 11 }, "trial 1: x: is 11 in a point; allowed: a number from 0 to 10"},
		{"values", func(_ *sampler.Problem, all []sampler.Observation, _ *ImportanceOptions) {
			all[1].Values = []float64{1, 2}
		}, "trial 1 has 2 values for 1 objectives"},
	} {
		p, all := one(1, 2, 3)
		var o ImportanceOptions
		tt.edit(&p, all, &o)
		if _, err := PedAnova(p, all, o); err == nil || !strings.HasPrefix(err.Error(), "importances: ") || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error %v, want %q", tt.name, err, tt.want)
		}
	}
}

// Results that cannot be compared are as if they were not there.
func TestPedAnovaLeavesOut(t *testing.T) {
	p, all := one(1, 2, 3, 4, 5, 6)
	want, err := PedAnova(p, all, ImportanceOptions{Target: 0.5})
	if err != nil {
		t.Fatal(err)
	}
	for n, values := range [][]float64{nil, {nan}, {math.Inf(1)}, {math.Inf(-1)}} {
		all = append(all, sampler.Observation{Number: 10 + n, Point: space.Point{9}, Values: values})
	}
	got, err := PedAnova(p, all, ImportanceOptions{Target: 0.5})
	if d := cmp.Diff(want, got); d != "" || err != nil || got.Results != 6 || got.Target != 3 || got.Region != 6 {
		t.Errorf("error %v (-want +got):\n%s", err, d)
	}
	if v := got.Params[0]; v.Share != 1 || !(v.Divergence > 0) {
		t.Errorf("the only parameter has %+v", v)
	}
}

// With nothing to tell the target from the rest all is 0, shares too.
func TestPedAnovaOfNothing(t *testing.T) {
	for name, values := range map[string][]float64{"no result": nil, "one": {3}, "equal": {3, 3, 3, 3}} {
		p, all := one(values...)
		for i := range all {
			all[i].Point[0] = float64(i)
		}
		got, err := PedAnova(p, all, ImportanceOptions{})
		if err != nil || got.Results != len(values) {
			t.Errorf("%s: %+v, error %v", name, got, err)
		}
		for _, v := range got.Params {
			if v.Divergence != 0 || v.Share != 0 {
				t.Errorf("%s: %+v", name, v)
			}
		}
	}
}

// Trials that break the study's limits are the last, the worse the later.
func TestBestIsFeasible(t *testing.T) {
	p, all := one(1, 2, 3, 4, 5, 6, 7, 8)
	for i, v := range []float64{0.2, 0.1, 0.3, 0.1} {
		all[i].Violation = v
	}
	two := sampler.Problem{Space: p.Space, Directions: []sampler.Direction{sampler.Minimize, sampler.Minimize}}
	for _, tt := range []struct {
		share float64
		want  []int
	}{
		{0.25, []int{4, 5}}, {0.5, []int{4, 5, 6, 7}},
		{0.6, []int{1, 3, 4, 5, 6, 7}}, // trials 1 and 3 are equally bad
		{0.8, []int{0, 1, 3, 4, 5, 6, 7}}, {1, []int{0, 1, 2, 3, 4, 5, 6, 7}},
	} {
		for _, p := range []sampler.Problem{p, two} {
			for i := range all {
				all[i].Values = slices.Repeat([]float64{float64(i)}, len(p.Directions))
			}
			var got []int
			for _, o := range best(p, all, tt.share) {
				got = append(got, o.Number)
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("share %v, %d objectives: %v, want %v", tt.share, len(p.Directions), got, tt.want)
			}
		}
	}
}

// A density is one over its grid, in whatever order its values come.
func TestDensity(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		params := []space.Param{
			{Kind: space.FloatRange, Low: -2, High: 5},
			{Kind: space.FloatRange, Low: 1e-5, High: 1, Log: true},
			{Kind: space.IntRange, Low: 1, High: 3000, Log: true},
			{Kind: space.IntRange, Low: 0, High: 1},
			{Kind: space.FloatRange, Low: 0, High: 1, Step: 0.125},
			{Kind: space.Categorical, Choices: []space.Value{space.Int(1), space.Int(2), space.Int(3)}},
		}
		p := rapid.SampledFrom(params).Draw(t, "param")
		g := newGrid(p)
		low, high := p.Low, p.High
		if p.Kind == space.Categorical {
			high = float64(len(p.Choices) - 1)
		}
		var values []float64
		for range rapid.IntRange(1, 40).Draw(t, "n") {
			x := rapid.Float64Range(low, high).Draw(t, "x")
			if p.Kind == space.Categorical {
				x = math.Round(x)
			}
			values = append(values, x)
		}
		sum := 0.0
		for _, d := range g.density(values) {
			if !(d > 0) {
				t.Fatalf("density %v", d)
			}
			sum += d
		}
		if !(math.Abs(sum-1) < 1e-9) {
			t.Fatalf("the cells add up to %v", sum)
		}
	})
}
