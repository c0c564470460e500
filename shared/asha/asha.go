// Package asha decides how far trials are trained: rungs, and the promotion of the best
// of a rung to the next. It is the promotion type of Li et al., "A system for massively
// parallel hyperparameter tuning" (2020), algorithm 2: a trial pauses at each rung and
// goes on only if it is among the best of all that reported there so far; none is
// stopped for having been early. With several objectives "best" is by non-dominated
// rank, then crowding distance (MO-ASHA: Schmucker et al., "Multi-objective asynchronous
// successive halving", 2021).
package asha

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/supermax-hpo/supermax/shared/sampler"
)

// Rungs are the epochs, rising, at which each rung ends; the last is the whole budget.
type Rungs []int

// New returns the rungs first, first·factor, first·factor² … below last, and then last.
func New(first, last, factor int) (Rungs, error) {
	switch {
	case first < 1:
		return nil, fmt.Errorf("rungs: the first ends after %d epochs, at least 1 is needed", first)
	case last < first:
		return nil, fmt.Errorf("rungs: the last ends after %d epochs, before the first after %d", last, first)
	case factor < 2:
		return nil, fmt.Errorf("rungs: the reduction factor is %d, at least 2 is needed", factor)
	}
	var r Rungs
	for epoch := first; epoch < last; epoch *= factor {
		r = append(r, epoch)
		if epoch > last/factor { // the next would be past the last, or overflow
			break
		}
	}
	return append(r, last), nil
}

// Span returns the epochs that a trial is trained for in a rung: after the first of
// them up to and including the second. The rung must exist.
func (r Rungs) Span(rung int) (from, to int) {
	if rung > 0 {
		from = r[rung-1]
	}
	return from, r[rung]
}

// A Result is what one trial reported at a rung.
type Result struct {
	Trial    int       // its number, unique in the rung
	Values   []float64 // one an objective
	Promoted bool      // it was promoted from this rung before
}

// Promotable returns the trials to promote from a rung, best first: those among its best
// ⌊n/factor⌋ of n results that were not promoted yet. Ties go to the lower trial number,
// and the order of the results does not matter. A result with NaN counts in n and is
// never promoted. The last rung has nothing to be promoted to: do not ask for it.
func Promotable(rung []Result, factor int, dirs []sampler.Direction) []int {
	if factor < 1 {
		return nil
	}
	byTrial := func(a, b Result) int { return cmp.Compare(a.Trial, b.Trial) }
	results := rung
	if !slices.IsSortedFunc(rung, byTrial) {
		results = slices.SortedFunc(slices.Values(rung), byTrial)
	}
	best := len(results) / factor
	if len(dirs) == 1 && nothingNew(results, best, dirs[0]) {
		return nil
	}
	values := make([][]float64, len(results))
	for i, r := range results {
		values[i] = r.Values
	}
	var trials []int
	for _, i := range sampler.Best(values, dirs, best) {
		if !results[i].Promoted && !slices.ContainsFunc(values[i], math.IsNaN) {
			trials = append(trials, results[i].Trial)
		}
	}
	return trials
}

// nothingNew reports whether all of the best so many results by one objective were promoted
// before, as is nearly always the case, without sorting them: the best of those that were
// not has as many results before it as there are better ones among the promoted. The
// results stand by trial.
func nothingNew(results []Result, best int, dir sampler.Direction) bool {
	loss := func(r Result) float64 {
		if dir == sampler.Maximize {
			return -r.Values[0]
		}
		return r.Values[0]
	}
	first, at := math.Inf(1), len(results)
	for i, r := range results {
		if !r.Promoted && loss(r) < first { // false for NaN
			first, at = loss(r), i
		}
	}
	before := 0
	for i, r := range results {
		if l := loss(r); r.Promoted && (l < first || l == first && i < at) {
			before++
		}
	}
	return before >= best
}
