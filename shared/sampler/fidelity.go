package sampler

import (
	"math"
	"slices"
)

// alive returns the trials that did not fail, by number.
func (h *History) alive() []Observation {
	kept := make([]Observation, 0, len(h.trials))
	for _, o := range h.trials {
		if o.State != Failed {
			kept = append(kept, o)
		}
	}
	return kept
}

func countFinished(history []Observation) int {
	n := 0
	for _, o := range history {
		if o.finished() {
			n++
		}
	}
	return n
}

// bestFinished returns the places of the best limit finished trials of a history that is
// sorted by number, best first. A rung is a fidelity: completed trials come first, then
// paused ones from the highest rung down, because what was promoted was better than what
// it left behind, and values of different rungs do not compare. Within a rung [BestFirst]
// decides; ties go to the lower number.
func bestFinished(history []Observation, dirs []Direction, limit int) []int {
	byRung := make(map[int][]int)
	var rungs []int
	for t, o := range history {
		if !o.finished() {
			continue
		}
		rung := o.Rung
		if o.State == Completed {
			rung = math.MaxInt
		}
		if byRung[rung] == nil {
			rungs = append(rungs, rung)
		}
		byRung[rung] = append(byRung[rung], t)
	}
	slices.Sort(rungs)
	slices.Reverse(rungs)
	var best []int
	for _, rung := range rungs {
		if len(best) >= limit {
			break
		}
		trials := byRung[rung]
		values := make([][]float64, len(trials))
		for i, t := range trials {
			values[i] = history[t].Values
		}
		for _, i := range Best(values, dirs, limit-len(best)) {
			best = append(best, trials[i])
		}
	}
	return best
}
