package asha

import (
	"math"
	"slices"
	"testing"

	"github.com/supermax-hpo/supermax/shared/sampler"
)

var (
	one = []sampler.Direction{sampler.Maximize}
	two = []sampler.Direction{sampler.Maximize, sampler.Minimize}
)

func mustScheduler(t testing.TB, o Options) *Scheduler {
	t.Helper()
	s, err := NewScheduler(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// at2 returns results at epoch 2 of trials counted from 1.
func at2(values ...[]float64) []Result {
	results := make([]Result, len(values))
	for i, v := range values {
		results[i] = Result{Trial: i + 1, Epoch: 2, Values: v}
	}
	return results
}

func promoted(results []Result, trials ...int) []Result {
	for i := range results {
		results[i].Promoted = slices.Contains(trials, results[i].Trial)
	}
	return results
}

func violating(results []Result, violations ...float64) []Result {
	for i := range results {
		results[i].Violation = violations[i]
	}
	return results
}

// next returns the promotion for the next slot that asks.
func next(st Standings) (trial, rung int, ok bool) {
	for trial, rung := range st.Promotions() {
		return trial, rung, true
	}
	return 0, 0, false
}

func TestPromotable(t *testing.T) {
	nan := math.NaN()
	for _, c := range []struct {
		name    string
		results []Result
		factor  int
		dirs    []sampler.Direction
		want    []int
	}{
		{"empty", nil, 3, one, nil},
		{"too few", at2([]float64{1}, []float64{2}), 3, one, nil},
		{"best of three", at2([]float64{0.1}, []float64{0.3}, []float64{0.2}), 3, one, []int{2}},
		{"the best was promoted", promoted(at2([]float64{0.1}, []float64{0.3}, []float64{0.2}), 2), 3, one, nil},
		{"best first, ties by number", at2([]float64{0.5}, []float64{0.5}, []float64{0.1}, []float64{0.9}), 2, one, []int{4, 1}},
		{"two objectives: the front, its ends first", at2([]float64{0.5, 0.5}, []float64{0.9, 0.9}, []float64{0.7, 0.6},
			[]float64{0.4, 0.8}, []float64{0.3, 0.9}, []float64{0.2, 0.9}), 2, two, []int{2, 1, 3}},
		{"two objectives: the second front after the first", at2([]float64{0.9, 0.1}, []float64{0.5, 0.5}, []float64{0.8, 0.2},
			[]float64{0.1, 0.9}), 2, two, []int{1, 3}},
		{"NaN counts and is never promoted", at2([]float64{nan}, []float64{0.1}), 2, one, []int{2}},
		{"nothing but NaN", at2([]float64{nan, 1}, []float64{0.1, nan}), 2, two, nil},
		{"no distance to an infinite loss", at2([]float64{0.1, math.Inf(1)}, []float64{0.1, 1}), 2, two, []int{2}},
		{"the infeasible come last", violating(at2([]float64{0.9}, []float64{0.1}, []float64{0.2}, []float64{0.8}), 1, 0, 0, 0.5), 2, one, []int{3, 2}},
		{"less violation first", violating(at2([]float64{0.9}, []float64{0.1}, []float64{0.2}, []float64{0.8}), 1, 0, 0.5, 2), 2, one, []int{2, 3}},
		{"two objectives: the infeasible come last", violating(at2([]float64{0.9, 0.1}, []float64{0.1, 0.9}, []float64{0.8, 0.2}, []float64{0.7, 0.3}),
			1, 0, 0.2, 0.3), 2, two, []int{2, 3}},
		{"two objectives: a promoted infeasible one", promoted(violating(at2([]float64{0.9, 0.1}, []float64{0.1, 0.9}), 1, 2), 1), 2, two, nil},
		{"all infeasible", violating(at2([]float64{0.9}, []float64{0.1}), 2, 1), 2, one, []int{2}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := mustScheduler(t, Options{Kind: KindASHA, Directions: c.dirs, First: 2, Last: 8, Factor: c.factor})
			st := s.Standings(c.results...)
			if got := st.Promotable(0); !slices.Equal(got, c.want) {
				t.Errorf("promotable are %v, want %v", got, c.want)
			}
			trial, rung, ok := next(st)
			if ok != (len(c.want) > 0) || ok && (trial != c.want[0] || rung != 0) {
				t.Errorf("next is trial %d from rung %d, %v; want the first of %v", trial, rung, ok, c.want)
			}
			for _, r := range c.results {
				if !r.Promoted && st.GoesOn(r) != slices.Contains(c.want, r.Trial) {
					t.Errorf("trial %d goes on: %v, want one of %v", r.Trial, st.GoesOn(r), c.want)
				}
			}
		})
	}
}

func TestNextIsFromTheHighestRung(t *testing.T) {
	s := mustScheduler(t, Options{Kind: KindASHA, Directions: one, First: 1, Last: 9, Factor: 3})
	st := s.Standings()
	for trial := range 9 {
		st = st.Reported(Result{Trial: trial, Epoch: 1, Values: []float64{float64(trial)}})
	}
	for _, trial := range []int{6, 7, 8} {
		st = st.Promoted(Result{Trial: trial, Epoch: 1, Values: []float64{float64(trial)}})
	}
	// The ninth result at rung 0 stands above all; the third at rung 1 makes one promotable there.
	st = st.Reported(Result{Trial: 9, Epoch: 1, Values: []float64{10}})
	for _, trial := range []int{6, 7, 8} {
		st = st.Reported(Result{Trial: trial, Epoch: 3, Values: []float64{float64(-trial)}})
	}
	if trial, rung, ok := next(st); trial != 6 || rung != 1 || !ok {
		t.Errorf("next is trial %d from rung %d, %v; want trial 6 from rung 1", trial, rung, ok)
	}
	st = st.Promoted(Result{Trial: 6, Epoch: 3, Values: []float64{-6}})
	if trial, rung, ok := next(st); trial != 9 || rung != 0 || !ok {
		t.Errorf("next is trial %d from rung %d, %v; want trial 9 from rung 0", trial, rung, ok)
	}
	if got := st.Promotable(2); got != nil {
		t.Errorf("from the last rung %v are promotable", got)
	}
	if got := st.Promotable(-1); got != nil {
		t.Errorf("from no rung %v are promotable", got)
	}
	if last := (Result{Trial: 6, Epoch: 9, Values: []float64{1}}); st.Reported(last).GoesOn(last) {
		t.Error("a trial goes on after the last epoch")
	}
}

// With bootstrap nobody goes on until there are more results.
func TestBootstrap(t *testing.T) {
	for _, kind := range []string{KindASHA, KindStopping} {
		s := mustScheduler(t, Options{Kind: kind, Directions: one, First: 2, Last: 8, Factor: 2, Bootstrap: 3})
		st := s.Standings()
		for trial := range 4 {
			r := Result{Trial: trial, Epoch: 2, Values: []float64{float64(trial)}}
			st = st.Reported(r)
			if got, want := st.GoesOn(r), trial == 3; got != want {
				t.Errorf("%s: result %d goes on: %v, want %v", kind, trial+1, got, want)
			}
		}
	}
}
