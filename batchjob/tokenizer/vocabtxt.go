package tokenizer

import (
	"bytes"
	"fmt"
	"unicode/utf8"
)

// fromVocab builds a BERT tokenizer from vocab.txt, one token a line in the order of the
// ids.
func fromVocab(data []byte, c config) (*Tokenizer, error) {
	vocab, err := parseVocab(data)
	if err != nil {
		return nil, err
	}
	s, err := c.apply(settings{clean: true, cjk: true, lower: true})
	if err != nil {
		return nil, err
	}
	cls, sep := c.Cls.name("[CLS]"), c.Sep.name("[SEP]")
	for _, name := range []string{cls, sep} {
		if _, ok := vocab[name]; !ok {
			return nil, fmt.Errorf("the vocabulary has no %q, which stands around every text", name)
		}
	}
	unknown, pad := c.Unknown.name("[UNK]"), c.Pad.name("[PAD]")
	special := []string{unknown, sep, pad, cls, c.Mask.name("[MASK]")}
	for _, e := range c.Extra {
		special = append(special, e.text)
	}
	p := blueprint{
		vocab: vocab, model: wordPieceModel(vocab, s, unknown, "##", 100), pads: []string{pad},
		added: c.withAdded(nil, vocab, special),
	}
	t, err := build(p)
	if err != nil {
		return nil, err
	}
	t.single, t.pair = bertTemplates(t.ids[cls], t.ids[sep])
	return t, nil
}

// withAdded adds to added what tokenizer_config.json's added_tokens_decoder lists, whose
// flags count where both have a token, and the special tokens of the vocabulary that neither
// has.
func (c config) withAdded(added []addedToken, vocab map[string]int32, special []string) []addedToken {
	added = append([]addedToken(nil), added...)
	known := make(map[string]int, len(added))
	for i, a := range added {
		known[a.Content] = i
	}
	for id, a := range c.Added {
		if i, ok := known[a.Content]; ok {
			a.ID = added[i].ID
			added[i] = a
			continue
		}
		a.ID = id
		known[a.Content] = len(added)
		added = append(added, a)
	}
	for _, name := range special {
		id, ok := vocab[name]
		if _, has := known[name]; ok && !has {
			known[name] = len(added)
			added = append(added, addedToken{ID: id, Content: name, Special: true})
		}
	}
	return added
}

// parseVocab reads vocab.txt. A blank line is an id without a token.
func parseVocab(data []byte) (map[string]int32, error) {
	if len(data) == 0 {
		return nil, fmt.Errorf("the file is empty; it should have one token a line")
	}
	data = bytes.TrimSuffix(data, []byte("\n"))
	lines := bytes.Split(data, []byte("\n"))
	vocab := make(map[string]int32, len(lines))
	for i, line := range lines {
		line = bytes.TrimSuffix(line, []byte("\r"))
		if !utf8.Valid(line) {
			return nil, fmt.Errorf("line %d is not UTF-8", i+1)
		}
		if len(line) == 0 {
			continue
		}
		if first, ok := vocab[string(line)]; ok {
			return nil, fmt.Errorf("line %d has the same token as line %d", i+1, first+1)
		}
		vocab[string(line)] = int32(i)
	}
	return vocab, nil
}
