package tokenizer

// pieces is a text's tokens before special tokens are added around them.
type pieces struct {
	ids     []int32
	offsets [][2]int // in code points of the text; nil when only the ids are wanted
	idsOnly bool

	side normalized // text that a model changed once more
	work wordWork
}

// part is a token of a word and the bytes of the word that it stands for.
type part struct {
	id       int32
	from, to int32
}

// wordWork is the working memory for one word.
type wordWork struct {
	parts   []part
	nodes   []node   // of Unigram
	symbols []symbol // of BPE
	queue   bpeQueue
}

func (p *pieces) reset(idsOnly bool) {
	p.ids, p.offsets, p.idsOnly = p.ids[:0], p.offsets[:0], idsOnly
}

func (p *pieces) add(id, from, to int32) {
	p.ids = append(p.ids, id)
	if !p.idsOnly {
		p.offsets = append(p.offsets, [2]int{int(from), int(to)})
	}
}

func (p *pieces) cutBack(n int) {
	p.ids = p.ids[:n]
	if !p.idsOnly {
		p.offsets = p.offsets[:n]
	}
}

// addWord appends the parts of the word that begins at byte from of n.
func (p *pieces) addWord(parts []part, n *normalized, from int) {
	if p.idsOnly {
		for _, w := range parts {
			p.ids = append(p.ids, w.id)
		}
		return
	}
	align := n.align[from:]
	for _, w := range parts {
		p.ids = append(p.ids, w.id)
		p.offsets = append(p.offsets, [2]int{int(align[w.from]), int(align[w.to-1]) + 1})
	}
}

// clone returns the tokens in slices of exactly the size needed.
func (p *pieces) clone() pieces {
	c := pieces{ids: append(make([]int32, 0, len(p.ids)), p.ids...), idsOnly: p.idsOnly}
	if !p.idsOnly {
		c.offsets = append(make([][2]int, 0, len(p.offsets)), p.offsets...)
	}
	return c
}
