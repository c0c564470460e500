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
	if len(dirs) <= 2 {
		ranksOfTwo(losses, order, ranks)
		return ranks
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
// after all of them in lexicographic order.
func frontDominates(losses [][]float64, front []int, i int) bool {
	for j := len(front) - 1; j >= 0; j-- {
		if dominates(losses[front[j]], losses[i]) {
			return true
		}
	}
	return false
}

// ranksOfTwo sets the ranks of the points for one or two objectives, where the member that a
// front got last has its smallest second loss and so decides alone.
func ranksOfTwo(losses [][]float64, points, ranks []int) {
	type item struct {
		first, second float64
		i             int
	}
	items := make([]item, len(points))
	for j, i := range points {
		items[j] = item{first: losses[i][0], i: i}
		if len(losses[i]) == 2 {
			items[j].second = losses[i][1]
		}
	}
	slices.SortFunc(items, func(a, b item) int {
		switch {
		case a.first < b.first:
			return -1
		case a.first > b.first:
			return 1
		case a.second < b.second:
			return -1
		case a.second > b.second:
			return 1
		}
		return a.i - b.i
	})
	var fronts []item // the last member of each
	for _, it := range items {
		k := sort.Search(len(fronts), func(k int) bool {
			last := fronts[k]
			return !(last.second < it.second || last.second == it.second && last.first < it.first)
		})
		if k == len(fronts) {
			fronts = append(fronts, it)
		}
		fronts[k] = it
		ranks[it.i] = k
	}
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
	return Best(values, dirs, len(values))
}

// Best returns the first limit indices of [BestFirst], or all if there are fewer. Crowding
// is worked out only for the fronts that the answer touches.
func Best(values [][]float64, dirs []Direction, limit int) []int {
	limit = min(limit, len(values))
	if len(dirs) == 1 {
		return bestOfOne(values, dirs)[:limit]
	}
	var members [][]int // by rank, those with NaN last
	var incomparable []int
	for i, r := range NonDominatedRanks(values, dirs) {
		switch {
		case r < 0:
			incomparable = append(incomparable, i)
			continue
		case r >= len(members):
			members = append(members, make([][]int, r+1-len(members))...)
		}
		members[r] = append(members[r], i)
	}
	best := make([]int, 0, limit)
	for _, member := range members {
		if len(best) >= limit {
			return best[:limit]
		}
		best = append(best, byCrowding(values, member)...)
	}
	return append(best, incomparable...)[:limit]
}

// byCrowding returns a front's members by falling crowding distance.
func byCrowding(values [][]float64, member []int) []int {
	front := make([][]float64, len(member))
	for j, i := range member {
		front[j] = values[i]
	}
	distance := Crowding(front)
	order := make([]int, len(member))
	for j := range order {
		order[j] = j
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(distance[b], distance[a]) })
	for k, j := range order {
		order[k] = member[j]
	}
	return order
}

// bestOfOne is [BestFirst] for one objective, where a front is a value.
func bestOfOne(values [][]float64, dirs []Direction) []int {
	type item struct {
		loss float64
		i    int
	}
	items := make([]item, len(values))
	for i, row := range asLosses(values, dirs) {
		items[i] = item{row[0], i}
	}
	slices.SortFunc(items, func(a, b item) int {
		switch {
		case a.loss < b.loss:
			return -1
		case a.loss > b.loss:
			return 1
		case a.loss == b.loss:
			return a.i - b.i
		}
		nanA, nanB := math.IsNaN(a.loss), math.IsNaN(b.loss)
		switch {
		case nanA && !nanB:
			return 1
		case nanB && !nanA:
			return -1
		}
		return a.i - b.i
	})
	order := make([]int, len(items))
	for k, it := range items {
		order[k] = it.i
	}
	return order
}
