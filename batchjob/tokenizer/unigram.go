package tokenizer

import (
	"bytes"
	"unicode"
	"unicode/utf8"
)

// unigram cuts words into the pieces whose scores, logarithms of probabilities, have the
// largest sum (Kudo, "Subword Regularization", 2018; the search is Viterbi, "Error Bounds for
// Convolutional Codes", 1967). Words are parted by spaces, which belong to the word after
// them; SentencePiece writes them as U+2581, here they stay spaces.
type unigram struct {
	stepper
	trie    *trie // of the vocabulary, with spaces for U+2581
	scores  []float64
	unknown int32
	lowest  float64 // the score of a character that no piece is

	prefix bool        // a space is put before text that begins without
	apart  bool        // white space parts texts, each with its own prefix
	bytes  *[256]int32 // the ids of the bytes that stand for unknown characters, -1 for none; or nil
	words  *wordCache
}

// unknownPenalty is how much less than the vocabulary's lowest score an unknown character
// has, as in SentencePiece.
const unknownPenalty = 10

// spaceMark is how SentencePiece writes a space.
const spaceMark = "\u2581"

// unigramSettings says what stands beside a Unigram vocabulary.
type unigramSettings struct {
	steps         stepper
	unknown       int32
	prefix, apart bool
	bytes         *[256]int32
}

// newUnigram indexes a vocabulary of distinct pieces by id and their scores.
func newUnigram(vocab []string, scores []float64, s unigramSettings) *unigram {
	m := &unigram{
		stepper: s.steps, scores: scores, unknown: s.unknown, prefix: s.prefix, apart: s.apart, bytes: s.bytes,
		words: newWordCache(),
	}
	var words []string
	var ids []int32
	for id, piece := range vocab {
		if id == 0 || scores[id] < m.lowest {
			m.lowest = scores[id]
		}
		// Text has no spaces any more when pieces are looked up, so such a piece never fits.
		if piece == "" || bytes.IndexByte([]byte(piece), ' ') >= 0 {
			continue
		}
		words = append(words, string(bytes.ReplaceAll([]byte(piece), []byte(spaceMark), []byte(" "))))
		ids = append(ids, int32(id))
	}
	m.lowest -= unknownPenalty
	m.trie = newTrie(words, ids)
	return m
}

func (m *unigram) cut(out *pieces, n *normalized, from, to int) {
	if !m.apart {
		m.sentence(out, n, from, to)
		return
	}
	for from < to {
		rest := n.text[from:to]
		from += len(rest) - len(bytes.TrimLeftFunc(rest, unicode.IsSpace))
		end := to
		if i := bytes.IndexFunc(n.text[from:to], unicode.IsSpace); i >= 0 {
			end = from + i
		}
		if from < end {
			m.sentence(out, n, from, end)
		}
		from = end
	}
}

// sentence puts the prefix before text and cuts its words.
func (m *unigram) sentence(out *pieces, n *normalized, from, to int) {
	text := n.text[from:to]
	marked := bytes.Contains(text, []byte(spaceMark))
	bare := m.prefix && text[0] != ' ' && !bytes.HasPrefix(text, []byte(spaceMark))
	if marked || bare {
		side := &out.side
		side.text, side.align = side.text[:0], side.align[:0]
		if bare {
			side.text = append(side.text, ' ')
			side.align = append(side.align, n.align[from])
		}
		side.text = append(side.text, text...)
		side.align = append(side.align, n.align[from:to]...)
		if marked {
			replaceStep{[]byte(spaceMark), []byte(" ")}.apply(side)
		}
		n, from, to = side, 0, len(side.text)
	}
	for from < to {
		end := to
		if i := bytes.IndexByte(n.text[from+1:to], ' '); i >= 0 {
			end = from + 1 + i
		}
		out.addWord(m.words.parts(&out.work, n.text[from:end], m.best), n, from)
		from = end
	}
}

// node is the best way to cut a word up to some byte.
type node struct {
	score float64
	from  int32 // where its last piece begins; -1 when no piece ends here
	id    int32
}

// best leaves the parts of a word in w.
func (m *unigram) best(w *wordWork, word []byte) {
	if cap(w.nodes) < len(word)+1 {
		w.nodes = make([]node, len(word)+1)
	}
	nodes := w.nodes[:len(word)+1]
	for i := range nodes {
		nodes[i] = node{from: -1}
	}
	cells := m.trie.cells
	for at := 0; at < len(word); {
		_, size := utf8.DecodeRune(word[at:])
		sum := nodes[at].score
		whole := false // some piece is the character alone
		for i, s := at, int32(0); i < len(word); i++ {
			next := cells[s].base + int32(word[i])
			if uint(next) >= uint(len(cells)) || cells[next].check != s || next == 0 {
				break
			}
			s = next
			id := cells[s].value
			if id < 0 {
				continue
			}
			whole = whole || i+1 == at+size
			if n := &nodes[i+1]; n.from < 0 || m.scores[id]+sum > n.score {
				*n = node{m.scores[id] + sum, int32(at), id}
			}
		}
		if n := &nodes[at+size]; !whole && (n.from < 0 || m.lowest+sum > n.score) {
			*n = node{m.lowest + sum, int32(at), m.unknown}
		}
		at += size
	}
	m.trace(w, nodes, word)
}

// trace follows the best way back. Unknown pieces beside each other are one.
func (m *unigram) trace(w *wordWork, nodes []node, word []byte) {
	parts := w.parts[:0]
	for end := int32(len(word)); end > 0; end = nodes[end].from {
		n := nodes[end]
		if last := len(parts) - 1; last >= 0 && n.id == m.unknown && parts[last].id == m.unknown {
			parts[last].from = n.from
			continue
		}
		parts = append(parts, part{n.id, n.from, end})
	}
	for i, j := 0, len(parts)-1; i < j; i, j = i+1, j-1 {
		parts[i], parts[j] = parts[j], parts[i]
	}
	w.parts = parts
	if m.bytes != nil {
		m.spell(w, word)
	}
}

// spell puts the bytes in the place of unknown pieces. Each has the place of the piece.
func (m *unigram) spell(w *wordWork, word []byte) {
	var spelt []part
	for i, p := range w.parts {
		text := word[p.from:p.to]
		if p.id != m.unknown || !m.spellable(text) {
			if spelt != nil {
				spelt = append(spelt, p)
			}
			continue
		}
		if spelt == nil {
			spelt = append(make([]part, 0, len(w.parts)+8), w.parts[:i]...)
		}
		for _, c := range bytes.ReplaceAll(text, []byte(" "), []byte(spaceMark)) {
			spelt = append(spelt, part{m.bytes[c], p.from, p.to})
		}
	}
	if spelt != nil {
		w.parts = append(w.parts[:0], spelt...)
	}
}

// spellable reports whether text has only bytes that have ids, and is not the very piece
// that stands for unknown text.
func (m *unigram) spellable(text []byte) bool {
	for _, c := range bytes.ReplaceAll(text, []byte(" "), []byte(spaceMark)) {
		if m.bytes[c] < 0 {
			return false
		}
	}
	s := m.trie.walk(0, string(text))
	return s == dead || m.trie.cells[s].value != m.unknown
}
