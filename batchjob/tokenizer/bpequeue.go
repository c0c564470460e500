package tokenizer

// bpeMerge is a merge that may be made: of the symbol at some place with the one after it.
type bpeMerge struct {
	rank, at int32
	id       int32 // what the two become
	pair     pair  // what they were when it was queued
}

func (c bpeMerge) before(d bpeMerge) bool {
	return c.rank < d.rank || c.rank == d.rank && c.at < d.at
}

// bpeQueue is a binary heap of merges, the first to be made on top. A word of n bytes
// costs n log n, however long it is.
type bpeQueue []bpeMerge

func (q *bpeQueue) push(c bpeMerge) {
	h := append(*q, c)
	i := len(h) - 1
	for i > 0 && c.before(h[(i-1)/2]) {
		h[i] = h[(i-1)/2]
		i = (i - 1) / 2
	}
	h[i] = c
	*q = h
}

// pop takes the first merge out; there must be one.
func (q *bpeQueue) pop() bpeMerge {
	h := *q
	top, last := h[0], h[len(h)-1]
	h = h[:len(h)-1]
	*q = h
	for i := 0; len(h) > 0; {
		child := 2*i + 1
		if child+1 < len(h) && h[child+1].before(h[child]) {
			child++
		}
		if child >= len(h) || !h[child].before(last) {
			h[i] = last
			break
		}
		h[i] = h[child]
		i = child
	}
	return top
}
