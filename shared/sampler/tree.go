package sampler

import (
	"math"
	"math/bits"
	"slices"
	"sort"

	"github.com/supermax-hpo/supermax/shared/space"
)

// A tree numbers the configurations of a space without enumerating them: those below a
// parameter are, for each of its values, every combination of what it switches on. Counts
// beyond uint64 are its highest value.
type tree struct {
	layout   *layout
	children [][]int    // by parameter: those that its values switch on
	branches [][]branch // by parameter, those of a reachable one
	counts   []uint64   // by parameter: configurations of it and what it switches on
	roots    []int      // parameters without a condition
	size     uint64
}

// A branch is a run of a parameter's values that switch the same parameters on.
type branch struct {
	first, last int // values first … last-1
	active      []int
	each        uint64 // configurations of what is switched on
}

func newTree(l *layout) (*tree, error) {
	n := len(l.params)
	t := &tree{layout: l, children: make([][]int, n), branches: make([][]branch, n), counts: make([]uint64, n)}
	for i, parent := range l.parent {
		if parent < 0 {
			t.roots = append(t.roots, i)
		} else {
			t.children[parent] = append(t.children[parent], i)
		}
	}
	var continua []string
	t.size = t.count(t.roots, &continua)
	if len(continua) > 0 {
		return nil, endless(continua)
	}
	return t, nil
}

// count works out how many configurations the parameters have together. The names of those
// that have no end of values are added to continua.
func (t *tree) count(params []int, continua *[]string) uint64 {
	all := uint64(1)
	for _, i := range params {
		if t.branches[i] == nil {
			t.branch(i, continua)
		}
		all = times(all, t.counts[i])
	}
	return all
}

// branch works out the branches of parameter i.
func (t *tree) branch(i int, continua *[]string) {
	p := &t.layout.params[i]
	if p.Count() == 0 {
		*continua = append(*continua, p.Name)
	}
	t.branches[i] = []branch{}
	ends := t.ends(i)
	for j := 1; j < len(ends); j++ {
		b := branch{first: ends[j-1], last: ends[j]}
		for _, child := range t.children[i] {
			if t.layout.params[child].When.Holds(p.At(b.first)) {
				b.active = append(b.active, child)
			}
		}
		b.each = t.count(b.active, continua)
		t.branches[i] = append(t.branches[i], b)
		t.counts[i] = plus(t.counts[i], times(uint64(b.last-b.first), b.each))
	}
}

// ends returns where the branches of parameter i begin, and the number of its values.
func (t *tree) ends(i int) []int {
	p := &t.layout.params[i]
	n := p.Count()
	ends := []int{0, n}
	for _, child := range t.children[i] {
		when := t.layout.params[child].When
		switch {
		case p.Kind == space.Categorical:
			for k := range n {
				ends = append(ends, k)
			}
		case when.Above != nil:
			ends = append(ends, sort.Search(n, func(k int) bool { return when.Holds(p.At(k)) }))
		}
		for _, v := range when.In {
			if k := p.Index(v); k >= 0 {
				ends = append(ends, k, k+1)
			}
		}
	}
	slices.Sort(ends)
	return slices.Compact(ends)
}

// point returns the configuration of that number, which is below the tree's size.
func (t *tree) point(number uint64) space.Point {
	point := make(space.Point, len(t.layout.params))
	for i := range point {
		point[i] = math.NaN()
	}
	t.set(point, t.roots, number)
	return point
}

// set gives the parameters, and what they switch on, the values of a configuration's number.
func (t *tree) set(point space.Point, params []int, number uint64) {
	for _, i := range params {
		below := number % t.counts[i]
		number /= t.counts[i]
		for _, b := range t.branches[i] {
			if all := times(uint64(b.last-b.first), b.each); below >= all {
				below -= all
				continue
			}
			p := &t.layout.params[i]
			point[i] = coordinate(p, p.At(b.first+int(below/b.each)))
			t.set(point, b.active, below%b.each)
			break
		}
	}
}

// times and plus stay at the highest number instead of starting over.
func times(a, b uint64) uint64 {
	high, low := bits.Mul64(a, b)
	if high > 0 {
		return math.MaxUint64
	}
	return low
}

func plus(a, b uint64) uint64 {
	sum, carry := bits.Add64(a, b, 0)
	if carry > 0 {
		return math.MaxUint64
	}
	return sum
}
