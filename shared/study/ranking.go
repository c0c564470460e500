package study

import (
	"cmp"
	"slices"

	"github.com/supermax-hpo/supermax/shared/protocol"
	"github.com/supermax-hpo/supermax/shared/sampler"
)

// Best returns the search stage's trials that have a value and did not fail, best first.
// Stage A: by F1-macro, then ECE, then number. Stage B: its Pareto front by F1-macro, then
// the others by non-dominated rank and, within a rank, by crowding distance. Stage C has
// no trials of its own to rank: see [State.Candidates].
func (s *State) Best(stage protocol.Stage) []Trial {
	i, err := indexOf(stage)
	if err != nil || stage == protocol.StageC {
		return nil
	}
	return s.all(s.ranking(i))
}

// Pareto returns the search stage's trials that no other dominates, by falling F1-macro.
// With stage A's one objective these are the trials of the highest F1-macro.
func (s *State) Pareto(stage protocol.Stage) []Trial {
	i, err := indexOf(stage)
	if err != nil || stage == protocol.StageC {
		return nil
	}
	ranked := s.ranking(i)
	front := 0
	for _, rank := range s.ranks(i, ranked) {
		if rank == 0 {
			front++
		}
	}
	return s.all(ranked[:front])
}

// ranking is what [State.Best] returns. The front is ordered by F1-macro, not by crowding,
// because the final choice is made by F1-macro: of a front that is larger than what is
// handed on, its end with the lowest ECE and a poor F1-macro would be confirmed in vain.
func (s *State) ranking(stage int) []*Trial {
	var trials []*Trial
	for t := range s.of(stage) {
		if _, ok := t.Value(); ok && t.State != Failed {
			trials = append(trials, t)
		}
	}
	slices.SortFunc(trials, func(a, b *Trial) int {
		v, _ := a.Value()
		w, _ := b.Value()
		return cmp.Or(v.compare(w), cmp.Compare(a.Number, b.Number))
	})
	p := s.plans[stage]
	if len(p.dirs) == 1 {
		return trials
	}
	var front, rest []*Trial
	ranks := s.ranks(stage, trials)
	for _, i := range sampler.BestFirst(objectives(p, trials), p.dirs) {
		if ranks[i] > 0 {
			rest = append(rest, trials[i])
		}
	}
	for i, t := range trials {
		if ranks[i] == 0 {
			front = append(front, t)
		}
	}
	return append(front, rest...)
}

func (s *State) ranks(stage int, trials []*Trial) []int {
	p := s.plans[stage]
	return sampler.NonDominatedRanks(objectives(p, trials), p.dirs)
}

func objectives(p plan, trials []*Trial) [][]float64 {
	rows := make([][]float64, len(trials))
	for i, t := range trials {
		rows[i] = t.values(p)
	}
	return rows
}

// compare orders values by falling F1-macro, then rising ECE.
func (v Value) compare(w Value) int {
	return cmp.Or(cmp.Compare(w.F1Macro, v.F1Macro), cmp.Compare(v.ECE, w.ECE))
}
