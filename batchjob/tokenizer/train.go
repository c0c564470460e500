package tokenizer

import (
	"fmt"
	"sort"
	"strings"
)

// TrainOptions says what a new vocabulary is like. The zero value is an uncased one.
type TrainOptions struct {
	Cased         bool // keep capitals and accents apart
	AlphabetLimit int  // most characters, the commonest; 0: 1000
	MinFrequency  int  // a pair seen less often is never merged; 0: 2
}

// SpecialTokens are the first entries of every vocabulary that TrainWordPiece makes, in
// BERT's order.
func SpecialTokens() []string { return []string{"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"} }

// TrainWordPiece learns a WordPiece vocabulary of at most size entries from texts, as
// Hugging Face's WordPieceTrainer does: byte-pair merges (Sennrich et al., 2016) by
// frequency over words whose later characters carry "##". It holds the special tokens,
// then the characters, then the merges in the order of their making. Unlike there, equal
// texts in any order always give equal vocabularies.
func TrainWordPiece(texts []string, size int, o TrainOptions) ([]string, error) {
	if o.AlphabetLimit < 0 || o.MinFrequency < 0 {
		return nil, fmt.Errorf("train vocabulary: alphabet limit %d and minimum frequency %d must not be below 0", o.AlphabetLimit, o.MinFrequency)
	}
	if o.AlphabetLimit == 0 {
		o.AlphabetLimit = 1000
	}
	if o.MinFrequency == 0 {
		o.MinFrequency = 2
	}
	words, counts := countWords(texts, newNormalizer(true, true, !o.Cased, !o.Cased))
	if len(words) == 0 {
		return nil, fmt.Errorf("train vocabulary: the texts hold no words")
	}
	m := newMerger(words, counts, initialVocab(words, counts, SpecialTokens(), o.AlphabetLimit))
	if len(m.vocab) > size {
		return nil, fmt.Errorf("train vocabulary: size %d is too small, special tokens and characters alone are %d", size, len(m.vocab))
	}
	m.run(size, o.MinFrequency)
	return m.vocab, nil
}

// countWords returns the pre-tokenised words in order, with how often each occurs.
func countWords(texts []string, n *normalizer) (words []string, counts []int) {
	index := map[string]int{}
	var text normalized
	add := func(word []byte) {
		i, ok := index[string(word)]
		if !ok {
			i = len(words)
			words = append(words, string(word))
			counts = append(counts, 0)
			index[words[i]] = i
		}
		counts[i]++
	}
	for _, t := range texts {
		n.normalize(&text, t, 0)
		n.eachWord(text.text, 0, len(text.text), func(from, to int) { add(text.text[from:to]) })
	}
	order := make([]int, len(words))
	for i := range order {
		order[i] = i
	}
	sort.Slice(order, func(i, j int) bool { return words[order[i]] < words[order[j]] })
	sorted := make([]string, len(words))
	times := make([]int, len(words))
	for i, from := range order {
		sorted[i], times[i] = words[from], counts[from]
	}
	return sorted, times
}

// alphabet returns the commonest characters of the words, at most limit, in the order of
// their code points. Of equally common ones the lower code points stay.
func alphabet(words []string, counts []int, limit int) []rune {
	times := map[rune]int{}
	for i, w := range words {
		for _, r := range w {
			times[r] += counts[i]
		}
	}
	runes := make([]rune, 0, len(times))
	for r := range times {
		runes = append(runes, r)
	}
	sort.Slice(runes, func(i, j int) bool {
		if times[runes[i]] != times[runes[j]] {
			return times[runes[i]] > times[runes[j]]
		}
		return runes[i] < runes[j]
	})
	runes = runes[:min(limit, len(runes))]
	sort.Slice(runes, func(i, j int) bool { return runes[i] < runes[j] })
	return runes
}

// initialVocab returns the special tokens, the characters, and "##" with every character
// that stands inside a word, each kind in the order of its code points.
func initialVocab(words []string, counts []int, special []string, limit int) []string {
	kept := alphabet(words, counts, limit)
	inner := map[rune]bool{}
	for _, w := range words {
		for i, r := range w {
			inner[r] = inner[r] || i > 0
		}
	}
	vocab := append([]string(nil), special...)
	for _, r := range kept {
		vocab = append(vocab, string(r))
	}
	for _, r := range kept {
		if inner[r] {
			vocab = append(vocab, "##"+string(r))
		}
	}
	return vocab
}

// newMerger spells the words with the initial vocabulary. Characters that it lacks are
// skipped, as in the reference.
func newMerger(words []string, counts []int, initial []string) *merger {
	m := &merger{counts: counts, ids: map[string]int32{}, words: make([][]int32, len(words))}
	for _, token := range initial {
		m.id(token)
	}
	for i, w := range words {
		for at, r := range w {
			s := string(r)
			if at > 0 {
				s = "##" + s
			}
			if id, ok := m.ids[s]; ok {
				m.words[i] = append(m.words[i], id)
			}
		}
	}
	return m
}

// id returns a token's id and enters it if it is new.
func (m *merger) id(token string) int32 {
	id, ok := m.ids[token]
	if !ok {
		id = int32(len(m.vocab))
		m.ids[token] = id
		m.vocab = append(m.vocab, token)
	}
	return id
}

// joined is the token that a pair becomes.
func (m *merger) joined(p pair) string {
	return m.vocab[p.left] + strings.TrimPrefix(m.vocab[p.right], "##")
}
