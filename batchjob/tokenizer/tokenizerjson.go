package tokenizer

import (
	"encoding/json"
	"errors"
	"fmt"
)

// ErrNotImplemented means that the files describe a kind of tokenizer that this version
// does not have.
var ErrNotImplemented = errors.New("not implemented yet")

// file is tokenizer.json, the format of Hugging Face's fast tokenizers.
type file struct {
	AddedTokens   []addedToken    `json:"added_tokens"`
	Normalizer    *normalizerJSON `json:"normalizer"`
	PreTokenizer  *typed          `json:"pre_tokenizer"`
	PostProcessor *postProcessor  `json:"post_processor"`
	Model         struct {
		Type     string          `json:"type"`
		Unknown  *string         `json:"unk_token"`
		Prefix   *string         `json:"continuing_subword_prefix"`
		MaxChars *int            `json:"max_input_chars_per_word"`
		Vocab    json.RawMessage `json:"vocab"`
	} `json:"model"`
	Truncation *direction `json:"truncation"`
	Padding    *direction `json:"padding"`
}

type typed struct {
	Type string `json:"type"`
}

type direction struct {
	Direction string `json:"direction"`
}

type normalizerJSON struct {
	Type         string `json:"type"`
	CleanText    *bool  `json:"clean_text"`
	ChineseChars *bool  `json:"handle_chinese_chars"`
	StripAccents *bool  `json:"strip_accents"`
	Lowercase    *bool  `json:"lowercase"`
}

// fromJSON builds a WordPiece tokenizer from tokenizer.json.
func fromJSON(data []byte, c config) (*Tokenizer, error) {
	var f file
	if err := json.Unmarshal(data, &f); err != nil {
		return nil, fmt.Errorf("it is not a tokenizer's JSON: %w", err)
	}
	if err := f.check(); err != nil {
		return nil, err
	}
	var vocab map[string]int32
	if err := json.Unmarshal(f.Model.Vocab, &vocab); err != nil {
		return nil, errors.New("model.vocab is not an object of tokens and their ids")
	}
	s, err := c.apply(settings{
		clean: orTrue(f.Normalizer.CleanText), cjk: orTrue(f.Normalizer.ChineseChars),
		lower: orTrue(f.Normalizer.Lowercase), strip: f.Normalizer.StripAccents,
	})
	if err != nil {
		return nil, err
	}
	p := parts{vocab: vocab, settings: s, prefix: "##", maxChars: 100, unknown: "[UNK]", pad: c.Pad.name("[PAD]")}
	if f.Model.Prefix != nil {
		p.prefix = *f.Model.Prefix
	}
	if f.Model.MaxChars != nil {
		p.maxChars = *f.Model.MaxChars
	}
	if f.Model.Unknown != nil {
		p.unknown = *f.Model.Unknown
	}
	var special []string
	for _, n := range []*tokenName{c.Unknown, c.Sep, c.Pad, c.Cls, c.Mask} {
		special = append(special, n.name(""))
	}
	for _, n := range c.Extra {
		special = append(special, string(n))
	}
	p.added = c.withAdded(f.AddedTokens, vocab, special)
	t, err := build(p)
	if err != nil {
		return nil, err
	}
	t.single, t.pair, err = f.PostProcessor.templates(len(t.vocab))
	return t, err
}

// check refuses the parts that this version does not have, by name.
func (f *file) check() error {
	if f.Model.Type != "WordPiece" {
		return fmt.Errorf("model type %q is %w (implemented: WordPiece)", f.Model.Type, ErrNotImplemented)
	}
	if f.Normalizer == nil || f.Normalizer.Type != "BertNormalizer" {
		return fmt.Errorf("its normalizer is %w (implemented: BertNormalizer)", ErrNotImplemented)
	}
	if f.PreTokenizer == nil || f.PreTokenizer.Type != "BertPreTokenizer" {
		return fmt.Errorf("its pre_tokenizer is %w (implemented: BertPreTokenizer)", ErrNotImplemented)
	}
	for _, d := range []*direction{f.Truncation, f.Padding} {
		if d != nil && d.Direction != "" && d.Direction != "Right" {
			return fmt.Errorf("direction %q is %w (implemented: Right)", d.Direction, ErrNotImplemented)
		}
	}
	return nil
}

func orTrue(b *bool) bool { return b == nil || *b }
