package sampler

import (
	"math"
	"slices"
	"sort"
)

// An entry is a trial that competes with others.
type entry struct {
	trial  int32
	values []float64
	losses []float64 // the values, the smaller the better
}

// A front holds entries of which none dominates another, in the orders that their crowding
// distances depend on. With two objectives a change of a front of n entries takes O(log n)
// comparisons, with more O(n).
type front struct {
	entries []entry   // by place; without values where the place is free
	free    []int32   // places
	sweep   []int32   // the places by rising first loss
	orders  [][]int32 // by objective: the places, as [Crowding] sorts them
	crowd   crowdOrder
}

// newFront returns the front of the entries, of which none dominates another. size is how
// many of them are ranked by crowding.
func newFront(size int, entries []entry) *front {
	f := &front{orders: make([][]int32, len(entries[0].values)), crowd: crowdOrder{size: size}}
	for _, e := range entries {
		f.add(e)
	}
	return f
}

func (f *front) len() int { return len(f.sweep) }

// add puts an entry into the front, which must hold none that dominates it or that it
// dominates.
func (f *front) add(e entry) {
	place := int32(len(f.entries))
	if n := len(f.free); n > 0 {
		place, f.free = f.free[n-1], f.free[:n-1]
		f.entries[place] = e
	} else {
		f.entries = append(f.entries, e)
	}
	f.sweep = slices.Insert(f.sweep, f.below(e.losses[0], true), place)
	for k := range f.orders {
		at := f.find(k, place)
		f.orders[k] = slices.Insert(f.orders[k], at, place)
		f.crowd.touch(f.orders[k], at-1, at+1)
	}
	f.crowd.changed = append(f.crowd.changed, place)
}

// remove takes the entry at a place out of the front.
func (f *front) remove(place int32) entry {
	removed := f.entries[place]
	first := f.below(removed.losses[0], false)
	at := first + slices.Index(f.sweep[first:], place)
	f.sweep = slices.Delete(f.sweep, at, at+1)
	for k := range f.orders {
		at := f.find(k, place)
		f.orders[k] = slices.Delete(f.orders[k], at, at+1)
		f.crowd.touch(f.orders[k], at-1, at)
	}
	f.entries[place] = entry{}
	f.free = append(f.free, place)
	f.crowd.changed = append(f.crowd.changed, place)
	return removed
}

// find returns where a place stands, or would stand, in the order of objective k. To sort
// stably by one objective after the other, from the order of the trials on, comes to this.
func (f *front) find(k int, place int32) int {
	e, order := &f.entries[place], f.orders[k]
	return sort.Search(len(order), func(i int) bool {
		other := &f.entries[order[i]]
		for j := k; j >= 0; j-- {
			if e.values[j] != other.values[j] {
				return e.values[j] < other.values[j]
			}
		}
		return e.trial <= other.trial
	})
}

// below returns how many entries have a first loss below x, or up to x.
func (f *front) below(x float64, orEqual bool) int {
	return sort.Search(len(f.sweep), func(i int) bool {
		y := f.entries[f.sweep[i]].losses[0]
		return y > x || y == x && !orEqual
	})
}

// dominates reports whether an entry of the front dominates the losses.
func (f *front) dominates(losses []float64) bool {
	places := f.sweep[:f.below(losses[0], true)]
	if len(losses) == 2 && len(places) > 0 {
		places = places[len(places)-1:] // the one with the least second loss
	}
	return slices.ContainsFunc(places, func(place int32) bool { return dominates(f.entries[place].losses, losses) })
}

// dominated appends the places of the entries that the losses dominate.
func (f *front) dominated(losses []float64, places []int32) []int32 {
	for _, place := range f.sweep[f.below(losses[0], false):] {
		other := f.entries[place].losses
		switch {
		case dominates(losses, other):
			places = append(places, place)
		case len(losses) == 2 && other[1] < losses[1]:
			return places // as the second losses of all that follow
		}
	}
	return places
}

// crowding returns the distance of a place, as [Crowding] does.
func (f *front) crowding(place int32) float64 {
	distance := 0.0
	for k, order := range f.orders {
		last := len(order) - 1
		width := f.entries[order[last]].values[k] - f.entries[order[0]].values[k]
		if width == 0 {
			continue
		}
		switch at := f.find(k, place); at {
		case 0, last:
			distance = math.Inf(1)
		default:
			distance += (f.entries[order[at+1]].values[k] - f.entries[order[at-1]].values[k]) / width
		}
	}
	return distance
}
