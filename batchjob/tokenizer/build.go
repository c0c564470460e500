package tokenizer

import (
	"fmt"
	"sort"
)

// maxID bounds token ids and maxToken a token's bytes, so that a corrupt file cannot ask
// for all memory or a trie without end.
const (
	maxID    = 1 << 24
	maxToken = 1 << 16
)

// blueprint is what a tokenizer is built from, whichever files it came from.
type blueprint struct {
	vocab map[string]int32 // the model's vocabulary
	added []addedToken
	model func(vocab []string) (model, error) // indexes the vocabulary, which is by id

	pads    []string // the first that is in the vocabulary is the padding token
	padType int32
	padLeft bool
	trim    *trimmer // its edges are still to be found; nil: places keep their spaces
}

// build checks the parts and indexes them. Templates are set by the caller, which knows
// the ids by then.
func build(p blueprint) (*Tokenizer, error) {
	size := int32(0)
	for token, id := range p.vocab {
		if id < 0 || id >= maxID {
			return nil, fmt.Errorf("the vocabulary has id %d, allowed is 0 to %d", id, maxID-1)
		}
		if len(token) > maxToken {
			return nil, fmt.Errorf("the vocabulary's token with id %d has %d bytes, at most %d are allowed", id, len(token), maxToken)
		}
		size = max(size, id+1)
	}
	vocab := make([]string, size)
	taken := make([]bool, size)
	for token, id := range p.vocab {
		if taken[id] {
			return nil, fmt.Errorf("the vocabulary has two tokens with id %d", id)
		}
		taken[id] = true
		vocab[id] = token
	}
	m, err := p.model(vocab)
	if err != nil {
		return nil, err
	}
	t := &Tokenizer{vocab: vocab, ids: p.vocab, model: m, pad: -1, padType: p.padType, padLeft: p.padLeft}
	if err := t.addTokens(p.added); err != nil {
		return nil, err
	}
	for _, pad := range p.pads {
		if id, ok := t.ids[pad]; ok && pad != "" {
			t.pad = id
			break
		}
	}
	if bpe, ok := m.(*bpe); ok && p.trim != nil {
		t.trim = newTrimmer(t.vocab, p.trim.prefix)
		bpe.trim = t.trim
	}
	return t, nil
}

// wordPieceModel returns what makes BERT's model of a vocabulary.
func wordPieceModel(ids map[string]int32, s settings, unknown, prefix string, maxChars int) func([]string) (model, error) {
	return func(vocab []string) (model, error) {
		id, ok := ids[unknown]
		if !ok {
			return nil, fmt.Errorf("the vocabulary has no %q, the token of unknown words", unknown)
		}
		return &bertModel{s.normalizer(), newWordpiece(vocab, prefix, id, maxChars)}, nil
	}
}

// addTokens enters the added tokens, each under the id that it names. One that the
// vocabulary has must name the vocabulary's id.
func (t *Tokenizer) addTokens(added []addedToken) error {
	var raw, cooked []pattern
	var n normalized
	all := append([]addedToken(nil), added...)
	sort.SliceStable(all, func(i, j int) bool { return all[i].ID < all[j].ID })
	ids := make(map[string]int32, len(t.ids)+len(all))
	for token, id := range t.ids {
		ids[token] = id
	}
	t.ids = ids
	for i := range all {
		a := &all[i]
		if a.Content == "" {
			continue
		}
		if a.ID < 0 || a.ID >= maxID {
			return fmt.Errorf("added token %q has id %d, allowed is 0 to %d", a.Content, a.ID, maxID-1)
		}
		if id, ok := ids[a.Content]; ok && id != a.ID {
			return fmt.Errorf("added token %q has id %d, but %d in the vocabulary", a.Content, a.ID, id)
		}
		for int(a.ID) >= len(t.vocab) {
			t.vocab = append(t.vocab, "")
		}
		if old := t.vocab[a.ID]; old != "" && old != a.Content {
			return fmt.Errorf("added token %q has id %d, which is %q's", a.Content, a.ID, old)
		}
		t.vocab[a.ID], ids[a.Content] = a.Content, a.ID
		if a.Normalized {
			t.model.normalize(&n, a.Content, 0)
			cooked = append(cooked, pattern{string(n.text), a})
		} else {
			raw = append(raw, pattern{a.Content, a})
		}
	}
	t.raw = newMatcher(raw)
	if len(cooked) > 0 {
		t.cooked = newMatcher(cooked)
	}
	return nil
}
