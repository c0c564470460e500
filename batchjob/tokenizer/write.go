package tokenizer

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"github.com/supermax-hpo/supermax/shared/wholefile"
)

// VocabOptions says what stands beside a vocabulary.
type VocabOptions struct {
	Cased     bool // as it was trained
	MaxLength int  // the longest input in tokens, the model's positions; 0: left out
}

// WriteVocab writes vocab.txt, tokenizer_config.json and special_tokens_map.json into the
// folder dir, which must be there, for Load and for Hugging Face's BertTokenizer. Each
// file is written whole or not at all.
func WriteVocab(dir string, vocab []string, o VocabOptions) error {
	seen := make(map[string]bool, len(vocab))
	var list bytes.Buffer
	for i, token := range vocab {
		if token == "" || seen[token] || !utf8.ValidString(token) || strings.ContainsAny(token, "\r\n") {
			return fmt.Errorf("write vocabulary: entry %d is empty, a duplicate or no line of UTF-8", i)
		}
		seen[token] = true
		list.WriteString(token + "\n")
	}
	for _, token := range SpecialTokens() {
		if !seen[token] {
			return fmt.Errorf("write vocabulary: it has no %s", token)
		}
	}
	special := map[string]any{
		"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]", "mask_token": "[MASK]",
	}
	config := map[string]any{
		"tokenizer_class": "BertTokenizer", "do_lower_case": !o.Cased, "do_basic_tokenize": true,
		"tokenize_chinese_chars": true, "strip_accents": nil,
	}
	for key, token := range special {
		config[key] = token
	}
	if o.MaxLength > 0 {
		config["model_max_length"] = o.MaxLength
	}
	for _, f := range []struct {
		name string
		data any
	}{{"special_tokens_map.json", special}, {"tokenizer_config.json", config}, {"vocab.txt", list.Bytes()}} {
		data, ok := f.data.([]byte)
		if !ok {
			var err error
			if data, err = json.MarshalIndent(f.data, "", "  "); err != nil {
				return fmt.Errorf("write vocabulary: %w", err)
			}
			data = append(data, '\n')
		}
		if err := wholefile.Write(filepath.Join(dir, f.name), data, 0o644); err != nil {
			return fmt.Errorf("write vocabulary: %w", err)
		}
	}
	return nil
}
