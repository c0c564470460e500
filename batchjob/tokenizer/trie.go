package tokenizer

import "sort"

// trie finds the longest vocabulary entry that a byte string begins with. It is a double
// array (Aoe, "An Efficient Digital Search Algorithm by Using a Double-Array Structure",
// 1989): the child of state s by byte c is base[s]+c if that cell's check is s. State 0 is
// the root. It never changes once built.
type trie struct {
	cells []cell
}

type cell struct {
	base  int32 // where the children stand
	check int32 // the parent, -1 when free
	value int32 // the entry's number, -1 when none ends here
}

// dead is the state after a byte that no entry has.
const dead int32 = -1

// newTrie builds the trie of words, none empty and none twice; values[i] ≥ 0 belongs to
// words[i].
func newTrie(words []string, values []int32) *trie {
	order := make([]int, len(words))
	for i := range order {
		order[i] = i
	}
	sort.Slice(order, func(i, j int) bool { return words[order[i]] < words[order[j]] })
	b := &trieBuilder{words: words, values: values, order: order, free: 1}
	b.grow(256)
	b.cells[0].check = 0
	b.fill(0, 0, len(order), 0)
	return &trie{cells: b.cells}
}

// next follows byte c from state s.
func (t *trie) next(s int32, c byte) int32 {
	i := t.cells[s].base + int32(c)
	if uint(i) >= uint(len(t.cells)) || t.cells[i].check != s || i == 0 {
		return dead
	}
	return i
}

// walk follows all of word from state s.
func (t *trie) walk(s int32, word string) int32 {
	for i := 0; i < len(word) && s != dead; i++ {
		s = t.next(s, word[i])
	}
	return s
}

// longest returns the value and length of the longest entry that text begins with, from
// state s; length 0 means none.
func (t *trie) longest(s int32, text []byte) (value int32, length int) {
	cells := t.cells
	for i, c := range text {
		at := cells[s].base + int32(c)
		if uint(at) >= uint(len(cells)) || cells[at].check != s || at == 0 {
			break
		}
		s = at
		if v := cells[s].value; v >= 0 {
			value, length = v, i+1
		}
	}
	return value, length
}

type trieBuilder struct {
	words  []string
	values []int32
	order  []int
	cells  []cell
	free   int32 // no cell below it is free
}

func (b *trieBuilder) grow(n int) {
	for len(b.cells) < n {
		b.cells = append(b.cells, cell{check: -1, value: -1})
	}
}

// fill places the children of state s: words order[lo:hi] have depth bytes in common.
func (b *trieBuilder) fill(s int32, lo, hi, depth int) {
	if lo < hi && len(b.words[b.order[lo]]) == depth {
		b.cells[s].value = b.values[b.order[lo]]
		lo++
	}
	if lo == hi {
		return
	}
	var labels []byte
	var starts []int
	for i := lo; i < hi; i++ {
		c := b.words[b.order[i]][depth]
		if len(labels) == 0 || labels[len(labels)-1] != c {
			labels = append(labels, c)
			starts = append(starts, i)
		}
	}
	starts = append(starts, hi)
	base := b.place(labels)
	b.cells[s].base = base
	for _, c := range labels {
		b.cells[base+int32(c)].check = s
	}
	for i, c := range labels {
		b.fill(base+int32(c), starts[i], starts[i+1], depth+1)
	}
}

// place finds the lowest base at which the cells of all labels are free.
func (b *trieBuilder) place(labels []byte) int32 {
	for int(b.free) < len(b.cells) && b.cells[b.free].check >= 0 {
		b.free++
	}
	for first := b.free; ; first++ {
		base := first - int32(labels[0])
		b.grow(int(base) + 257)
		fits := true
		for _, c := range labels {
			if base+int32(c) < 1 || b.cells[base+int32(c)].check >= 0 {
				fits = false
				break
			}
		}
		if fits {
			return base
		}
	}
}
