package sampler

import (
	"math"
	"slices"
)

// bestFinished returns the finished trials of a history that is sorted by number, best
// first. A rung is a fidelity: completed trials come first, then paused ones from the
// highest rung down, because what was promoted was better than what it left behind,
// and values of different rungs do not compare. Within a rung [BestFirst] decides;
// ties go to the lower number.
func bestFinished(history []Observation, dirs []Direction) []Observation {
	byRung := make(map[int][]Observation)
	var rungs []int
	for _, o := range history {
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
		byRung[rung] = append(byRung[rung], o)
	}
	slices.Sort(rungs)
	slices.Reverse(rungs)
	var best []Observation
	for _, rung := range rungs {
		trials := byRung[rung]
		values := make([][]float64, len(trials))
		for i, o := range trials {
			values[i] = o.Values
		}
		for _, i := range BestFirst(values, dirs) {
			best = append(best, trials[i])
		}
	}
	return best
}
