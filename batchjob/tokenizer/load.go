package tokenizer

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Load reads the tokenizer of a checkpoint folder: tokenizer.json when it is there, else
// vocab.txt, with what tokenizer_config.json and special_tokens_map.json say beside them.
// A kind of tokenizer that is not WordPiece is refused by name.
func Load(dir string) (*Tokenizer, error) {
	c, err := readConfig(dir)
	if err != nil {
		return nil, fmt.Errorf("load tokenizer: %w", err)
	}
	path := filepath.Join(dir, "tokenizer.json")
	data, err := os.ReadFile(path)
	if err == nil {
		t, err := fromJSON(data, c)
		if err != nil {
			return nil, fmt.Errorf("load tokenizer: read %s: %w", path, err)
		}
		return t, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("load tokenizer: %w", err)
	}
	path = filepath.Join(dir, "vocab.txt")
	data, err = os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("load tokenizer: %s holds neither tokenizer.json nor vocab.txt: %w", dir, fs.ErrNotExist)
	}
	if err != nil {
		return nil, fmt.Errorf("load tokenizer: %w", err)
	}
	t, err := fromVocab(data, c)
	if err != nil {
		return nil, fmt.Errorf("load tokenizer: read %s: %w", path, err)
	}
	return t, nil
}

// config is what matters of tokenizer_config.json and special_tokens_map.json. A nil
// pointer or nil message is a key that no file has.
type config struct {
	LowerCase    *bool           `json:"do_lower_case"`
	StripAccents json.RawMessage `json:"strip_accents"` // null: as lower-casing
	ChineseChars *bool           `json:"tokenize_chinese_chars"`
	PaddingSide  string          `json:"padding_side"`
	TruncateSide string          `json:"truncation_side"`

	Unknown *tokenName  `json:"unk_token"`
	Sep     *tokenName  `json:"sep_token"`
	Pad     *tokenName  `json:"pad_token"`
	Cls     *tokenName  `json:"cls_token"`
	Mask    *tokenName  `json:"mask_token"`
	Extra   []tokenName `json:"additional_special_tokens"`

	Added map[int32]addedToken `json:"added_tokens_decoder"`
}

// tokenName is a token written as a string or as an object with its content.
type tokenName string

// UnmarshalJSON reads both forms.
func (n *tokenName) UnmarshalJSON(data []byte) error {
	var s string
	if err := json.Unmarshal(data, &s); err == nil {
		*n = tokenName(s)
		return nil
	}
	var o struct {
		Content *string `json:"content"`
	}
	if err := json.Unmarshal(data, &o); err != nil || o.Content == nil {
		return errors.New("a special token is neither a string nor an object with content")
	}
	*n = tokenName(*o.Content)
	return nil
}

// readConfig reads both files of a folder; either may be missing. What both say is taken
// from tokenizer_config.json.
func readConfig(dir string) (config, error) {
	var c config
	for _, name := range []string{"special_tokens_map.json", "tokenizer_config.json"} {
		path := filepath.Join(dir, name)
		data, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return c, err
		}
		if err := json.Unmarshal(data, &c); err != nil {
			return c, fmt.Errorf("read %s: %w", path, err)
		}
	}
	for _, s := range []struct{ key, side string }{{"padding_side", c.PaddingSide}, {"truncation_side", c.TruncateSide}} {
		if s.side != "" && s.side != "right" {
			return c, fmt.Errorf("read %s: %s is %q, implemented is right", filepath.Join(dir, "tokenizer_config.json"), s.key, s.side)
		}
	}
	return c, nil
}

// name returns the token, or its usual name when no file has it.
func (n *tokenName) name(usual string) string {
	if n == nil || *n == "" {
		return usual
	}
	return string(*n)
}

// settings are the normaliser's switches; strip nil means as lower.
type settings struct {
	clean, cjk, lower bool
	strip             *bool
}

// apply overrides the switches by what tokenizer_config.json says.
func (c config) apply(s settings) (settings, error) {
	if c.LowerCase != nil {
		s.lower = *c.LowerCase
	}
	if c.ChineseChars != nil {
		s.cjk = *c.ChineseChars
	}
	if len(c.StripAccents) > 0 {
		s.strip = nil
		if err := json.Unmarshal(c.StripAccents, &s.strip); err != nil {
			return s, errors.New("strip_accents in tokenizer_config.json is not true, false or null")
		}
	}
	return s, nil
}

func (s settings) normalizer() *normalizer {
	strip := s.lower
	if s.strip != nil {
		strip = *s.strip
	}
	return newNormalizer(s.clean, s.cjk, strip, s.lower)
}
