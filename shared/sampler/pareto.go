package sampler

import (
	"cmp"
	"math"
	"slices"
	"sort"
)

// NonDominatedRanks returns each point's front: 0 for the points that no other
// dominates, 1 for those that only front 0 dominates, and so on. values holds one row a
// point and one column an objective. Equal points share a front. A row that holds NaN is
// comparable with nothing and gets -1.
//
// Efficient non-dominated sort with binary search: Zhang, Tian, Cheng and Jin, "An
// efficient approach to nondominated sorting for evolutionary multiobjective
// optimization" (2015). O(n log n) for one and two objectives.
func NonDominatedRanks(values [][]float64, dirs []Direction) []int {
	losses := asLosses(values, dirs)
	ranks := make([]int, len(values))
	order := make([]int, 0, len(values))
	for i, row := range losses {
		if slices.ContainsFunc(row, math.IsNaN) {
			ranks[i] = -1
			continue
		}
		order = append(order, i)
	}
	// After this sort no point dominates an earlier one.
	slices.SortFunc(order, func(a, b int) int {
		return cmp.Or(slices.Compare(losses[a], losses[b]), cmp.Compare(a, b))
	})
	var fronts [][]int
	for _, i := range order {
		// A point that front k dominates, every front before k dominates too.
		k := sort.Search(len(fronts), func(k int) bool { return !frontDominates(losses, fronts[k], i) })
		if k == len(fronts) {
			fronts = append(fronts, nil)
		}
		fronts[k] = append(fronts[k], i)
		ranks[i] = k
	}
	return ranks
}

// frontDominates reports whether a member of the front dominates point i, which stands
// after all of them in lexicographic order. With two objectives the member added last
// has the front's smallest second loss, so it decides alone.
func frontDominates(losses [][]float64, front []int, i int) bool {
	if len(losses[i]) <= 2 {
		return dominates(losses[front[len(front)-1]], losses[i])
	}
	for j := len(front) - 1; j >= 0; j-- {
		if dominates(losses[front[j]], losses[i]) {
			return true
		}
	}
	return false
}

// dominates reports whether a is nowhere greater than b and somewhere smaller.
func dominates(a, b []float64) bool {
	smaller := false
	for i := range a {
		if a[i] > b[i] {
			return false
		}
		smaller = smaller || a[i] < b[i]
	}
	return smaller
}

// asLosses returns a copy of values in which smaller is better in every column.
func asLosses(values [][]float64, dirs []Direction) [][]float64 {
	losses := make([][]float64, len(values))
	flat := make([]float64, len(values)*len(dirs))
	for i, row := range values {
		losses[i] = flat[i*len(dirs) : (i+1)*len(dirs) : (i+1)*len(dirs)]
		for j, v := range row {
			if dirs[j] == Maximize {
				v = -v
			}
			losses[i][j] = v
		}
	}
	return losses
}

// Crowding returns each point's crowding distance within one front: the sum over the
// objectives of the gap between its two neighbours in that objective, relative to the
// objective's range; +Inf for the first and the last. An objective in which all points
// are equal adds nothing. Values must be finite.
//
// Ties: the points are sorted stably by each objective in turn, starting from the order
// given, so that among equal values the one that the sort before put first is the
// boundary. Deb et al., "A fast and elitist multiobjective genetic algorithm: NSGA-II"
// (2002), section III B.
func Crowding(front [][]float64) []float64 {
	distance := make([]float64, len(front))
	if len(front) == 0 {
		return distance
	}
	order := make([]int, len(front))
	for i := range order {
		order[i] = i
	}
	last := len(order) - 1
	for k := range front[0] {
		slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(front[a][k], front[b][k]) })
		width := front[order[last]][k] - front[order[0]][k]
		if width == 0 {
			continue
		}
		for j := 1; j < last; j++ {
			distance[order[j]] += (front[order[j+1]][k] - front[order[j-1]][k]) / width
		}
		distance[order[0]] = math.Inf(1)
		distance[order[last]] = math.Inf(1)
	}
	return distance
}

// BestFirst returns the points' indices, best first: with one objective by its value,
// with several by non-dominated rank and, within a front, by falling crowding distance.
// Ties keep the order given. Rows that hold NaN come last.
func BestFirst(values [][]float64, dirs []Direction) []int {
	order := make([]int, len(values))
	for i := range order {
		order[i] = i
	}
	ranks := NonDominatedRanks(values, dirs)
	if len(dirs) == 1 {
		sortByRank(order, ranks, nil)
		return order
	}
	crowding := make([]float64, len(values))
	members := make(map[int][]int)
	for i, r := range ranks {
		if r >= 0 {
			members[r] = append(members[r], i)
		}
	}
	for _, member := range members {
		front := make([][]float64, len(member))
		for j, i := range member {
			front[j] = values[i]
		}
		for j, d := range Crowding(front) {
			crowding[member[j]] = d
		}
	}
	sortByRank(order, ranks, crowding)
	return order
}

// sortByRank sorts indices by rank, rank -1 last, then by falling crowding unless nil.
func sortByRank(order, ranks []int, crowding []float64) {
	last := func(rank int) int {
		if rank < 0 {
			return math.MaxInt
		}
		return rank
	}
	slices.SortStableFunc(order, func(a, b int) int {
		if c := cmp.Compare(last(ranks[a]), last(ranks[b])); c != 0 || crowding == nil {
			return c
		}
		return cmp.Compare(crowding[b], crowding[a])
	})
}
