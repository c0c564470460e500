package analysis

import (
	"cmp"
	"math"
	"slices"

	"github.com/supermax-hpo/supermax/shared/sampler"
)

// best returns a share of the results, the best ones, in order of their numbers. A best
// share within a smaller one is always part of it.
func best(p sampler.Problem, results []sampler.Observation, share float64) []sampler.Observation {
	n := int(math.Ceil(share * float64(len(results))))
	if n >= len(results) {
		return results
	}
	var feasible, rest []sampler.Observation
	for _, r := range results {
		if r.Violation > 0 {
			rest = append(rest, r)
		} else {
			feasible = append(feasible, r)
		}
	}
	var kept []sampler.Observation
	switch {
	case n > len(feasible):
		broken := func(r sampler.Observation) float64 { return r.Violation }
		kept = slices.Concat(feasible, lowest(rest, n-len(feasible), broken))
	case len(p.Directions) == 1:
		kept = lowest(feasible, n, func(r sampler.Observation) float64 { return loss(r.Values[0], p.Directions[0]) })
	default:
		kept = bestByRank(p, feasible, n)
	}
	slices.SortFunc(kept, func(a, b sampler.Observation) int { return cmp.Compare(a.Number, b.Number) })
	return kept
}

// lowest returns the n results of the lowest loss and those that equal the last of them.
func lowest(results []sampler.Observation, n int, loss func(sampler.Observation) float64) []sampler.Observation {
	sorted := make([]float64, len(results))
	for i, r := range results {
		sorted[i] = loss(r)
	}
	slices.Sort(sorted)
	var kept []sampler.Observation
	for _, r := range results {
		if loss(r) <= sorted[n-1] {
			kept = append(kept, r)
		}
	}
	return kept
}

// bestByRank returns the n best results for several objectives: whole fronts, and of the
// front that is too large those that together cover the largest hypervolume.
func bestByRank(p sampler.Problem, results []sampler.Observation, n int) []sampler.Observation {
	values := make([][]float64, len(results))
	for i, r := range results {
		values[i] = r.Values
	}
	var fronts [][]int
	for i, rank := range sampler.NonDominatedRanks(values, p.Directions) {
		for rank >= len(fronts) {
			fronts = append(fronts, nil)
		}
		fronts[rank] = append(fronts[rank], i)
	}
	var kept []sampler.Observation
	for _, front := range fronts {
		members := make([][]float64, len(front))
		for j, i := range front {
			members[j] = values[i]
		}
		for _, j := range sampler.HypervolumeSubset(members, p.Directions, min(n-len(kept), len(front))) {
			kept = append(kept, results[front[j]])
		}
		if len(kept) == n {
			break
		}
	}
	return kept
}

// loss is a value turned so that less is better.
func loss(value float64, dir sampler.Direction) float64 {
	if dir == sampler.Maximize {
		return -value
	}
	return value
}
