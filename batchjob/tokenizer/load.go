package tokenizer

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Load reads the tokenizer of a checkpoint folder: tokenizer.json when it is there, else the
// raw files (vocab.txt; vocab.json and merges.txt; spiece.model; spm.model), with what
// tokenizer_config.json and special_tokens_map.json say beside them. Special tokens and
// padding that no file names are those of tokenizer_config.json's tokenizer_class or, without
// one, config.json's model_type. The error names the file. A kind of tokenizer that this
// version does not have is refused by name with ErrNotImplemented.
func Load(dir string) (*Tokenizer, error) {
	c, err := readConfig(dir)
	if err != nil {
		return nil, fmt.Errorf("load tokenizer: %w", err)
	}
	names, read, err := loader(dir, c)
	if err != nil {
		return nil, fmt.Errorf("load tokenizer: %w", err)
	}
	var data [][]byte
	for _, name := range names {
		d, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return nil, fmt.Errorf("load tokenizer: %w", err)
		}
		data = append(data, d)
	}
	t, err := read(data)
	if err == nil {
		if c.PaddingSide != "" {
			t.padLeft = c.PaddingSide == "left"
		}
		if c.TruncateSide != "" {
			t.keepEnd = c.TruncateSide == "left"
		}
		return t, nil
	}
	var f *fileError
	if errors.As(err, &f) {
		return nil, fmt.Errorf("load tokenizer: read %s: %w", filepath.Join(dir, f.name), f.err)
	}
	return nil, fmt.Errorf("load tokenizer: read %s: %w", filepath.Join(dir, names[0]), err)
}

// loader returns the files of a folder that are to be read and what makes a tokenizer of
// their contents.
func loader(dir string, c config) (names []string, read func(data [][]byte) (*Tokenizer, error), err error) {
	has := func(name string) bool {
		_, err := os.Stat(filepath.Join(dir, name))
		return err == nil
	}
	f := c.family()
	is := func(kind files) bool { return f == nil || f.files == kind }
	switch {
	case has("tokenizer.json"):
		return []string{"tokenizer.json"}, func(data [][]byte) (*Tokenizer, error) { return fromJSON(data[0], c) }, nil
	case is(vocabFiles) && has("vocab.txt"):
		return []string{"vocab.txt"}, func(data [][]byte) (*Tokenizer, error) { return fromVocab(data[0], c) }, nil
	case is(bpeFiles) && has("vocab.json") && has("merges.txt"):
		return []string{"vocab.json", "merges.txt"}, func(data [][]byte) (*Tokenizer, error) { return fromVocabJSON(data[0], data[1], c) }, nil
	case is(spmFiles) && has("spm.model"):
		return []string{"spm.model"}, func(data [][]byte) (*Tokenizer, error) { return fromSPModel(data[0], &debertaFamily, c) }, nil
	case f != nil && f.files == pieceFiles && has("spiece.model"):
		return []string{"spiece.model"}, func(data [][]byte) (*Tokenizer, error) { return fromSPModel(data[0], f, c) }, nil
	case f == nil && has("spiece.model"):
		return []string{"spiece.model"}, func(data [][]byte) (*Tokenizer, error) { return fromSPModel(data[0], nil, c) }, nil
	case f == nil:
		return nil, nil, fmt.Errorf("%s holds neither tokenizer.json nor vocab.txt, vocab.json with merges.txt, spiece.model or spm.model: %w", dir, fs.ErrNotExist)
	}
	return nil, nil, fmt.Errorf("%s holds neither tokenizer.json nor %s, which %s has: %w", dir, f.files, f.name, fs.ErrNotExist)
}

// config is what matters of tokenizer_config.json and special_tokens_map.json. A nil
// pointer or nil message is a key that no file has.
type config struct {
	LowerCase    *bool           `json:"do_lower_case"`
	StripAccents json.RawMessage `json:"strip_accents"` // null: as lower-casing
	ChineseChars *bool           `json:"tokenize_chinese_chars"`
	PaddingSide  string          `json:"padding_side"`
	TruncateSide string          `json:"truncation_side"`

	Class         string `json:"tokenizer_class"`
	ModelType     string `json:"-"` // config.json's
	PrefixSpace   bool   `json:"add_prefix_space"`
	TrimOffsets   *bool  `json:"trim_offsets"`
	KeepAccents   *bool  `json:"keep_accents"`
	ByPunctuation bool   `json:"split_by_punct"`

	Bos     *tokenName  `json:"bos_token"`
	Eos     *tokenName  `json:"eos_token"`
	Unknown *tokenName  `json:"unk_token"`
	Sep     *tokenName  `json:"sep_token"`
	Pad     *tokenName  `json:"pad_token"`
	Cls     *tokenName  `json:"cls_token"`
	Mask    *tokenName  `json:"mask_token"`
	Extra   []tokenName `json:"additional_special_tokens"`

	Added map[int32]addedToken `json:"added_tokens_decoder"`
}

// tokenName is a token written as a string or as an object with its content.
type tokenName struct {
	text  string
	flags *addedToken // nil for a string
}

// UnmarshalJSON reads both forms.
func (n *tokenName) UnmarshalJSON(data []byte) error {
	var s string
	if err := json.Unmarshal(data, &s); err == nil {
		*n = tokenName{text: s}
		return nil
	}
	var o struct {
		addedToken
		Content *string `json:"content"`
	}
	if err := json.Unmarshal(data, &o); err != nil || o.Content == nil {
		return errors.New("a special token is neither a string nor an object with content")
	}
	*n = tokenName{*o.Content, &o.addedToken}
	return nil
}

// readConfig reads both files of a folder and config.json; each may be missing. What both say
// is taken from tokenizer_config.json.
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
			return c, fmt.Errorf("read %s: %w", path, withPlace(err))
		}
	}
	path := filepath.Join(dir, "tokenizer_config.json")
	if s := c.PaddingSide; s != "" && s != "left" && s != "right" {
		return c, fmt.Errorf("read %s: padding_side is %q, allowed are left and right", path, s)
	}
	if s := c.TruncateSide; s != "" && s != "left" && s != "right" {
		return c, fmt.Errorf("read %s: truncation_side is %q, allowed are left and right", path, s)
	}
	return c, c.readModelType(dir)
}

// readModelType reads what config.json says of the tokenizer.
func (c *config) readModelType(dir string) error {
	path := filepath.Join(dir, "config.json")
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var m struct {
		Type  string `json:"model_type"`
		Class string `json:"tokenizer_class"`
	}
	if err := json.Unmarshal(data, &m); err != nil {
		return fmt.Errorf("read %s: %w", path, withPlace(err))
	}
	c.ModelType = m.Type
	if c.Class == "" {
		c.Class = m.Class
	}
	return nil
}

// name returns the token, or its usual name when no file has it.
func (n *tokenName) name(usual string) string {
	if n == nil || n.text == "" {
		return usual
	}
	return n.text
}

// special returns the names of the special tokens that c has.
func (c config) special() []string {
	var names []string
	for _, n := range []*tokenName{c.Bos, c.Eos, c.Unknown, c.Sep, c.Pad, c.Cls, c.Mask} {
		if name := n.name(""); name != "" {
			names = append(names, name)
		}
	}
	for _, n := range c.Extra {
		names = append(names, n.text)
	}
	return names
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
