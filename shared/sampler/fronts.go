package sampler

import (
	"cmp"
	"slices"
	"sort"
)

// slack is how many times more entries than are wanted [fronts] begin with, so that they
// last while entries are pushed out at their end.
const slack = 2

// fronts are the first non-dominated fronts of a set of trials, whole ones, with size trials
// or more if there are as many. They follow the set while trials are added, until so many
// were pushed out at their end that they fall short and must be made anew.
//
// Li, Deb, Zhang, Suganthan and Zhang, "Efficient nondomination level update method for
// steady-state evolutionary multiobjective optimization" (2017).
type fronts struct {
	size  int
	list  []*front
	count int  // entries in the list
	cut   bool // some of the set's entries are in no front of the list

	moved, out []entry // scratch
	places     []int32 // scratch
}

// newFronts sorts the entries.
func newFronts(size int, entries []entry) *fronts {
	s := &fronts{size: size}
	// After this sort no entry dominates an earlier one.
	slices.SortFunc(entries, func(a, b entry) int {
		for k, x := range a.losses {
			if y := b.losses[k]; x != y {
				if x < y {
					return -1
				}
				return 1
			}
		}
		return cmp.Compare(a.trial, b.trial)
	})
	for len(entries) > 0 && s.count < slack*size {
		var members, behind []entry
		for _, e := range entries {
			if frontHas(members, e.losses) {
				behind = append(behind, e)
			} else {
				members = append(members, e)
			}
		}
		s.list = append(s.list, newFront(size, members))
		s.count += len(members)
		entries = behind
	}
	s.cut = len(entries) > 0
	return s
}

// frontHas reports whether one of a front's members dominates the losses of an entry that is
// sorted after them.
func frontHas(members []entry, losses []float64) bool {
	if len(losses) == 2 && len(members) > 0 {
		members = members[len(members)-1:] // the one with the least second loss
	}
	return slices.ContainsFunc(members, func(m entry) bool { return dominates(m.losses, losses) })
}

// short reports whether the best size entries are no longer known.
func (s *fronts) short() bool { return s.cut && s.count < s.size }

// add puts an entry into the set.
func (s *fronts) add(e entry) {
	if s.short() {
		return
	}
	k := sort.Search(len(s.list), func(k int) bool { return !s.list[k].dominates(e.losses) })
	if k == len(s.list) && s.cut {
		return
	}
	s.count++
	s.moved = append(s.moved[:0], e)
	for ; k < len(s.list) && len(s.moved) > 0; k++ {
		f := s.list[k]
		s.out = s.out[:0]
		for _, m := range s.moved {
			s.places = f.dominated(m.losses, s.places[:0])
			for _, place := range s.places {
				s.out = append(s.out, f.remove(place))
			}
		}
		if f.len() == 0 {
			// All of it is dominated, and all that it dominates lies behind it already.
			s.list[k] = newFront(s.size, s.out)
			break
		}
		for _, m := range s.moved {
			f.add(m)
		}
		s.moved, s.out = s.out, s.moved
	}
	switch {
	case len(s.moved) == 0:
	case k == len(s.list) && s.cut:
		s.count -= len(s.moved) // there may be others of their rank
	default:
		s.list = slices.Insert(s.list, k, newFront(s.size, s.moved))
	}
	for last := len(s.list) - 1; s.count-s.list[last].len() >= slack*s.size; last-- {
		s.count -= s.list[last].len()
		s.list[last] = nil
		s.list, s.cut = s.list[:last], true
	}
}

// holds reports whether the trial is in one of the fronts.
func (s *fronts) holds(trial int32) bool {
	return slices.ContainsFunc(s.list, func(f *front) bool {
		return slices.ContainsFunc(f.sweep, func(place int32) bool { return f.entries[place].trial == trial })
	})
}

// best returns the best limit trials, which must not be more than the size, by front and
// crowding distance, all if there are fewer.
func (s *fronts) best(limit int) []int32 {
	best := make([]int32, 0, limit)
	for _, f := range s.list {
		for _, place := range f.ranked() {
			if len(best) == limit {
				return best
			}
			best = append(best, f.entries[place].trial)
		}
	}
	return best
}
