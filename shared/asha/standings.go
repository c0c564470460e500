package asha

import (
	"fmt"
	"iter"
	"math"
	"slices"

	"github.com/supermax-hpo/supermax/shared/sampler"
)

// A Result is what one trial reported after an epoch.
type Result struct {
	Trial     int
	Epoch     int
	Values    []float64 // one an objective; NaN: it gave none
	Violation float64   // by how much it breaks its constraints, from 0; 0: feasible
	Promoted  bool      // it went on to the next rung
}

// Standings are the results of a stage's trials, in order, as its scheduler decides by
// them. They never change: what is reported gives new standings, which share nearly all of
// the old. So they may be copied freely, kept beside an older version and read by many
// goroutines. Which trial reported first makes no difference to what follows.
//
// With one objective everything takes time in the logarithm of the number of results. With
// two it grows with the number of fronts as well, some two hundred of ten thousand results.
type Standings struct {
	s        *Scheduler
	first    []int   // by bracket, where its levels begin
	levels   []level // by bracket and rung
	finished finished
}

// Reported returns the standings with another result. A trial reports an epoch once and its
// epochs in turn. Epochs between rungs may be left out; they only tell [KindMedian] and
// [KindPercentile] how good the trial has been meanwhile.
func (st Standings) Reported(r Result) Standings {
	rung, looked := st.rung(r.Trial, r.Epoch)
	switch {
	case st.s.o.compares():
		if !looked {
			rung = -1
		}
		st.finished = st.finished.with(r.Trial, rung, r.Values[0], st.s.o.Directions[0])
	case looked:
		st = st.changed(rung, st.levels[rung].with(st.entry(r)))
	}
	return st
}

// Promoted returns the standings in which the trial with this result, which it reported
// before, went on to the next rung.
func (st Standings) Promoted(r Result) Standings {
	rung, looked := st.rung(r.Trial, r.Epoch)
	r.Promoted = true
	e := st.entry(r)
	if !looked || !st.s.Promotes() || e.missing() {
		return st
	}
	return st.changed(rung, st.levels[rung].promoted(e))
}

// GoesOn reports whether the trial with this result, the last that it reported, is trained
// on at once. After the last epoch there is nothing to train.
func (st Standings) GoesOn(r Result) bool {
	rung, looked := st.rung(r.Trial, r.Epoch)
	switch {
	case r.Epoch >= st.s.last():
		return false
	case !looked || st.s.o.Kind == KindNone:
		return true
	case st.s.o.compares():
		return st.finished.keeps(st.s.o, r.Trial, rung)
	}
	e, l := st.entry(r), st.levels[rung]
	if e.missing() {
		return false
	}
	if st.s.Promotes() {
		return l.amongBest(e, st.best(l), false)
	}
	// Among those with a value, at least the first goes on, and so does whoever equals the
	// last that does.
	n := l.valued()
	return n > st.s.o.Bootstrap && l.amongBest(e, max(1, n/st.s.o.Factor), true)
}

// Promotions yields the trials that may be promoted and the rung that each leaves, in the
// order in which slots that ask get them: from the highest rung down, of each the best
// first ([Standings.Promotable]).
func (st Standings) Promotions() iter.Seq2[int, int] {
	return func(yield func(trial, rung int) bool) {
		if !st.s.Promotes() {
			return
		}
		for rung := len(st.levels) - 2; rung >= 0; rung-- {
			for e := range st.levels[rung].promotable(st.best(st.levels[rung])) {
				if !yield(e.trial, rung) {
					return
				}
			}
		}
	}
}

// Promotable returns the trials that may be promoted from a rung, best first: those that
// were not yet among its best ⌊n/Factor⌋ of n results. A result without a value counts in n
// and is never promoted; infeasible trials stand after the feasible ones, by their
// violation.
func (st Standings) Promotable(rung int) []int {
	if !st.s.Promotes() || rung < 0 || rung > len(st.levels)-2 {
		return nil
	}
	var trials []int
	for e := range st.levels[rung].promotable(st.best(st.levels[rung])) {
		trials = append(trials, e.trial)
	}
	return trials
}

// best returns how many of a level's results may be promoted.
func (st Standings) best(l level) int {
	if l.len() <= st.s.o.Bootstrap {
		return 0
	}
	return l.len() / st.s.o.Factor
}

// rung returns the level at which the epoch of a trial is looked at, if it is.
func (st Standings) rung(trial, epoch int) (int, bool) {
	b := st.s.bracket(trial)
	rung, looked := slices.BinarySearch(st.s.brackets[b], epoch)
	return st.first[b] + rung, looked
}

// changed returns the standings with another level in the place of one.
func (st Standings) changed(rung int, l level) Standings {
	st.levels = slices.Clone(st.levels)
	st.levels[rung] = l
	return st
}

// entry returns the place of a result at its rung.
func (st Standings) entry(r Result) entry {
	dirs := st.s.o.Directions
	e := entry{violation: r.Violation, trial: r.Trial, waiting: st.s.Promotes() && !r.Promoted, first: loss(r.Values[0], dirs[0])}
	if len(dirs) > 1 {
		e.second = loss(r.Values[1], dirs[1])
		if math.IsInf(e.first, 0) || math.IsInf(e.second, 0) { // nothing lies at a distance from it
			e.first = math.NaN()
		}
	}
	return e
}

// loss returns the value so that smaller is better.
func loss(value float64, dir sampler.Direction) float64 {
	if dir == sampler.Maximize {
		return 0 - value // of 0 it is 0, not -0
	}
	return value
}

// String lists all that decides, the same whatever order it was reported in.
func (st Standings) String() string { return fmt.Sprint(st.levels, st.finished) }
