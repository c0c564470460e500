package study

import (
	"cmp"
	"slices"

	"github.com/supermax-hpo/supermax/shared/protocol"
	"github.com/supermax-hpo/supermax/shared/sampler"
)

// Best returns the search stage's trials that have a value and did not fail, best first.
// Stage A: by its objective, then F1-macro, then ECE, then number. Stage B: its Pareto front
// by F1-macro, then the others by non-dominated rank and, within a rank, by crowding
// distance. Trials that break the stage's limits come last, by their violation. Stage C has
// no trials of its own to rank: see [State.Candidates].
func (s *State) Best(stage protocol.Stage) []Trial {
	i, err := indexOf(stage)
	if err != nil || stage == protocol.StageC {
		return nil
	}
	feasible, rest := s.ranking(i)
	return s.all(append(feasible, rest...))
}

// Pareto returns the search stage's trials that no other dominates, by falling F1-macro.
// With stage A's one objective these are the trials of the highest value. Those that break
// the stage's limits are not among them: with no other there is no front.
func (s *State) Pareto(stage protocol.Stage) []Trial {
	i, err := indexOf(stage)
	if err != nil || stage == protocol.StageC {
		return nil
	}
	ranked, _ := s.ranking(i)
	front := 0
	for _, rank := range s.ranks(i, ranked) {
		if rank == 0 {
			front++
		}
	}
	return s.all(ranked[:front])
}

// ranking is what [State.Best] returns, the trials that keep the limits and the rest. The
// front is ordered by F1-macro, not by crowding, because the final choice is made by
// F1-macro: of a front that is larger than what is handed on, its end with the lowest ECE
// and a poor F1-macro would be confirmed in vain.
func (s *State) ranking(stage int) (feasible, infeasible []*Trial) {
	p := s.plans[stage]
	for t := range s.of(stage) {
		switch {
		case len(t.Reports) == 0 || t.State == Failed:
		case t.violation(p, t.Reported()) > 0:
			infeasible = append(infeasible, t)
		default:
			feasible = append(feasible, t)
		}
	}
	compare := func(a, b *Trial) int {
		v, _ := a.Value()
		w, _ := b.Value()
		return cmp.Or(cmp.Compare(b.values(p)[0], a.values(p)[0]), v.compare(w), cmp.Compare(a.Number, b.Number))
	}
	slices.SortFunc(infeasible, func(a, b *Trial) int {
		return cmp.Or(cmp.Compare(a.violation(p, a.Reported()), b.violation(p, b.Reported())), compare(a, b))
	})
	slices.SortFunc(feasible, compare)
	if len(p.dirs) > 1 {
		feasible = s.byFronts(stage, feasible)
	}
	return feasible, infeasible
}

// byFronts orders trials that stand by F1-macro.
func (s *State) byFronts(stage int, trials []*Trial) []*Trial {
	p := s.plans[stage]
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
