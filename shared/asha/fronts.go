package asha

import (
	"iter"
	"slices"
	"sort"
)

// fronts hold the feasible results of two objectives by non-dominated rank: front 0 is
// dominated by none, front 1 by members of front 0 alone, and so on. Results come one at a
// time; each sends what it dominates one front further, as in Li, Deb, Zhang and Kwong,
// "Efficient nondomination level update method for steady-state evolutionary multiobjective
// optimization" (2017). Fronts never change: a new result copies those that it touches.
type fronts struct {
	used  bool
	size  int // members in all
	ranks []front
}

// A front is sorted by its first loss; its second then falls. Equal members stand by their
// numbers.
type front struct {
	members []entry
	waiting int
	net     *net // of the members
}

// holds reports whether the entry's place is in a front.
func (f fronts) holds(e entry) bool { return f.used && e.violation == 0 }

// withAll returns the fronts, which are empty, with these members, which stand in order: none
// is dominated by a later one, and of a front the last to come is the best by the second
// loss.
func (f fronts) withAll(entries []entry) fronts {
	var members [][]entry
	for _, e := range entries {
		k := sort.Search(len(members), func(k int) bool {
			m := members[k][len(members[k])-1]
			return m.second > e.second || m.second == e.second && m.first == e.first
		})
		if k == len(members) {
			members = append(members, nil)
		}
		members[k] = append(members[k], e)
	}
	for _, m := range members {
		f.ranks = append(f.ranks, newFront(m))
	}
	f.size = len(entries)
	return f
}

// with returns the fronts with e among them.
func (f fronts) with(e entry) fronts {
	f.size++
	f.ranks = slices.Clone(f.ranks)
	coming := []entry{e} // neighbours in the front that they come from
	for k := f.rankOf(e); len(coming) > 0; k++ {
		if k == len(f.ranks) {
			f.ranks = append(f.ranks, newFront(coming))
			break
		}
		here := f.ranks[k].members
		first, last := coming[0], coming[len(coming)-1]
		from := sort.Search(len(here), func(i int) bool { return beyond(here[i], first) })
		to := from + sort.Search(len(here)-from, func(i int) bool { return here[from+i].second < last.second })
		if from == 0 && to == len(here) { // all that is here goes one front further, and so on
			f.ranks = slices.Insert(f.ranks, k, newFront(coming))
			break
		}
		leaving := here[from:to]
		if from == to { // a member that equals the newcomer may have a higher number
			from, _ = slices.BinarySearchFunc(here, first, entry.compare)
			to = from
		}
		f.ranks[k] = newFront(slices.Concat(here[:from], coming, here[to:]))
		coming = leaving
	}
	return f
}

// beyond reports whether e stands in a front after a, and not for its number.
func beyond(e, a entry) bool { return e.first > a.first || e.first == a.first && e.second > a.second }

func newFront(members []entry) front {
	f := front{members: members, net: new(net)}
	for _, e := range members {
		if e.waiting {
			f.waiting++
		}
	}
	return f
}

// rankOf returns the first front no member of which dominates e.
func (f fronts) rankOf(e entry) int {
	return sort.Search(len(f.ranks), func(k int) bool {
		members := f.ranks[k].members
		// Of the members that are no worse by the first loss the last is the best by the second.
		i := sort.Search(len(members), func(i int) bool { return members[i].first > e.first })
		if i == 0 {
			return true
		}
		m := members[i-1]
		return m.second > e.second || m.second == e.second && m.first == e.first
	})
}

// promoted returns the fronts in which the member e does not wait.
func (f fronts) promoted(e entry) fronts {
	k := f.rankOf(e)
	here := f.ranks[k]
	i, ok := slices.BinarySearchFunc(here.members, e, entry.compare)
	if !ok || !here.members[i].waiting {
		return f
	}
	here.members = slices.Clone(here.members)
	here.members[i].waiting = false
	here.waiting--
	f.ranks = slices.Clone(f.ranks)
	f.ranks[k] = here
	return f
}

// amongBest reports whether the member e is one of the best so many.
func (f fronts) amongBest(e entry, best int) bool {
	k := f.rankOf(e)
	for _, before := range f.ranks[:k] {
		best -= len(before.members)
	}
	here := f.ranks[k]
	if best <= 0 || best >= len(here.members) {
		return best > 0
	}
	i, ok := slices.BinarySearchFunc(here.members, e, entry.compare)
	return ok && here.net.of(here.members).place[i] < best
}

// promotable yields those of the best so many that wait, best first: by rank, and in a
// front in the order of its net.
func (f fronts) promotable(best int) iter.Seq[entry] {
	return func(yield func(entry) bool) {
		for _, here := range f.ranks {
			if best <= 0 {
				return
			}
			if here.waiting > 0 {
				order := here.net.of(here.members).order
				for _, i := range order[:min(best, len(order))] {
					if e := here.members[i]; e.waiting && !yield(e) {
						return
					}
				}
			}
			best -= len(here.members)
		}
	}
}
