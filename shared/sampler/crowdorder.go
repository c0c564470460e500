package sampler

import (
	"math"
	"slices"
	"sort"
)

// A crowdOrder ranks the points of a front by falling crowding distance, those of equal distance
// by trial, as far as is asked for: the best size of them. A point that comes or goes changes
// the distances of its neighbours only, unless it moves the front's ends.
type crowdOrder struct {
	size     int
	best     []int32   // places: up to twice the size, so that some may drop out
	distance []float64 // by place
	widths   []float64 // by objective: of the front, when all distances were worked out
	changed  []int32   // places whose points or distances are not those that best was made of

	// No place that is not in best comes before this distance and trial. cut: there are such
	// places.
	cut           bool
	floorDistance float64
	floorTrial    int32
}

// touch notes the places at two positions of an order, where there are such.
func (c *crowdOrder) touch(order []int32, a, b int) {
	if a >= 0 {
		c.changed = append(c.changed, order[a])
	}
	if b < len(order) {
		c.changed = append(c.changed, order[b])
	}
}

// ranked returns the places of the best points of the front: as many as the crowd's size or
// more, all if there are fewer.
func (f *front) ranked() []int32 {
	c := &f.crowd
	if len(c.changed) == 0 {
		return c.best
	}
	if len(c.changed) > c.size || !slices.Equal(c.widths, f.widths()) || !f.rerank() {
		f.rankAll()
	}
	c.changed = c.changed[:0]
	return c.best
}

// widths returns the range of each objective in the front.
func (f *front) widths() []float64 {
	widths := make([]float64, len(f.orders))
	for k, order := range f.orders {
		widths[k] = f.entries[order[len(order)-1]].values[k] - f.entries[order[0]].values[k]
	}
	return widths
}

// rankAll works out all distances.
func (f *front) rankAll() {
	c := &f.crowd
	c.widths = f.widths()
	c.distance = append(c.distance[:0], make([]float64, len(f.entries))...)
	for k, order := range f.orders {
		if c.widths[k] == 0 {
			continue
		}
		last := len(order) - 1
		for j := 1; j < last; j++ {
			c.distance[order[j]] += (f.entries[order[j+1]].values[k] - f.entries[order[j-1]].values[k]) / c.widths[k]
		}
		c.distance[order[0]], c.distance[order[last]] = math.Inf(1), math.Inf(1)
	}
	c.best, c.cut = c.best[:0], false
	for _, place := range f.sweep {
		f.rank(place)
	}
}

// rerank works out the changed distances and returns whether the best are still known.
func (f *front) rerank() bool {
	c := &f.crowd
	slices.Sort(c.changed)
	c.changed = slices.Compact(c.changed)
	c.best = slices.DeleteFunc(c.best, func(place int32) bool { return slices.Contains(c.changed, place) })
	for len(c.distance) < len(f.entries) {
		c.distance = append(c.distance, 0)
	}
	for _, place := range c.changed {
		if f.entries[place].values != nil {
			c.distance[place] = f.crowding(place)
			f.rank(place)
		}
	}
	return !c.cut || len(c.best) >= c.size
}

// rank puts a place among the best, where it belongs there.
func (f *front) rank(place int32) {
	c := &f.crowd
	x, trial := c.distance[place], f.entries[place].trial
	if c.cut && !before(x, trial, c.floorDistance, c.floorTrial) {
		return
	}
	at := sort.Search(len(c.best), func(i int) bool {
		return before(x, trial, c.distance[c.best[i]], f.entries[c.best[i]].trial)
	})
	c.best = slices.Insert(c.best, at, place)
	if last := 2 * c.size; len(c.best) > last {
		out := c.best[last]
		c.best, c.cut = c.best[:last], true
		c.floorDistance, c.floorTrial = c.distance[out], f.entries[out].trial
	}
}

// before reports whether the distance x of trial a ranks before the distance y of trial b.
func before(x float64, a int32, y float64, b int32) bool { return x > y || x == y && a < b }
