package tokenizer

// pieces is a text's tokens before special tokens are added around them.
type pieces struct {
	ids     []int32
	offsets [][2]int // in code points of the text
	added   []addedText
}

// addedText is the text that an added token took, with the spaces that it swallowed.
type addedText struct {
	piece int
	text  string
}

func (p *pieces) reset() {
	p.ids, p.offsets = p.ids[:0], p.offsets[:0]
	clear(p.added) // lets go of the text
	p.added = p.added[:0]
}

func (p *pieces) add(id, from, to int32) {
	p.ids = append(p.ids, id)
	p.offsets = append(p.offsets, [2]int{int(from), int(to)})
}

func (p *pieces) cutBack(n int) { p.ids, p.offsets = p.ids[:n], p.offsets[:n] }

// clone returns a copy of exactly the size needed.
func (p *pieces) clone() pieces {
	c := pieces{ids: make([]int32, len(p.ids)), offsets: make([][2]int, len(p.offsets))}
	copy(c.ids, p.ids)
	copy(c.offsets, p.offsets)
	c.added = append(c.added, p.added...)
	return c
}
