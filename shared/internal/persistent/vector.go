package persistent

import "iter"

// A Vector is a sequence with an index from 0. At, Set and Append take time and memory in
// the logarithm, to the base 32, of its length: a radix tree as in Bagwell and Rompf,
// "RRB-trees: efficient immutable vectors" (2011), without their relaxation.
type Vector[T any] struct {
	root   *page[T]
	height int // of the root above the leaves
	length int
}

const (
	pageBits = 5
	pageSize = 1 << pageBits
)

// page is a leaf with values or an inner node with pages below it.
type page[T any] struct {
	below  []*page[T]
	values []T
}

// Len returns how many elements there are.
func (v Vector[T]) Len() int { return v.length }

// At returns element i. It panics when there is none.
func (v Vector[T]) At(i int) T {
	if i < 0 || i >= v.length {
		panic("persistent: index out of range")
	}
	p := v.root
	for h := v.height; h > 0; h-- {
		p = p.below[i>>(h*pageBits)&(pageSize-1)]
	}
	return p.values[i&(pageSize-1)]
}

// Set returns the vector with x as element i, which must exist or be the first behind the
// last: then the vector is one longer.
func (v Vector[T]) Set(i int, x T) Vector[T] {
	if i < 0 || i > v.length {
		panic("persistent: index out of range")
	}
	if i == v.length {
		v.length++
		if v.root != nil && i == 1<<((v.height+1)*pageBits) { // the tree is full
			v.root, v.height = &page[T]{below: []*page[T]{v.root}}, v.height+1
		}
	}
	v.root = v.root.with(v.height, i, x)
	return v
}

// Append returns the vector with x behind its last element.
func (v Vector[T]) Append(x T) Vector[T] { return v.Set(v.length, x) }

// with returns a copy of the page, which may be nil, with x at i.
func (p *page[T]) with(height, i int, x T) *page[T] {
	if p == nil {
		p = new(page[T])
	}
	at := i >> (height * pageBits) & (pageSize - 1)
	if height == 0 {
		return &page[T]{values: replaced(p.values, at, x)}
	}
	var old *page[T]
	if at < len(p.below) {
		old = p.below[at]
	}
	return &page[T]{below: replaced(p.below, at, old.with(height-1, i, x))}
}

// replaced returns a copy of the list with x at i, which may be its end.
func replaced[T any](list []T, i int, x T) []T {
	c := make([]T, max(len(list), i+1))
	copy(c, list)
	c[i] = x
	return c
}

// All returns the elements with their indexes, in order.
func (v Vector[T]) All() iter.Seq2[int, T] { return v.From(0) }

// From returns the elements from an index on, in order.
func (v Vector[T]) From(first int) iter.Seq2[int, T] {
	return func(yield func(int, T) bool) {
		if v.root != nil {
			v.root.all(v.height, 0, first, yield)
		}
	}
}

// all yields the elements of a page that starts at an index; false: no more are wanted.
func (p *page[T]) all(height, start, first int, yield func(int, T) bool) bool {
	for i, x := range p.values {
		if start+i >= first && !yield(start+i, x) {
			return false
		}
	}
	width := 1 << (height * pageBits)
	for i, child := range p.below {
		from := start + i*width
		if from+width > first && !child.all(height-1, from, first, yield) {
			return false
		}
	}
	return true
}

// Collect returns a vector of the elements, in time that is linear in their number.
func Collect[T any](list []T) Vector[T] {
	if len(list) == 0 {
		return Vector[T]{}
	}
	var level []*page[T]
	for from := 0; from < len(list); from += pageSize {
		to := min(from+pageSize, len(list))
		level = append(level, &page[T]{values: append([]T(nil), list[from:to]...)})
	}
	v := Vector[T]{length: len(list)}
	for ; len(level) > 1; v.height++ {
		var above []*page[T]
		for from := 0; from < len(level); from += pageSize {
			to := min(from+pageSize, len(level))
			above = append(above, &page[T]{below: append([]*page[T](nil), level[from:to]...)})
		}
		level = above
	}
	v.root = level[0]
	return v
}

// Changed returns the indexes of v whose elements differ from those of old, in order, those
// behind old's end among them. Parts that the two share cost nothing, so a vector is
// compared with a former one in time that grows with what was changed between them.
func Changed[T comparable](old, v Vector[T]) iter.Seq[int] {
	return func(yield func(int) bool) {
		was, is := old.root, v.root
		for h := old.height; was != nil && h < v.height; h++ {
			was = &page[T]{below: []*page[T]{was}}
		}
		for h := v.height; is != nil && h < old.height; h++ {
			is = &page[T]{below: []*page[T]{is}}
		}
		changed(was, is, max(old.height, v.height), 0, yield)
	}
}

func changed[T comparable](was, is *page[T], height, start int, yield func(int) bool) bool {
	if was == is || is == nil {
		return true
	}
	if was == nil {
		was = new(page[T])
	}
	for i, x := range is.values {
		if (i >= len(was.values) || was.values[i] != x) && !yield(start+i) {
			return false
		}
	}
	for i, child := range is.below {
		var before *page[T]
		if i < len(was.below) {
			before = was.below[i]
		}
		if !changed(before, child, height-1, start+i<<(height*pageBits), yield) {
			return false
		}
	}
	return true
}
