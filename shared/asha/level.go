package asha

import (
	"fmt"
	"iter"
	"math"
	"slices"

	"github.com/supermax-hpo/supermax/shared/internal/persistent"
)

// An entry is one trial's place at a rung. Losses are values in which smaller is better;
// with one objective second is 0.
type entry struct {
	violation     float64
	first, second float64
	trial         int
	waiting       bool // it may still be promoted from its rung
}

// compare orders entries by violation, losses and trial number. None holds NaN.
func (e entry) compare(o entry) int {
	switch {
	case e.violation != o.violation:
		return before(e.violation < o.violation)
	case e.first != o.first:
		return before(e.first < o.first)
	case e.second != o.second:
		return before(e.second < o.second)
	case e.trial != o.trial:
		return before(e.trial < o.trial)
	}
	return 0
}

func before(is bool) int {
	if is {
		return -1
	}
	return 1
}

// missing reports whether the entry has no place, for want of a value.
func (e entry) missing() bool {
	return math.IsNaN(e.first) || math.IsNaN(e.second) || math.IsNaN(e.violation)
}

// A level is what was reported at one rung, best first: with two objectives the feasible
// results by fronts; then, or with one objective from the beginning, results in a line. Like
// the standings it never changes.
type level struct {
	fronts  fronts
	line    persistent.Set[entry] // who waits is only in the next
	waiting persistent.Set[entry] // those of the line that wait
	missing int                   // results without a value
}

// newLevel returns the level with these results, which it puts in order.
func newLevel(objectives int, entries []entry) level {
	l := level{fronts: fronts{used: objectives > 1}}
	line := slices.DeleteFunc(entries, entry.missing)
	l.missing = len(entries) - len(line)
	line = inOrder(line)
	if l.fronts.used { // the feasible stand before the others
		n, _ := slices.BinarySearchFunc(line, 0, func(e entry, _ int) int { return before(e.violation == 0) })
		l.fronts, line = l.fronts.withAll(line[:n]), line[n:]
	}
	waiting := make([]entry, 0, len(line))
	for i, e := range line {
		if e.waiting {
			waiting = append(waiting, e)
		}
		line[i].waiting = false
	}
	l.line, l.waiting = persistent.NewSet(entry.compare, line...), persistent.NewSet(entry.compare, waiting...)
	return l
}

// inOrder returns the entries in their order. An entry is long and takes its time to move, so
// what is sorted is what mostly tells two apart.
func inOrder(entries []entry) []entry {
	type key struct {
		violation, first float64
		at               int32
	}
	keys := make([]key, len(entries))
	for i, e := range entries {
		keys[i] = key{e.violation, e.first, int32(i)}
	}
	slices.SortFunc(keys, func(a, b key) int {
		switch {
		case a.violation == b.violation && a.first < b.first:
			return -1
		case a.violation == b.violation && a.first > b.first:
			return 1
		}
		return entries[a.at].compare(entries[b.at])
	})
	sorted := make([]entry, len(entries))
	for i, k := range keys {
		sorted[i] = entries[k.at]
	}
	return sorted
}

// String lists the results: the fronts, the line, who of it waits, and how many have no value.
func (l level) String() string {
	fronts := make([][]entry, len(l.fronts.ranks))
	for k, front := range l.fronts.ranks {
		fronts[k] = front.members
	}
	return fmt.Sprint(fronts, slices.Collect(l.line.All()), slices.Collect(l.waiting.All()), l.missing)
}

// len returns how many results there are, those without a value included.
func (l level) len() int { return l.valued() + l.missing }

// valued returns how many results have a value.
func (l level) valued() int { return l.fronts.size + l.line.Len() }

// with returns the level with one more result.
func (l level) with(e entry) level {
	switch {
	case e.missing():
		l.missing++
	case l.fronts.holds(e):
		l.fronts = l.fronts.with(e)
	default:
		if e.waiting {
			l.waiting = l.waiting.With(e)
		}
		e.waiting = false
		l.line = l.line.With(e)
	}
	return l
}

// promoted returns the level in which a trial that it holds does not wait.
func (l level) promoted(e entry) level {
	if l.fronts.holds(e) {
		l.fronts = l.fronts.promoted(e)
	} else {
		l.waiting = l.waiting.Without(e)
	}
	return l
}

// amongBest reports whether the trial, which the level holds, is one of its best so many.
// With ties, so are those of the line that equal the last of them.
func (l level) amongBest(e entry, best int, ties bool) bool {
	if l.fronts.holds(e) {
		return l.fronts.amongBest(e, best)
	}
	if ties {
		e.trial = math.MinInt
	}
	return l.fronts.size+l.line.Rank(e) < best
}

// promotable yields those of the best so many that wait, best first.
func (l level) promotable(best int) iter.Seq[entry] {
	return func(yield func(entry) bool) {
		for e := range l.fronts.promotable(best) {
			if !yield(e) {
				return
			}
		}
		if best <= l.fronts.size {
			return
		}
		for e := range l.waiting.All() {
			if l.fronts.size+l.line.Rank(e) >= best || !yield(e) {
				return
			}
		}
	}
}
