package study

import (
	"cmp"
	"slices"

	"github.com/supermax-hpo/supermax/shared/protocol"
	"github.com/supermax-hpo/supermax/shared/space"
)

// Candidate is one of stage B's trials under cross-validation in stage C.
type Candidate struct {
	Trial    int                // stage B's trial
	Params   space.Assignment   //
	Folds    []FoldResult       // by fold from 0
	Failed   bool               // a fold failed: it cannot be chosen
	Value    *Value             // mean over the folds; nil until every one reported
	Baseline *protocol.Baseline // mean over the folds, with Value
}

// FoldResult is one fold of a [Candidate].
type FoldResult struct {
	Fold     int
	Trial    int // stage C's trial
	State    TrialState
	Value    *Value             // mean over the seeds; nil until it reported
	Seeds    []SeedBest         // with Value
	Baseline *protocol.Baseline // with Value
	Failure  *protocol.Failure  // when it failed
}

// Candidates returns stage C's candidates: those with a value first, by mean F1-macro,
// then ECE, then number; the others in the order in which stage B handed them on.
func (s *State) Candidates() []Candidate {
	var list []Candidate
	for t := range s.of(len(stages) - 1) {
		if len(list) == 0 || list[len(list)-1].Trial != *t.From {
			list = append(list, Candidate{Trial: *t.From, Params: s.settings.Space.Assignment(t.point)})
		}
		c := &list[len(list)-1]
		c.Folds = append(c.Folds, foldResult(t))
		c.Failed = c.Failed || t.State == Failed
	}
	for i := range list {
		list[i].Value, list[i].Baseline = meanOfFolds(list[i].Folds)
	}
	slices.SortStableFunc(list, func(a, b Candidate) int {
		switch {
		case a.Value == nil && b.Value == nil:
			return 0
		case a.Value == nil:
			return 1
		case b.Value == nil:
			return -1
		}
		return cmp.Or(a.Value.compare(*b.Value), cmp.Compare(a.Trial, b.Trial))
	})
	return list
}

func foldResult(t *Trial) FoldResult {
	f := FoldResult{Fold: *t.Fold, Trial: t.Number, State: t.State, Failure: t.Failure}
	if n := len(t.Reports); n > 0 {
		f.Value, f.Seeds, f.Baseline = &t.Reports[n-1].Value, t.Seeds, t.Reports[n-1].Baseline
	}
	return f
}

// meanOfFolds returns the means, or nil where a fold has no value.
func meanOfFolds(folds []FoldResult) (*Value, *protocol.Baseline) {
	var v Value
	var b protocol.Baseline
	n := float64(len(folds))
	for _, f := range folds {
		if f.Value == nil || f.Baseline == nil {
			return nil, nil
		}
		v.F1Macro += f.Value.F1Macro / n
		v.ECE += f.Value.ECE / n
		b.MajorityF1Macro += f.Baseline.MajorityF1Macro / n
		b.UntrainedF1Macro += f.Baseline.UntrainedF1Macro / n
	}
	return &v, &b
}

// Chosen returns the candidate that [State.Finish] chose.
func (s *State) Chosen() (Candidate, bool) {
	if s.chosen == nil {
		return Candidate{}, false
	}
	for _, c := range s.Candidates() {
		if c.Trial == s.chosen.Trial {
			return c, true
		}
	}
	return Candidate{}, false
}
