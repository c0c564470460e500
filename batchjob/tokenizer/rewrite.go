package tokenizer

import "unicode/utf8"

// rewriter writes a changed copy of a normalised text and keeps the origins of its
// characters as the reference does, by counting: a character that is written stands for the
// next one of the old text, or was put in and has the origin of the one before it. What is
// taken out counts with the last character written. When there is none yet it is lost, and
// every origin after it is that of an earlier character.
type rewriter struct {
	n     *normalized
	text  []byte
	align []int32
	used  int // bytes of the old text that were counted

	last     int  // where the last character begins; -1 when there is none
	inserted bool // it was put in
}

// rewrite begins a copy whose first start bytes, ASCII, are the old ones.
func (n *normalized) rewrite(start int) rewriter {
	return rewriter{
		n: n, text: append(n.spareText[:0], n.text[:start]...), align: append(n.spareAlign[:0], n.align[:start]...),
		used: start, last: start - 1,
	}
}

// done puts the copy in the place of the old text.
func (r *rewriter) done() {
	n := r.n
	n.text, n.spareText = r.text, n.text
	n.align, n.spareAlign = r.align, n.align
}

// keep writes the characters of the old text from byte from to byte to.
func (r *rewriter) keep(from, to int) {
	if from == r.used && to > from {
		r.text = append(r.text, r.n.text[from:to]...)
		r.align = append(r.align, r.n.align[from:to]...)
		_, size := utf8.DecodeLastRune(r.n.text[from:to])
		r.used, r.last, r.inserted = to, len(r.text)-size, false
		return
	}
	for from < to {
		c, size := utf8.DecodeRune(r.n.text[from:to])
		r.stand(c)
		from += size
	}
}

// replace writes to for the next count characters of the old text.
func (r *rewriter) replace(to string, count int) {
	for _, c := range to {
		if count > 0 {
			r.stand(c)
			count--
		} else {
			r.put(c, r.n.align[r.used-1])
			r.inserted = true
		}
	}
	if count == 0 || r.last < 0 {
		return
	}
	if r.inserted {
		for i := r.last; i < len(r.align); i++ {
			r.align[i] = r.n.align[r.used]
		}
		r.inserted = false
	}
	for range count {
		r.skip()
	}
}

// stand writes c for the next character of the old text.
func (r *rewriter) stand(c rune) {
	r.put(c, r.n.align[r.used])
	r.inserted = false
	r.skip()
}

func (r *rewriter) put(c rune, origin int32) {
	r.last = len(r.text)
	r.text = utf8.AppendRune(r.text, c)
	for len(r.align) < len(r.text) {
		r.align = append(r.align, origin)
	}
}

func (r *rewriter) skip() {
	_, size := utf8.DecodeRune(r.n.text[r.used:])
	r.used += size
}
