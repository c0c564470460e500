package asha

import (
	"cmp"
	"slices"
)

// A Scheduler says at which epochs a trial's result is looked at and which trials go on.
// It never changes and may be used by many goroutines; what was reported is in [Standings].
type Scheduler struct {
	o        Options
	brackets []Rungs
	shares   []int // of the brackets
}

// NewScheduler returns the scheduler of valid options ([Options.Validate]).
func NewScheduler(o Options) (*Scheduler, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	brackets, err := o.brackets()
	if err != nil {
		return nil, err
	}
	return &Scheduler{o: o, brackets: brackets, shares: shares(len(brackets), max(1, o.Factor))}, nil
}

// Rungs returns the epochs at which the trial's results are looked at. The caller must not
// change them.
func (s *Scheduler) Rungs(trial int) Rungs { return s.brackets[s.bracket(trial)] }

// Brackets returns the rungs of every bracket: several with [KindHyperband], else one. The
// caller must not change them.
func (s *Scheduler) Brackets() []Rungs { return s.brackets }

// First returns after how many epochs a trial is looked at first, in the bracket that waits
// longest.
func (s *Scheduler) First() int {
	first := 0
	for _, rungs := range s.brackets {
		first = max(first, rungs[0])
	}
	return first
}

// Promotes reports whether a trial that did not go on may be promoted later, when more
// trials have reported. Else it is stopped for good.
func (s *Scheduler) Promotes() bool { return s.o.Kind == KindASHA }

// Standings returns the standings in which these results were reported, in any order; much
// faster than one after the other.
func (s *Scheduler) Standings(results ...Result) Standings {
	st := Standings{s: s, first: make([]int, len(s.brackets))}
	rungs := 0
	for b, bracket := range s.brackets {
		st.first[b] = rungs
		rungs += len(bracket)
	}
	if s.o.compares() {
		st.finished = newFinished(rungs)
		for _, r := range slices.SortedFunc(slices.Values(results), byTrialAndEpoch) {
			st = st.Reported(r)
		}
		return st
	}
	counts, at := make([]int, rungs), make([]int32, len(results))
	for i, r := range results {
		at[i] = -1
		if rung, looked := st.rung(r.Trial, r.Epoch); looked {
			counts[rung]++
			at[i] = int32(rung)
		}
	}
	entries := make([][]entry, rungs)
	for rung, n := range counts {
		entries[rung] = make([]entry, 0, n)
	}
	for i, r := range results {
		if rung := at[i]; rung >= 0 {
			entries[rung] = append(entries[rung], st.entry(r))
		}
	}
	st.levels = make([]level, rungs)
	for rung := range st.levels {
		st.levels[rung] = newLevel(len(s.o.Directions), entries[rung])
	}
	return st
}

func byTrialAndEpoch(a, b Result) int {
	return cmp.Or(cmp.Compare(a.Trial, b.Trial), cmp.Compare(a.Epoch, b.Epoch))
}

func (s *Scheduler) bracket(trial int) int {
	if len(s.brackets) == 1 {
		return 0
	}
	return bracket(s.o.Study, trial, s.shares)
}

// last returns the epoch after which no trial is trained.
func (s *Scheduler) last() int { return s.o.Last }
