package asha

import (
	"cmp"
	"container/heap"
	"iter"
	"math"
)

// epsilonNet yields the indexes of a front's members so that the first ones, however many,
// lie far apart: the best by the first objective, then always the one whose nearest among
// those before is farthest. So few promotions cover the whole front. Each objective counts
// relative to its range in the front. Schmucker, Donini, Zafar, Salinas and Archambeau,
// "Multi-objective asynchronous successive halving" (2021), section 4; the points are
// chosen as in Gonzalez, "Clustering to minimize the maximum intercluster distance" (1985).
//
// A front of two objectives is a staircase, along which distances grow. So the nearest of
// the chosen ones is a neighbour, between two of them the farthest member is where the
// distances to both meet, and n members take O(n log n).
func epsilonNet(front []entry) iter.Seq[int] {
	return func(yield func(int) bool) {
		last := len(front) - 1
		if last < 0 || !yield(0) || last == 0 {
			return
		}
		n := net{front: front, width1: front[last].first - front[0].first, width2: front[0].second - front[last].second}
		if !yield(last) {
			return
		}
		n.add(0, last)
		for len(n.gaps) > 0 {
			g := heap.Pop(&n).(gap)
			if !yield(g.farthest) {
				return
			}
			n.add(g.from, g.farthest)
			n.add(g.farthest, g.to)
		}
	}
}

// A net is what epsilonNet has still to choose from: a heap of the gaps between neighbours
// that were chosen, the widest first.
type net struct {
	front          []entry
	width1, width2 float64
	gaps           []gap
}

type gap struct {
	from, to int // chosen
	farthest int // member between them
	distance float64
}

// add adds the gap between two members, if any stands between them.
func (n *net) add(from, to int) {
	if to-from < 2 {
		return
	}
	low, high := from+1, to-1 // the first that is nearer to the end lies in [low, high+1]
	for low <= high {
		if middle := (low + high) / 2; n.distance(from, middle) < n.distance(middle, to) {
			low = middle + 1
		} else {
			high = middle - 1
		}
	}
	g := gap{from: from, to: to, distance: -1}
	for i := max(from+1, low-1); i <= min(low, to-1); i++ {
		if d := min(n.distance(from, i), n.distance(i, to)); d > g.distance {
			g.farthest, g.distance = i, d
		}
	}
	heap.Push(n, g)
}

func (n *net) distance(i, j int) float64 {
	a, b := n.front[i], n.front[j]
	return math.Hypot(share(b.first-a.first, n.width1), share(a.second-b.second, n.width2))
}

// share returns the part of a range, none of an empty one.
func share(part, whole float64) float64 {
	if whole == 0 {
		return 0
	}
	return part / whole
}

// Less puts the wider gap first and of equal ones the one that begins earlier.
func (n *net) Less(i, j int) bool {
	a, b := n.gaps[i], n.gaps[j]
	return cmp.Or(cmp.Compare(b.distance, a.distance), cmp.Compare(a.from, b.from)) < 0
}

func (n *net) Len() int      { return len(n.gaps) }
func (n *net) Swap(i, j int) { n.gaps[i], n.gaps[j] = n.gaps[j], n.gaps[i] }
func (n *net) Push(g any)    { n.gaps = append(n.gaps, g.(gap)) }
func (n *net) Pop() any {
	last := len(n.gaps) - 1
	g := n.gaps[last]
	n.gaps = n.gaps[:last]
	return g
}
