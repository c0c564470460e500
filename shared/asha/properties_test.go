package asha

import (
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/supermax-hpo/supermax/shared/sampler"
)

// drawn results, with few different values so that many are equal.
func drawResults(t *rapid.T, dirs []sampler.Direction, n, epoch int) []Result {
	results := make([]Result, n)
	for i := range results {
		results[i] = Result{Trial: i, Epoch: epoch, Promoted: rapid.Bool().Draw(t, "promoted"),
			Violation: float64(max(0, rapid.IntRange(-3, 2).Draw(t, "violation")))}
		for range dirs {
			value := float64(rapid.IntRange(0, 7).Draw(t, "value"))
			if value == 7 {
				value = math.NaN()
			}
			results[i].Values = append(results[i].Values, value)
		}
	}
	return results
}

func drawDirections(t *rapid.T) []sampler.Direction {
	return rapid.SampledFrom([][]sampler.Direction{one, {sampler.Minimize}, two, {sampler.Minimize, sampler.Maximize}}).Draw(t, "directions")
}

// byDefinition returns the results with a value, best first: the feasible ones, with two
// objectives by their rank and in a rank in the order of the net; the others by violation.
func byDefinition(st Standings, results []Result) []int {
	var feasible, infeasible []entry
	for _, r := range results {
		switch e := st.entry(r); {
		case e.missing():
		case e.violation == 0:
			feasible = append(feasible, e)
		default:
			infeasible = append(infeasible, e)
		}
	}
	slices.SortFunc(feasible, entry.compare)
	slices.SortFunc(infeasible, entry.compare)
	var order []int
	if len(st.s.o.Directions) == 1 {
		for _, e := range feasible {
			order = append(order, e.trial)
		}
	} else {
		losses := make([][]float64, len(feasible))
		for i, e := range feasible {
			losses[i] = []float64{e.first, e.second}
		}
		ranks := sampler.NonDominatedRanks(losses, []sampler.Direction{sampler.Minimize, sampler.Minimize})
		for rank := range len(feasible) {
			var front []entry
			for i, e := range feasible {
				if ranks[i] == rank {
					front = append(front, e)
				}
			}
			for _, i := range epsilonNet(front) {
				order = append(order, front[i].trial)
			}
		}
	}
	for _, e := range infeasible {
		order = append(order, e.trial)
	}
	return order
}

// Whatever was promoted before, in whatever order results come, one by one or at once, the
// promotable ones are what a sort of all results gives.
func TestPromotableByDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		dirs := drawDirections(t)
		results := drawResults(t, dirs, rapid.IntRange(0, 30).Draw(t, "results"), 2)
		factor := rapid.IntRange(2, 4).Draw(t, "factor")
		s, err := NewScheduler(Options{Kind: KindASHA, Directions: dirs, First: 2, Last: 8, Factor: factor})
		if err != nil {
			t.Fatal(err)
		}
		order := byDefinition(s.Standings(), results)
		var want []int
		for _, trial := range order[:min(len(order), len(results)/factor)] {
			if !results[trial].Promoted {
				want = append(want, trial)
			}
		}
		atOnce := s.Standings(results...)
		oneByOne := s.Standings()
		for _, i := range rapid.Permutation(indexes(len(results))).Draw(t, "order") {
			r := results[i]
			r.Promoted = false
			oneByOne = oneByOne.Reported(r)
		}
		for _, r := range results {
			if r.Promoted {
				oneByOne = oneByOne.Promoted(r)
			}
		}
		if diff := cmp.Diff(oneByOne.String(), atOnce.String()); diff != "" {
			t.Fatalf("one by one and at once differ:\n%s", diff)
		}
		if got := atOnce.Promotable(0); !slices.Equal(got, want) {
			t.Fatalf("promotable are %v, want %v of %v", got, want, order)
		}
		for _, r := range results {
			if !r.Promoted && atOnce.GoesOn(r) != slices.Contains(want, r.Trial) {
				t.Fatalf("trial %d goes on: %v, want one of %v", r.Trial, atOnce.GoesOn(r), want)
			}
		}
	})
}

func indexes(n int) []int {
	list := make([]int, n)
	for i := range list {
		list[i] = i
	}
	return list
}

// Trials report in any order and everything promotable is promoted at once: none twice, and
// each of the final best is promoted. What was known before stays as it was.
func TestPromotionsOverTime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		dirs := drawDirections(t)
		factor := rapid.IntRange(2, 5).Draw(t, "factor")
		s, err := NewScheduler(Options{Kind: KindASHA, Directions: dirs, First: 2, Last: 8, Factor: factor})
		if err != nil {
			t.Fatal(err)
		}
		results := drawResults(t, dirs, 40, 2)
		st := s.Standings()
		promoted := map[int]bool{}
		var versions []Standings
		var texts []string
		for _, i := range rapid.Permutation(indexes(len(results))).Draw(t, "order") {
			results[i].Promoted = false
			st = st.Reported(results[i])
			for trial, _, ok := next(st); ok; trial, _, ok = next(st) {
				if promoted[trial] {
					t.Fatalf("trial %d is promoted twice", trial)
				}
				promoted[trial] = true
				st = st.Promoted(results[trial])
			}
			versions, texts = append(versions, st), append(texts, st.String())
		}
		order := byDefinition(st, results)
		for _, trial := range order[:min(len(order), len(results)/factor)] {
			if !promoted[trial] {
				t.Fatalf("trial %d is among the best and was not promoted", trial)
			}
		}
		for i, st := range versions {
			if diff := cmp.Diff(texts[i], st.String()); diff != "" {
				t.Fatalf("the standings after %d results changed:\n%s", i+1, diff)
			}
		}
	})
}

// The stopping kinds decide by what has a value, with two objectives too.
func TestStoppingByDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		dirs := drawDirections(t)
		factor := rapid.IntRange(2, 4).Draw(t, "factor")
		s, err := NewScheduler(Options{Kind: KindStopping, Directions: dirs, First: 2, Last: 8, Factor: factor})
		if err != nil {
			t.Fatal(err)
		}
		results := drawResults(t, dirs, rapid.IntRange(1, 30).Draw(t, "results"), 2)
		st := s.Standings(results...)
		order := byDefinition(st, results)
		best := order[:min(len(order), max(1, len(order)/factor))]
		for _, r := range results {
			want := slices.Contains(best, r.Trial)
			if len(order) > 0 && (len(dirs) == 1 || r.Violation > 0) { // one that equals the last goes on too
				last := results[best[len(best)-1]]
				want = want || last.Violation == r.Violation && slices.Equal(last.Values, r.Values)
			}
			if got := st.GoesOn(r); got != want {
				t.Fatalf("trial %d goes on: %v, want %v; the best are %v", r.Trial, got, want, best)
			}
		}
		if trial, _, ok := next(st); ok || st.Promotable(0) != nil {
			t.Fatalf("trial %d is promoted after it was stopped", trial)
		}
	})
}
