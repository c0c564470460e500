package searchbench

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/supermax-hpo/supermax/shared/functions"
	"github.com/supermax-hpo/supermax/shared/space"
)

func function(t *testing.T, name string) functions.Function {
	t.Helper()
	f, err := functions.ByName(name)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// numbered is a function that counts its calls: the value of trial n is n.
func numbered() functions.Function {
	calls := 0.0
	s := &space.Space{Params: []space.Param{{Name: "x", Kind: space.FloatRange, Low: 0, High: 1}}}
	return functions.Function{Name: "numbered", Space: s, Objectives: 1, Eval: func(space.Assignment) []float64 {
		calls++
		return []float64{calls - 1}
	}}
}

func TestRun(t *testing.T) {
	o := Options{Functions: []functions.Function{function(t, "branin"), function(t, "zdt1")}, Samplers: []string{"random", "tpe"},
		Trials: []int{5, 30}, Slots: []int{1, 4}, Seeds: 3}
	observed := 0
	o.Observe = func(c []Cell) { observed += len(c) }
	cells, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	// 2 numbers of trials × 2 numbers of slots × 2 samplers, for zdt1 with 2 reference points.
	if len(cells) != 8+16 || observed != len(cells) {
		t.Fatalf("%d cells, %d observed", len(cells), observed)
	}
	for _, c := range cells {
		if len(c.Values) != 3 || c.Q1 > c.Median || c.Median > c.Q3 {
			t.Errorf("%+v", c)
		}
		if c.Function == "branin" != (c.Measure == BestValue) || (c.Ref != nil) != (c.Measure == Hypervolume) {
			t.Errorf("%s is measured by %s up to %v", c.Function, c.Measure, c.Ref)
		}
	}
	if first, later := cells[0], cells[1]; first.Trials != 5 || later.Trials != 30 || !(later.Median < first.Median) {
		t.Errorf("after 30 trials %v is no better than after 5: %v", later.Values, first.Values)
	}
	again, err := Run(t.Context(), o)
	if diff := cmp.Diff(cells, again); err != nil || diff != "" {
		t.Errorf("the same options gave something else (%v):\n%s", err, diff)
	}
}

// TestSlotsKnowLess checks the model of parallel slots: trials are told in the order in
// which they were asked for, and more slots know less.
func TestSlotsKnowLess(t *testing.T) {
	for _, slots := range []int{1, 3, 50} {
		values, err := Search(t.Context(), numbered(), "tpe", 1, 20, slots)
		if err != nil || len(values) != 20 {
			t.Fatalf("%d values, %v", len(values), err)
		}
		for i, v := range values {
			if v[0] != float64(i) {
				t.Errorf("with %d slots value %d is %v: told out of order", slots, i, v[0])
			}
		}
	}
	one, err := Search(t.Context(), function(t, "branin"), "tpe", 1, 40, 1)
	if err != nil {
		t.Fatal(err)
	}
	all, err := Search(t.Context(), function(t, "branin"), "tpe", 1, 40, 40)
	if err != nil {
		t.Fatal(err)
	}
	if cmp.Equal(one, all) {
		t.Error("forty slots that ask before any result found what one slot did")
	}
}

func TestQuartiles(t *testing.T) {
	for _, c := range []struct {
		values []float64
		want   Quartiles
	}{
		{[]float64{3}, Quartiles{3, 3, 3}},
		{[]float64{4, 1, 3, 2}, Quartiles{1.75, 2.5, 3.25}},
		{[]float64{5, 1, 2, 4, 3}, Quartiles{2, 3, 4}},
	} {
		if got := QuartilesOf(c.values); got != c.want {
			t.Errorf("quartiles of %v are %v, want %v", c.values, got, c.want)
		}
	}
}

func TestRefusals(t *testing.T) {
	good := Options{Functions: []functions.Function{numbered()}, Samplers: []string{"random"}, Slots: []int{1}, Seeds: 1}
	for want, change := range map[string]func(*Options){
		"seeds: 0 is not allowed; allowed: 1 to 10000":    func(o *Options) { o.Seeds = 0 },
		"trials: -3 is not allowed; allowed: 1 to 100000": func(o *Options) { o.Trials = []int{10, -3} },
		"slots: 20000 is not allowed":                     func(o *Options) { o.Slots = []int{20000} },
		"annealing":                                       func(o *Options) { o.Samplers = []string{"annealing"} },
		"speed20bi has several objectives and no reference point": func(o *Options) {
			o.Functions = []functions.Function{function(t, "speed20bi")}
		},
		"at least one of each": func(o *Options) { o.Samplers = nil },
	} {
		o := good
		change(&o)
		var refused *OptionError
		if _, err := Run(t.Context(), o); !errors.As(err, &refused) || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want …%s…", err, want)
		}
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Run(ended, good); !errors.Is(err, context.Canceled) {
		t.Errorf("a context that has ended: %v", err)
	}
	if _, err := NewSearcher(numbered(), "annealing", 1); err == nil {
		t.Error("an unknown sampler was found")
	}
}
