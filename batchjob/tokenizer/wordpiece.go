package tokenizer

import "unicode/utf8"

// wordpiece cuts a word into the longest vocabulary entries from left to right (Wu et
// al., "Google's Neural Machine Translation System", 2016; Devlin et al., 2019).
type wordpiece struct {
	trie     *trie
	inner    int32 // the trie's state after the prefix of a word's later pieces
	unknown  int32 // the id of a word with no such cut
	maxChars int   // a longer word, in characters, is unknown
}

// newWordpiece indexes vocab, whose place in the slice is the id; prefix ("##") marks a
// word's later pieces.
func newWordpiece(vocab []string, prefix string, unknown int32, maxChars int) *wordpiece {
	words := make([]string, 0, len(vocab))
	ids := make([]int32, 0, len(vocab))
	for id, w := range vocab {
		if w != "" {
			words = append(words, w)
			ids = append(ids, int32(id))
		}
	}
	t := newTrie(words, ids)
	return &wordpiece{trie: t, inner: t.walk(0, prefix), unknown: unknown, maxChars: maxChars}
}

// cut appends the pieces of the word text[from:to] to out.
func (w *wordpiece) cut(out *pieces, n *normalized, from, to int) {
	if to-from > w.maxChars && utf8.RuneCount(n.text[from:to]) > w.maxChars {
		out.add(w.unknown, n.align[from], n.align[to-1]+1)
		return
	}
	before := len(out.ids)
	state := int32(0)
	for at := from; at < to; {
		if state == dead {
			out.cutBack(before)
			out.add(w.unknown, n.align[from], n.align[to-1]+1)
			return
		}
		id, length := w.trie.longest(state, n.text[at:to])
		if length == 0 {
			out.cutBack(before)
			out.add(w.unknown, n.align[from], n.align[to-1]+1)
			return
		}
		out.add(id, n.align[at], n.align[at+length-1]+1)
		at += length
		state = w.inner
	}
}
