package tokenizer

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// ErrNotImplemented means that the files describe a kind of tokenizer that this version
// does not have.
var ErrNotImplemented = errors.New("not implemented yet")

// file is tokenizer.json, the format of Hugging Face's fast tokenizers.
type file struct {
	AddedTokens   []addedToken      `json:"added_tokens"`
	Normalizer    *normalizerJSON   `json:"normalizer"`
	PreTokenizer  *preTokenizerJSON `json:"pre_tokenizer"`
	PostProcessor *postProcessor    `json:"post_processor"`
	Model         modelJSON         `json:"model"`
	Truncation    *direction        `json:"truncation"`
}

type modelJSON struct {
	Type  string          `json:"type"` // missing in older files
	Vocab json.RawMessage `json:"vocab"`

	// WordPiece and BPE
	Unknown  *string `json:"unk_token"`
	Prefix   *string `json:"continuing_subword_prefix"`
	MaxChars *int    `json:"max_input_chars_per_word"`

	// BPE
	Merges  json.RawMessage `json:"merges"`
	Suffix  *string         `json:"end_of_word_suffix"`
	Dropout *float64        `json:"dropout"`
	Ignore  bool            `json:"ignore_merges"`

	// Unigram
	UnknownID    *int32 `json:"unk_id"`
	ByteFallback bool   `json:"byte_fallback"`
}

type direction struct {
	Direction string `json:"direction"`
}

// fromJSON builds a tokenizer from tokenizer.json.
func fromJSON(data []byte, c config) (*Tokenizer, error) {
	var f file
	if err := json.Unmarshal(data, &f); err != nil {
		return nil, fmt.Errorf("it is not a tokenizer's JSON: %w", withPlace(err))
	}
	cut := f.Truncation
	if cut != nil && cut.Direction != "" && cut.Direction != "Left" && cut.Direction != "Right" {
		return nil, fmt.Errorf("truncation.direction is %q, allowed are Left and Right", cut.Direction)
	}
	p := blueprint{pads: []string{c.Pad.name("")}}
	if fam := c.family(); fam != nil {
		p.pads = append(p.pads, fam.tokens.pad)
		p.padType, p.padLeft = fam.padType, fam.padLeft
	} else {
		p.pads = append(p.pads, "[PAD]", "<pad>")
	}
	var err error
	switch f.Model.kind() {
	case "WordPiece":
		err = f.wordPiece(&p, c)
	case "BPE":
		err = f.bpe(&p, c)
	case "Unigram":
		err = f.unigram(&p)
	default:
		err = fmt.Errorf("model type %q is %w (implemented: WordPiece, BPE, Unigram)", f.Model.kind(), ErrNotImplemented)
	}
	if err != nil {
		return nil, err
	}
	p.added = c.withAdded(f.AddedTokens, p.vocab, c.special())
	t, err := build(p)
	if err != nil {
		return nil, err
	}
	t.keepEnd = cut != nil && cut.Direction == "Left"
	t.single, t.pair, err = f.PostProcessor.templates(len(t.vocab))
	return t, err
}

// kind is the model's type, which older files leave to be seen from its fields.
func (m *modelJSON) kind() string {
	switch {
	case m.Type != "":
		return m.Type
	case len(m.Merges) > 0:
		return "BPE"
	case m.UnknownID != nil:
		return "Unigram"
	case m.MaxChars != nil:
		return "WordPiece"
	}
	return ""
}

// ids reads a vocabulary written as an object.
func (m *modelJSON) ids() (map[string]int32, error) {
	var vocab map[string]int32
	if err := json.Unmarshal(m.Vocab, &vocab); err != nil || vocab == nil {
		return nil, errors.New("model.vocab is not an object of tokens and their ids")
	}
	return vocab, nil
}

func (f *file) wordPiece(p *blueprint, c config) error {
	if f.Normalizer == nil || f.Normalizer.Type != "BertNormalizer" {
		return fmt.Errorf("its normalizer is %w for WordPiece (implemented: BertNormalizer)", ErrNotImplemented)
	}
	if f.PreTokenizer == nil || f.PreTokenizer.Type != "BertPreTokenizer" {
		return fmt.Errorf("its pre_tokenizer is %w for WordPiece (implemented: BertPreTokenizer)", ErrNotImplemented)
	}
	s, err := c.apply(settings{
		clean: orTrue(f.Normalizer.CleanText), cjk: orTrue(f.Normalizer.ChineseChars),
		lower: orTrue(f.Normalizer.Lowercase), strip: f.Normalizer.StripAccents,
	})
	if err != nil {
		return err
	}
	if p.vocab, err = f.Model.ids(); err != nil {
		return err
	}
	unknown, prefix, maxChars := "[UNK]", "##", 100
	if f.Model.Prefix != nil {
		prefix = *f.Model.Prefix
	}
	if f.Model.MaxChars != nil {
		maxChars = *f.Model.MaxChars
	}
	if f.Model.Unknown != nil {
		unknown = *f.Model.Unknown
	}
	p.model = wordPieceModel(p.vocab, s, unknown, prefix, maxChars)
	return nil
}

// bpe reads a byte-level BPE tokenizer. Two switches of tokenizer_config.json win over
// tokenizer.json's, as in transformers: add_prefix_space (false when it is missing) and, for
// RoBERTa's class, trim_offsets (true when it is missing).
func (f *file) bpe(p *blueprint, c config) error {
	m := f.Model
	empty := func(s *string) bool { return s == nil || *s == "" }
	switch pre := f.PreTokenizer; {
	case f.Normalizer != nil:
		return fmt.Errorf("its normalizer is %w for BPE (implemented: none)", ErrNotImplemented)
	case pre == nil || pre.Type != "ByteLevel" || !orTrue(pre.Regex):
		return fmt.Errorf("its pre_tokenizer is %w for BPE (implemented: ByteLevel with use_regex)", ErrNotImplemented)
	case !empty(m.Prefix) || !empty(m.Suffix) || m.Dropout != nil && *m.Dropout != 0 || m.Ignore:
		return fmt.Errorf("model: dropout, ignore_merges, a prefix and a suffix are %w for BPE", ErrNotImplemented)
	}
	var err error
	if p.vocab, err = m.ids(); err != nil {
		return err
	}
	merges, err := parseMerges(m.Merges)
	if err != nil {
		return err
	}
	prefix := c.PrefixSpace
	if post := f.PostProcessor; post != nil && post.Type == "RobertaProcessing" {
		t := trimmer{prefix: orTrue(post.Prefix)}
		trims := orTrue(post.Trim)
		if fam := c.family(); fam != nil && fam.files == bpeFiles {
			t.prefix, trims = prefix, orTrue(c.TrimOffsets)
		}
		if trims {
			p.trim = &t
		}
	}
	p.model = func([]string) (model, error) {
		b, err := newBPE(p.vocab, merges, prefix)
		if err != nil {
			return nil, fmt.Errorf("model: %w", err)
		}
		if !b.whole && m.Unknown != nil {
			return nil, fmt.Errorf("model: a vocabulary that lacks single bytes and has an unknown token is %w for BPE", ErrNotImplemented)
		}
		return b, nil
	}
	return nil
}

// parseMerges reads merges written as lists of two tokens or, in older files, as both with a
// space between them.
func parseMerges(data json.RawMessage) ([][2]string, error) {
	var lists [][]string
	if err := json.Unmarshal(data, &lists); err != nil {
		var lines []string
		if err := json.Unmarshal(data, &lines); err != nil {
			return nil, errors.New("model.merges is not a list of pairs of tokens")
		}
		lists = make([][]string, len(lines))
		for i, line := range lines {
			lists[i] = strings.Split(line, " ")
		}
	}
	merges := make([][2]string, len(lists))
	for i, list := range lists {
		if len(list) != 2 {
			return nil, fmt.Errorf("model.merges[%d] has %d tokens, it should have 2", i, len(list))
		}
		merges[i] = [2]string(list)
	}
	return merges, nil
}

func (f *file) unigram(p *blueprint) error {
	steps, err := f.Normalizer.steps("normalizer", 0)
	if err != nil {
		return err
	}
	s := unigramSettings{steps: steps}
	if s.prefix, s.apart, err = f.PreTokenizer.metaspace(); err != nil {
		return err
	}
	var list []scoredPiece
	if err := json.Unmarshal(f.Model.Vocab, &list); err != nil {
		return fmt.Errorf("model.vocab is not a list of pieces and their scores: %w", withPlace(err))
	}
	if f.Model.UnknownID == nil {
		return errors.New("model.unk_id is missing: the id of unknown text")
	}
	return p.unigram(list, *f.Model.UnknownID, f.Model.ByteFallback, s)
}

func orTrue(b *bool) bool { return b == nil || *b }

// withPlace adds to an error of encoding/json where in the file it is.
func withPlace(err error) error {
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return fmt.Errorf("at byte %d: %w", syntax.Offset, err)
	}
	var kind *json.UnmarshalTypeError
	if errors.As(err, &kind) {
		return fmt.Errorf("at byte %d: %w", kind.Offset, err)
	}
	return err
}
