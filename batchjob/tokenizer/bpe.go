package tokenizer

import (
	"fmt"
	"unicode/utf8"
)

// bpe merges the bytes of a word pair by pair, the pair that was learnt first before the
// others and the leftmost of those first (Sennrich et al., "Neural Machine Translation of
// Rare Words with Subword Units", 2016), over bytes as in GPT-2.
type bpe struct {
	bytes  [256]int32 // the ids of single bytes; -1 where the vocabulary has none
	whole  bool       // it has all of them
	merges map[pair]merged
	prefix bool     // a space is put before text that begins without
	trim   *trimmer // of the tokenizer; nil when places keep their spaces
	words  *wordCache
}

// merged is what a pair becomes.
type merged struct {
	rank int32 // which merge it is
	id   int32
}

// newBPE indexes a vocabulary and its merges, in order. Both halves of a merge and the whole
// must be in the vocabulary.
func newBPE(vocab map[string]int32, merges [][2]string, prefix bool) (*bpe, error) {
	m := &bpe{merges: make(map[pair]merged, len(merges)), prefix: prefix, words: newWordCache(), whole: true}
	for b, r := range byteRunes {
		id, ok := vocab[string(r)]
		if !ok {
			id, m.whole = -1, false
		}
		m.bytes[b] = id
	}
	for i, halves := range merges {
		left, ok1 := vocab[halves[0]]
		right, ok2 := vocab[halves[1]]
		id, ok3 := vocab[halves[0]+halves[1]]
		if !ok1 || !ok2 || !ok3 {
			return nil, fmt.Errorf("merge %d makes %q of %q and %q, which are not all in the vocabulary", i+1, halves[0]+halves[1], halves[0], halves[1])
		}
		p := pair{left, right}
		if first, ok := m.merges[p]; ok {
			return nil, fmt.Errorf("merge %d is merge %d once more", i+1, first.rank+1)
		}
		m.merges[p] = merged{int32(i), id}
	}
	return m, nil
}

func (m *bpe) normalize(out *normalized, s string, first int32) int32 { return out.load(s, first) }

func (m *bpe) cut(out *pieces, n *normalized, from, to int) {
	if m.prefix && n.text[from] != ' ' {
		side := &out.side
		side.text = append(append(side.text[:0], ' '), n.text[from:to]...)
		side.align = append(append(side.align[:0], n.align[from]), n.align[from:to]...)
		n, from, to = side, 0, len(side.text)
	}
	for from < to {
		end := from + byteLevelWord(n.text[from:to])
		before := len(out.ids)
		out.addWord(m.words.parts(&out.work, n.text[from:end], m.merge), n, from)
		if m.trim != nil && !out.idsOnly {
			for i := before; i < len(out.ids); i++ {
				out.offsets[i] = m.trim.edges[out.ids[i]].trim(out.offsets[i], m.trim.prefix, i == 0)
			}
		}
		from = end
	}
}

// symbol is a run of bytes of a word that is one token so far.
type symbol struct {
	id         int32 // -1 once it was merged into the one before
	from, to   int32
	prev, next int32 // its neighbours; -1 at the ends
}

// merge leaves the parts of a word in w.
func (m *bpe) merge(w *wordWork, word []byte) {
	s := w.symbols[:0]
	for i, c := range word {
		if id := m.bytes[c]; id >= 0 { // as in the reference, a byte that no token is goes
			s = append(s, symbol{id: id, from: int32(i), to: int32(i) + 1, prev: int32(len(s)) - 1, next: int32(len(s)) + 1})
		}
	}
	w.symbols, w.queue = s, w.queue[:0]
	w.parts = w.parts[:0]
	if len(s) == 0 {
		return
	}
	s[len(s)-1].next = -1
	for i := range s {
		m.offer(w, int32(i))
	}
	for len(w.queue) > 0 {
		c := w.queue.pop()
		left := &s[c.at]
		if left.id != c.pair.left || left.next < 0 || s[left.next].id != c.pair.right {
			continue // one of the two was merged with another meanwhile
		}
		right := &s[left.next]
		left.id, left.to, left.next = c.id, right.to, right.next
		right.id = -1
		if left.next >= 0 {
			s[left.next].prev = c.at
		}
		if left.prev >= 0 {
			m.offer(w, left.prev)
		}
		m.offer(w, c.at)
	}
	for i := int32(0); i >= 0; i = s[i].next {
		w.parts = append(w.parts, part{s[i].id, s[i].from, s[i].to})
	}
	if !m.whole {
		m.shift(w.parts, word)
	}
}

// offer queues the merge of symbol at with the next one, if there is one.
func (m *bpe) offer(w *wordWork, at int32) {
	left := w.symbols[at]
	if left.next < 0 {
		return
	}
	p := pair{left.id, w.symbols[left.next].id}
	if to, ok := m.merges[p]; ok {
		w.queue.push(bpeMerge{to.rank, at, to.id, p})
	}
}

// shift gives parts the places that the reference gives them where bytes were left out of a
// word: it counts in bytes of the characters that write the bytes, from the word's start.
func (m *bpe) shift(parts []part, word []byte) {
	var owner []int32 // the byte of the word for each byte of its written form
	for i, c := range word {
		for range utf8.RuneLen(byteRunes[c]) {
			owner = append(owner, int32(i))
		}
	}
	at := 0
	for i, p := range parts {
		size := 0
		for _, c := range word[p.from:p.to] {
			if m.bytes[c] >= 0 {
				size += utf8.RuneLen(byteRunes[c])
			}
		}
		parts[i].from, parts[i].to = owner[at], owner[at+size-1]+1
		at += size
	}
}
