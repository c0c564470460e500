package asha

import (
	"sort"
	"sync"
)

// A net orders a front's members so that the first ones, however many, lie far apart: the
// best by the first objective, then always the one whose nearest among those before is
// farthest. So few promotions cover the whole front. Each objective counts relative to its
// range in the front. Schmucker, Donini, Zafar, Salinas and Archambeau, "Multi-objective
// asynchronous successive halving" (2021), section 4; the points are chosen as in Gonzalez,
// "Clustering to minimize the maximum intercluster distance" (1985).
//
// It is worked out when it is first needed, and then once for all readers.
type net struct {
	once  sync.Once
	order []int // of the members
	place []int // by member, where it stands in the order
}

func (n *net) of(members []entry) *net {
	n.once.Do(func() {
		n.order = epsilonNet(members)
		n.place = make([]int, len(members))
		for place, i := range n.order {
			n.place[i] = place
		}
	})
	return n
}

// epsilonNet returns the indexes of a front's members in the order of their net. A front of
// two objectives is a staircase, along which distances grow. So the nearest of the chosen
// ones is a neighbour, between two of them the farthest member is where the distances to
// both meet, and n members take O(n log n).
func epsilonNet(front []entry) []int {
	last := len(front) - 1
	if last < 0 {
		return nil
	}
	order := make([]int, 1, len(front)) // the first
	if last > 0 {
		order = append(order, last)
	}
	gaps := gaps{front: front, perFirst: inverse(front[last].first - front[0].first), perSecond: inverse(front[0].second - front[last].second)}
	gaps.add(0, last)
	for len(gaps.heap) > 0 {
		g := gaps.widest()
		order = append(order, g.farthest)
		gaps.add(g.from, g.farthest)
		gaps.add(g.farthest, g.to)
	}
	return order
}

// inverse returns 1/width, or 0 where all members are equal.
func inverse(width float64) float64 {
	if width == 0 {
		return 0
	}
	return 1 / width
}

// gaps are what lies between neighbours that were chosen: a heap, the widest first and of
// equal ones the one that begins earlier.
type gaps struct {
	front               []entry
	perFirst, perSecond float64 // what makes the objectives' ranges 1
	heap                []gap
}

type gap struct {
	from, to int // chosen
	farthest int // member between them
	squared  float64
}

func (g gap) before(o gap) bool {
	return g.squared > o.squared || g.squared == o.squared && g.from < o.from
}

// add adds the gap between two members, if any stands between them.
func (g *gaps) add(from, to int) {
	if to-from < 2 {
		return
	}
	low, high := from+1, to-1 // the first that is nearer to the end lies in [low, high+1]
	for low <= high {
		if middle := (low + high) / 2; g.squared(from, middle) < g.squared(middle, to) {
			low = middle + 1
		} else {
			high = middle - 1
		}
	}
	widest := gap{from: from, to: to, squared: -1}
	for i := max(from+1, low-1); i <= min(low, to-1); i++ {
		if d := min(g.squared(from, i), g.squared(i, to)); d > widest.squared {
			widest.farthest, widest.squared = i, d
		}
	}
	// Of members that are equal the first comes first.
	widest.farthest = from + 1 + sort.Search(widest.farthest-from-1, func(i int) bool {
		return !beyond(g.front[widest.farthest], g.front[from+1+i])
	})
	g.heap = append(g.heap, widest)
	for i := len(g.heap) - 1; i > 0 && g.heap[i].before(g.heap[(i-1)/2]); i = (i - 1) / 2 {
		g.heap[i], g.heap[(i-1)/2] = g.heap[(i-1)/2], g.heap[i]
	}
}

// widest removes the widest gap. There must be one.
func (g *gaps) widest() gap {
	widest, last := g.heap[0], len(g.heap)-1
	g.heap[0] = g.heap[last]
	g.heap = g.heap[:last]
	for i := 0; ; {
		first := i
		for child := 2*i + 1; child <= 2*i+2 && child < last; child++ {
			if g.heap[child].before(g.heap[first]) {
				first = child
			}
		}
		if first == i {
			return widest
		}
		g.heap[i], g.heap[first] = g.heap[first], g.heap[i]
		i = first
	}
}

// squared returns the squared distance of two members.
func (g *gaps) squared(i, j int) float64 {
	a, b := &g.front[i], &g.front[j]
	x, y := (b.first-a.first)*g.perFirst, (a.second-b.second)*g.perSecond
	return float64(x*x) + float64(y*y)
}
