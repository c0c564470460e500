package tokenizer

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// fromVocabJSON builds a RoBERTa tokenizer from vocab.json, an object of tokens and their
// ids, and merges.txt.
func fromVocabJSON(vocabulary, merges []byte, c config) (*Tokenizer, error) {
	f := &robertaFamily
	p := blueprint{pads: []string{c.Pad.name(f.tokens.pad)}}
	if err := json.Unmarshal(vocabulary, &p.vocab); err != nil {
		return nil, &fileError{"vocab.json", fmt.Errorf("it is not an object of tokens and their ids: %w", withPlace(err))}
	}
	if p.vocab == nil {
		return nil, &fileError{"vocab.json", errors.New("it is not an object of tokens and their ids")}
	}
	pairs, err := parseMergesText(merges)
	if err != nil {
		return nil, &fileError{"merges.txt", err}
	}
	if p.added, err = f.addedTokens(c, p.vocab, nil); err != nil {
		return nil, &fileError{"tokenizer_config.json", err}
	}
	p.trim = &trimmer{prefix: c.PrefixSpace} // transformers trims whatever the file says
	if !orTrue(c.TrimOffsets) {
		p.trim = nil
	}
	p.model = func([]string) (model, error) {
		b, err := newBPE(p.vocab, pairs, c.PrefixSpace)
		if err != nil {
			return nil, &fileError{"merges.txt", err}
		}
		return b, nil
	}
	return f.finish(p, c)
}

// parseMergesText reads merges.txt: a line that is no merge, then one merge a line, two
// tokens with a space between. What stands after the last line feed is no merge either: the
// reference leaves it out.
func parseMergesText(data []byte) ([][2]string, error) {
	if !utf8.Valid(data) {
		return nil, errors.New("it is not UTF-8")
	}
	lines := strings.Split(strings.ReplaceAll(string(data), "\r\n", "\n"), "\n")
	if len(lines) < 2 {
		return nil, errors.New("it has no line feed; it should have one merge a line after the first")
	}
	var merges [][2]string
	for i, line := range lines[1 : len(lines)-1] {
		halves := strings.Fields(line)
		if len(halves) != 2 {
			return nil, fmt.Errorf("line %d has %d tokens, it should have 2", i+2, len(halves))
		}
		merges = append(merges, [2]string(halves))
	}
	return merges, nil
}

// fileError is what is wrong with one of several files that are read together.
type fileError struct {
	name string
	err  error
}

func (e *fileError) Error() string { return e.name + ": " + e.err.Error() }
func (e *fileError) Unwrap() error { return e.err }

// finish builds the tokenizer of raw files with the family's templates.
func (f *family) finish(p blueprint, c config) (*Tokenizer, error) {
	t, err := build(p)
	if err != nil {
		return nil, err
	}
	cls, ok1 := t.ids[c.Cls.name(f.tokens.cls)]
	sep, ok2 := t.ids[c.Sep.name(f.tokens.sep)]
	if !ok1 || !ok2 {
		return nil, fmt.Errorf("the vocabulary has no %q or no %q, which stand around every text", c.Cls.name(f.tokens.cls), c.Sep.name(f.tokens.sep))
	}
	t.single, t.pair = f.templates(cls, sep)
	return t, nil
}
