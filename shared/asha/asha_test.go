package asha

import (
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/supermax-hpo/supermax/shared/sampler"
)

func TestNew(t *testing.T) {
	for _, c := range []struct {
		first, last, factor int
		want                Rungs
		err                 string
	}{
		{2, 20, 3, Rungs{2, 6, 18, 20}, ""}, // stage A
		{3, 30, 3, Rungs{3, 9, 27, 30}, ""}, // stage B
		{1, 9, 3, Rungs{1, 3, 9}, ""},
		{5, 5, 3, Rungs{5}, ""},
		{1, 2, 4, Rungs{1, 2}, ""},
		{1, math.MaxInt, 1 << 40, Rungs{1, 1 << 40, math.MaxInt}, ""},
		{0, 5, 3, nil, "first ends after 0 epochs"},
		{6, 5, 3, nil, "before the first"},
		{1, 5, 1, nil, "factor is 1"},
	} {
		got, err := New(c.first, c.last, c.factor)
		if !slices.Equal(got, c.want) || (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("New(%d, %d, %d) is %v, %v; want %v, %q", c.first, c.last, c.factor, got, err, c.want, c.err)
		}
	}
}

func TestSpan(t *testing.T) {
	for rung, want := range [][2]int{{0, 2}, {2, 6}, {6, 18}, {18, 20}} {
		if from, to := (Rungs{2, 6, 18, 20}).Span(rung); from != want[0] || to != want[1] {
			t.Errorf("rung %d spans %d to %d, want %v", rung, from, to, want)
		}
	}
}

func TestPromotable(t *testing.T) {
	one := []sampler.Direction{sampler.Maximize}
	two := []sampler.Direction{sampler.Maximize, sampler.Minimize}
	for _, c := range []struct {
		name   string
		rung   []Result
		factor int
		dirs   []sampler.Direction
		want   []int
	}{
		{"empty", nil, 3, one, nil},
		{"too few", []Result{{Trial: 1, Values: []float64{1}}, {Trial: 2, Values: []float64{2}}}, 3, one, nil},
		{"best of three", []Result{
			{Trial: 1, Values: []float64{0.1}}, {Trial: 2, Values: []float64{0.3}}, {Trial: 3, Values: []float64{0.2}},
		}, 3, one, []int{2}},
		{"the best was promoted", []Result{
			{Trial: 1, Values: []float64{0.1}}, {Trial: 2, Values: []float64{0.3}, Promoted: true}, {Trial: 3, Values: []float64{0.2}},
		}, 3, one, nil},
		{"best first, ties by number", []Result{
			{Trial: 9, Values: []float64{0.5}}, {Trial: 4, Values: []float64{0.5}}, {Trial: 5, Values: []float64{0.1}}, {Trial: 6, Values: []float64{0.9}},
		}, 2, one, []int{6, 4}},
		{"two objectives: the front, its ends first", []Result{
			{Trial: 1, Values: []float64{0.5, 0.5}}, {Trial: 2, Values: []float64{0.9, 0.9}}, {Trial: 3, Values: []float64{0.7, 0.6}},
			{Trial: 4, Values: []float64{0.4, 0.8}}, {Trial: 5, Values: []float64{0.3, 0.9}}, {Trial: 6, Values: []float64{0.2, 0.9}},
		}, 2, two, []int{1, 2, 3}},
		{"NaN is never promoted", []Result{
			{Trial: 1, Values: []float64{math.NaN()}}, {Trial: 2, Values: []float64{math.NaN()}},
		}, 2, one, nil},
		{"no factor", []Result{{Trial: 1, Values: []float64{1}}}, 0, one, nil},
	} {
		if got := Promotable(c.rung, c.factor, c.dirs); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

// Trials report in any order and everything promotable is promoted at once: no trial
// twice, never more at a time than the rung allows, never one outside the best, and each
// of the final best is promoted.
func TestPromotionsOverTime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		factor := rapid.IntRange(2, 5).Draw(t, "factor")
		dirs := rapid.SampledFrom([][]sampler.Direction{
			{sampler.Maximize}, {sampler.Minimize}, {sampler.Maximize, sampler.Minimize},
		}).Draw(t, "directions")
		order := rapid.Permutation(slices.Collect(func(yield func(int) bool) {
			for i := range 40 {
				if !yield(i) {
					return
				}
			}
		})).Draw(t, "order")
		var rung []Result
		promoted := map[int]bool{}
		for n, trial := range order {
			r := Result{Trial: trial}
			for range dirs {
				r.Values = append(r.Values, float64(rapid.IntRange(0, 9).Draw(t, "value")))
			}
			rung = append(rung, r)
			got := Promotable(rung, factor, dirs)
			if len(got) > (n+1)/factor {
				t.Fatalf("%d of %d are promotable, factor %d", len(got), n+1, factor)
			}
			for _, trial := range got {
				if promoted[trial] {
					t.Fatalf("trial %d is promoted twice", trial)
				}
				promoted[trial] = true
				rung[slices.IndexFunc(rung, func(r Result) bool { return r.Trial == trial })].Promoted = true
			}
			if again := Promotable(rung, factor, dirs); len(again) > 0 {
				t.Fatalf("after promoting all, %v are promotable", again)
			}
		}
		fresh := slices.Clone(rung)
		for i := range fresh {
			fresh[i].Promoted = false
		}
		best := Promotable(fresh, factor, dirs)
		if len(best) != len(rung)/factor {
			t.Fatalf("%d of %d are the best, factor %d", len(best), len(rung), factor)
		}
		for _, trial := range best {
			if !promoted[trial] {
				t.Fatalf("trial %d is among the best and was not promoted", trial)
			}
		}
	})
}

// Whatever was promoted before, and however many values are equal, the answer is what a
// sort of all results gives.
func TestPromotableByDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		dirs := rapid.SampledFrom([][]sampler.Direction{
			{sampler.Maximize}, {sampler.Minimize}, {sampler.Maximize, sampler.Minimize},
		}).Draw(t, "directions")
		rung := make([]Result, rapid.IntRange(0, 30).Draw(t, "results"))
		for i := range rung {
			rung[i] = Result{Trial: i, Promoted: rapid.Bool().Draw(t, "promoted")}
			for range dirs {
				value := float64(rapid.IntRange(0, 5).Draw(t, "value"))
				if value == 5 {
					value = math.NaN()
				}
				rung[i].Values = append(rung[i].Values, value)
			}
		}
		factor := rapid.IntRange(1, 4).Draw(t, "factor")
		values := make([][]float64, len(rung))
		for i, r := range rung {
			values[i] = r.Values
		}
		var want []int
		for _, i := range sampler.BestFirst(values, dirs)[:len(rung)/factor] {
			if !rung[i].Promoted && !slices.ContainsFunc(values[i], math.IsNaN) {
				want = append(want, i)
			}
		}
		shuffled := slices.Clone(rung)
		slices.Reverse(shuffled)
		for _, results := range [][]Result{rung, shuffled} {
			if got := Promotable(results, factor, dirs); !slices.Equal(got, want) {
				t.Fatalf("%v are promotable of %v, want %v", got, results, want)
			}
		}
	})
}
