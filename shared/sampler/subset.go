package sampler

import (
	"math"
	"slices"
)

// HypervolumeSubset chooses n points of one front that together cover a large hypervolume
// and returns their indices in rising order: one after the other the point that adds most
// to those chosen, which covers at least 1 − 1/e of what the best choice would. Ties go to
// the point that is first in lexicographic order of losses. A point that equals a chosen
// one adds nothing; such are chosen last, in the order given. All are chosen when there are
// no more than n. Values must be finite.
//
// The reference point lies a tenth of each objective's worst loss beyond it, as in
// Optuna's TPE. Guerreiro, Fonseca and Paquete, "Greedy hypervolume subset selection in
// low dimensions" (2016).
func HypervolumeSubset(values [][]float64, dirs []Direction, n int) []int {
	var chosen, again []int
	if n >= len(values) {
		for i := range values {
			chosen = append(chosen, i)
		}
		return chosen
	}
	losses := asLosses(values, dirs)
	order := make([]int, len(losses))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return slices.Compare(losses[a], losses[b]) })
	distinct := order[:0:0]
	for k, i := range order {
		if k > 0 && slices.Equal(losses[i], losses[order[k-1]]) {
			again = append(again, i)
		} else {
			distinct = append(distinct, i)
		}
	}
	switch ref := beyondWorst(losses); {
	case n >= len(distinct):
		slices.Sort(again)
		chosen = slices.Concat(distinct, again[:n-len(distinct)])
	case len(dirs) == 2:
		chosen = greedyOfTwo(losses, distinct, ref, n)
	default:
		chosen = greedy(losses, distinct, ref, n)
	}
	slices.Sort(chosen)
	return chosen
}

// beyondWorst returns the reference point.
func beyondWorst(losses [][]float64) []float64 {
	ref := slices.Clone(losses[0])
	for _, row := range losses {
		for k, v := range row {
			ref[k] = max(ref[k], v)
		}
	}
	for k, worst := range ref {
		if ref[k] = max(1.1*worst, 0.9*worst); ref[k] == 0 {
			ref[k] = 1e-12
		}
	}
	return ref
}

// greedyOfTwo chooses among points that stand by rising first and falling second loss. What
// a point adds is then one rectangle, up to its chosen neighbours.
func greedyOfTwo(losses [][]float64, points []int, ref []float64, n int) []int {
	points = slices.Clone(points)
	right, top := slices.Repeat(ref[:1], len(points)), slices.Repeat(ref[1:], len(points))
	var chosen []int
	for range n {
		most, at := math.Inf(-1), 0
		for j, i := range points {
			if area := (right[j] - losses[i][0]) * (top[j] - losses[i][1]); area > most {
				most, at = area, j
			}
		}
		picked := points[at]
		chosen = append(chosen, picked)
		points, right, top = slices.Delete(points, at, at+1), slices.Delete(right, at, at+1), slices.Delete(top, at, at+1)
		for j := range points {
			if j < at {
				right[j] = min(right[j], losses[picked][0])
			} else {
				top[j] = min(top[j], losses[picked][1])
			}
		}
	}
	return chosen
}

// greedy chooses among points of three and more objectives. What a point adds falls with
// every choice, so that what it added before is a bound, and only points whose bound is
// the highest are looked at again (Minoux's lazy greedy algorithm, 1978).
func greedy(losses [][]float64, points []int, ref []float64, n int) []int {
	var chosen []int
	adds := make([]float64, len(points))
	asOf := make([]int, len(points)) // the number of choices that adds knows of
	for j, i := range points {
		adds[j] = exclusive(losses, i, nil, ref)
	}
	for len(chosen) < n {
		at := 0
		for j := range adds {
			if adds[j] > adds[at] {
				at = j
			}
		}
		if asOf[at] < len(chosen) {
			adds[at], asOf[at] = exclusive(losses, points[at], chosen, ref), len(chosen)
			continue
		}
		chosen = append(chosen, points[at])
		adds[at] = math.Inf(-1)
	}
	return chosen
}

// exclusive returns the volume up to ref that point i dominates and none of the others.
func exclusive(losses [][]float64, i int, others []int, ref []float64) float64 {
	box := 1.0
	for k, v := range losses[i] {
		box *= ref[k] - v
	}
	shared := make([][]float64, 0, len(others))
	for _, o := range others {
		corner := make([]float64, len(ref))
		for k := range corner {
			corner[k] = max(losses[i][k], losses[o][k])
		}
		shared = append(shared, corner)
	}
	return box - volume(nonDominated(shared), ref)
}
