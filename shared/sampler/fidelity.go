package sampler

import (
	"cmp"
	"math"
	"slices"
)

// A standing is the finished trials of one rank, by their places in the history.
//
// The feasible trials come first. Among them a rung is a fidelity: completed trials come
// first, then paused ones from the highest rung down, because what was promoted was better
// than what it left behind, and values of different rungs do not compare. The infeasible
// ones follow by what they break, whatever their rung.
type standing struct {
	infeasible bool
	rung       int // the highest possible for completed trials
	// trials stand by loss if there is one objective, by violation where they are infeasible;
	// else, and among equals, by number.
	trials []int32
	fronts *fronts // of the trials, as far as NSGA-II breeds from them; nil: to be worked out
}

// standings are the finished trials by rank, best first.
type standings []standing

func (o *Observation) infeasible() bool { return o.Violation > 0 }

// fidelity returns the trial's rung for comparison.
func (o *Observation) fidelity() int {
	if o.State == Completed || o.infeasible() {
		return math.MaxInt
	}
	return o.Rung
}

// ranked returns the standings of the history, which [History.Set] keeps up to date.
func (h *History) ranked() standings {
	if h.standings != nil {
		return h.standings
	}
	h.standings = standings{}
	for i := range h.trials {
		if o := &h.trials[i]; o.finished() {
			s := h.standing(o)
			s.trials = append(s.trials, int32(i))
		}
	}
	for _, s := range h.standings {
		slices.SortFunc(s.trials, h.compare)
	}
	return h.standings
}

// standing returns the standing that a finished trial belongs to, a new one if need be.
func (h *History) standing(o *Observation) *standing {
	i, found := slices.BinarySearchFunc(h.standings, o, func(s standing, o *Observation) int {
		if s.infeasible != o.infeasible() {
			if s.infeasible {
				return 1
			}
			return -1
		}
		return cmp.Compare(o.fidelity(), s.rung)
	})
	if !found {
		h.standings = slices.Insert(h.standings, i, standing{infeasible: o.infeasible(), rung: o.fidelity()})
	}
	return &h.standings[i]
}

// compare orders two trials of one standing.
func (h *History) compare(a, b int32) int {
	s, t := &h.trials[a], &h.trials[b]
	switch {
	case s.infeasible():
		return cmp.Or(cmp.Compare(s.Violation, t.Violation), cmp.Compare(a, b))
	case len(h.problem.Directions) > 1:
		return cmp.Compare(a, b)
	case h.problem.Directions[0] == Maximize:
		return cmp.Or(cmp.Compare(t.Values[0], s.Values[0]), cmp.Compare(a, b))
	}
	return cmp.Or(cmp.Compare(s.Values[0], t.Values[0]), cmp.Compare(a, b))
}

// rank adds a trial to its standing, unrank takes it away. While no one has asked for the
// standings there are none to keep.
func (h *History) rank(trial int32) {
	if o := &h.trials[trial]; h.standings != nil && o.finished() {
		s := h.standing(o)
		i, _ := slices.BinarySearchFunc(s.trials, trial, h.compare)
		s.trials = slices.Insert(s.trials, i, trial)
		if s.fronts != nil {
			s.fronts.add(h.entries([]int32{trial})[0])
		}
	}
}

func (h *History) unrank(trial int32) {
	if o := &h.trials[trial]; h.standings != nil && o.finished() {
		s := h.standing(o)
		i, _ := slices.BinarySearchFunc(s.trials, trial, h.compare)
		s.trials = slices.Delete(s.trials, i, i+1)
		if s.fronts != nil && s.fronts.holds(trial) {
			s.fronts = nil // what it kept out may come in
		}
	}
}

// best returns the places of the best limit finished trials. Of a standing that is better
// than only some of the others, and has several objectives, choose says which of its trials
// are the best: it gets their values and how many are wanted and returns indices of them.
func (h *History) best(limit int, choose func(values [][]float64, dirs []Direction, limit int) []int) []int32 {
	var best []int32
	for _, s := range h.ranked() {
		left := limit - len(best)
		if left <= 0 {
			break
		}
		if len(s.trials) == 0 {
			continue // they went on to another one
		}
		if s.infeasible || len(h.problem.Directions) == 1 {
			best = append(best, s.trials[:min(left, len(s.trials))]...)
			continue
		}
		values := make([][]float64, len(s.trials))
		for i, t := range s.trials {
			values[i] = h.trials[t].Values
		}
		for _, i := range choose(values, h.problem.Directions, min(left, len(s.trials))) {
			best = append(best, s.trials[i])
		}
	}
	return best
}
