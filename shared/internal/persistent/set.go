package persistent

import "iter"

// A Set holds elements in the order of a comparison, each once. An element may be more than
// what is compared, as a map's entry is. With, Without, Get, At and Rank take time and
// memory in the logarithm of its size: a tree balanced by weight, as in Adams, "Efficient
// sets: a balancing act" (1993), with the bounds of Hirai and Yamamoto, "Balancing
// weight-balanced trees" (2011).
type Set[T any] struct {
	root    *node[T]
	compare func(a, b T) int
}

type node[T any] struct {
	left, right *node[T]
	size        int
	value       T
}

// NewSet returns a set of the elements by a comparison as of [cmp.Compare]. The elements
// must stand in its order without two that are equal.
func NewSet[T any](compare func(a, b T) int, sorted ...T) Set[T] {
	return Set[T]{compare: compare, root: balanced(sorted, make([]node[T], len(sorted)))}
}

// balanced returns the tree of sorted elements, in time that is linear in their number.
// It puts it into the nodes, which are as many: one piece of memory instead of one a node.
func balanced[T any](sorted []T, nodes []node[T]) *node[T] {
	if len(sorted) == 0 {
		return nil
	}
	middle := len(sorted) / 2
	n := &nodes[middle]
	n.left, n.right = balanced(sorted[:middle], nodes[:middle]), balanced(sorted[middle+1:], nodes[middle+1:])
	n.size, n.value = len(sorted), sorted[middle]
	return n
}

// Len returns how many elements there are.
func (s Set[T]) Len() int { return s.root.weight() }

func (n *node[T]) weight() int {
	if n == nil {
		return 0
	}
	return n.size
}

// With returns the set with x, in the place of what is equal to it.
func (s Set[T]) With(x T) Set[T] {
	s.root = s.with(s.root, x)
	return s
}

func (s Set[T]) with(n *node[T], x T) *node[T] {
	if n == nil {
		return &node[T]{size: 1, value: x}
	}
	switch c := s.compare(x, n.value); {
	case c < 0:
		return balance(s.with(n.left, x), n.value, n.right)
	case c > 0:
		return balance(n.left, n.value, s.with(n.right, x))
	}
	return join(n.left, x, n.right)
}

// Without returns the set without what is equal to x, or the same set.
func (s Set[T]) Without(x T) Set[T] {
	if _, ok := s.Get(x); ok {
		s.root = s.without(s.root, x)
	}
	return s
}

func (s Set[T]) without(n *node[T], x T) *node[T] {
	switch c := s.compare(x, n.value); {
	case c < 0:
		return balance(s.without(n.left, x), n.value, n.right)
	case c > 0:
		return balance(n.left, n.value, s.without(n.right, x))
	}
	if n.left == nil {
		return n.right
	}
	if n.right == nil {
		return n.left
	}
	next, right := cutFirst(n.right)
	return balance(n.left, next, right)
}

// cutFirst returns the first element and the tree of the others.
func cutFirst[T any](n *node[T]) (T, *node[T]) {
	if n.left == nil {
		return n.value, n.right
	}
	first, left := cutFirst(n.left)
	return first, balance(left, n.value, n.right)
}

// Get returns the element that is equal to x.
func (s Set[T]) Get(x T) (T, bool) {
	for n := s.root; n != nil; {
		c := s.compare(x, n.value)
		switch {
		case c == 0:
			return n.value, true
		case c < 0:
			n = n.left
		default:
			n = n.right
		}
	}
	var none T
	return none, false
}

// At returns the element that has i before it. It panics when there is none.
func (s Set[T]) At(i int) T {
	n := s.root
	for {
		if n == nil {
			panic("persistent: index out of range")
		}
		before := n.left.weight()
		switch {
		case i == before:
			return n.value
		case i < before:
			n = n.left
		default:
			i, n = i-before-1, n.right
		}
	}
}

// First returns the first element, if there is one.
func (s Set[T]) First() (T, bool) {
	if s.root == nil {
		var none T
		return none, false
	}
	return s.At(0), true
}

// Rank returns how many elements stand before x, which need not be one of them.
func (s Set[T]) Rank(x T) int {
	rank := 0
	for n := s.root; n != nil; {
		if s.compare(x, n.value) <= 0 {
			n = n.left
		} else {
			rank += n.left.weight() + 1
			n = n.right
		}
	}
	return rank
}

// All returns the elements in order.
func (s Set[T]) All() iter.Seq[T] {
	return func(yield func(T) bool) { s.root.all(yield) }
}

func (n *node[T]) all(yield func(T) bool) bool {
	return n == nil || n.left.all(yield) && yield(n.value) && n.right.all(yield)
}

// One subtree may weigh up to spread times as much as the other, both with one added; an
// inner grandchild up to turn times as much as the outer one is lifted by one rotation.
const (
	spread = 3
	turn   = 2
)

func join[T any](left *node[T], value T, right *node[T]) *node[T] {
	return &node[T]{left: left, right: right, size: left.weight() + right.weight() + 1, value: value}
}

// balance joins two trees one of which gained or lost one element.
func balance[T any](left *node[T], value T, right *node[T]) *node[T] {
	l, r := left.weight()+1, right.weight()+1
	switch {
	case l+r <= 3:
	case r > spread*l:
		if right.left.weight()+1 < turn*(right.right.weight()+1) {
			return join(join(left, value, right.left), right.value, right.right)
		}
		inner := right.left
		return join(join(left, value, inner.left), inner.value, join(inner.right, right.value, right.right))
	case l > spread*r:
		if left.right.weight()+1 < turn*(left.left.weight()+1) {
			return join(left.left, left.value, join(left.right, value, right))
		}
		inner := left.right
		return join(join(left.left, left.value, inner.left), inner.value, join(inner.right, value, right))
	}
	return join(left, value, right)
}
