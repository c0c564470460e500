package tokenizer

import (
	"fmt"
	"strings"
)

// family is what transformers' tokenizer class says of a checkpoint whose files do not.
type family struct {
	name       string // as errors have it
	files      files
	tokens     specialNames
	maskStrip  bool // the mask takes the white space before it
	maskNormal bool // the mask is matched in normalised text
	normal     bool // the other special tokens are matched in normalised text
	padLeft    bool
	padType    int32
	lower      bool // unless do_lower_case says otherwise
	templates  func(cls, sep int32) (single, pair template)
}

// files is what a vocabulary is read from.
type files uint8

const (
	vocabFiles files = iota // vocab.txt
	bpeFiles                // vocab.json and merges.txt
	pieceFiles              // spiece.model
	spmFiles                // spm.model
)

func (f files) String() string {
	return [...]string{"vocab.txt", "vocab.json with merges.txt", "spiece.model", "spm.model"}[f]
}

// specialNames are the usual names of the special tokens.
type specialNames struct{ bos, eos, unk, sep, pad, cls, mask string }

var (
	bertNames = specialNames{unk: "[UNK]", sep: "[SEP]", pad: "[PAD]", cls: "[CLS]", mask: "[MASK]"}

	bertFamily    = family{name: "BERT", files: vocabFiles, tokens: bertNames, lower: true, templates: bertTemplates}
	robertaFamily = family{
		name: "RoBERTa", files: bpeFiles, maskStrip: true, normal: true, templates: robertaTemplates,
		tokens: specialNames{bos: "<s>", eos: "</s>", unk: "<unk>", sep: "</s>", pad: "<pad>", cls: "<s>", mask: "<mask>"},
	}
	albertFamily = family{
		name: "ALBERT", files: pieceFiles, maskStrip: true, lower: true, templates: bertTemplates,
		tokens: specialNames{bos: "[CLS]", eos: "[SEP]", unk: "<unk>", sep: "[SEP]", pad: "<pad>", cls: "[CLS]", mask: "[MASK]"},
	}
	xlnetFamily = family{
		name: "XLNet", files: pieceFiles, maskStrip: true, maskNormal: true, padLeft: true, padType: 3, templates: xlnetTemplates,
		tokens: specialNames{bos: "<s>", eos: "</s>", unk: "<unk>", sep: "<sep>", pad: "<pad>", cls: "<cls>", mask: "<mask>"},
	}
	debertaFamily = family{
		name: "DeBERTa-v2", files: spmFiles, templates: bertTemplates,
		tokens: specialNames{bos: "[CLS]", eos: "[SEP]", unk: "[UNK]", sep: "[SEP]", pad: "[PAD]", cls: "[CLS]", mask: "[MASK]"},
	}
)

// familyOf returns the family of a tokenizer class or model type, nil when it is another.
func familyOf(name string) *family {
	switch strings.ToLower(strings.TrimSuffix(strings.TrimSuffix(name, "Fast"), "Tokenizer")) {
	case "bert", "electra", "distilbert", "convbert":
		return &bertFamily
	case "roberta":
		return &robertaFamily
	case "albert":
		return &albertFamily
	case "xlnet":
		return &xlnetFamily
	case "deberta-v2", "debertav2":
		return &debertaFamily
	}
	return nil
}

// family returns the family that the tokenizer class names, or else the model type; nil when
// they name another or none.
func (c config) family() *family {
	if c.Class != "" {
		return familyOf(c.Class)
	}
	return familyOf(c.ModelType)
}

// specialTokens returns the family's special tokens as c has them, in the order in which
// those that the vocabulary lacks get ids.
func (f *family) specialTokens(c config) []addedToken {
	var tokens []addedToken
	put := func(n *tokenName, usual string, strip, normalized bool) {
		if name := n.name(usual); name != "" {
			a := addedToken{Content: name, Special: true, LStrip: strip, Normalized: normalized}
			if n != nil && n.flags != nil {
				a.LStrip, a.RStrip, a.SingleWord, a.Normalized = n.flags.LStrip, n.flags.RStrip, n.flags.SingleWord, n.flags.Normalized
			}
			tokens = append(tokens, a)
		}
	}
	plain := func(n *tokenName, usual string) { put(n, usual, false, f.normal) }
	plain(c.Bos, f.tokens.bos)
	plain(c.Eos, f.tokens.eos)
	put(c.Unknown, f.tokens.unk, false, f.normal || f.files == spmFiles)
	plain(c.Sep, f.tokens.sep)
	plain(c.Pad, f.tokens.pad)
	plain(c.Cls, f.tokens.cls)
	put(c.Mask, f.tokens.mask, f.maskStrip, f.maskNormal)
	for i := range c.Extra {
		plain(&c.Extra[i], "")
	}
	if f.padLeft && c.Extra == nil { // XLNet's
		plain(nil, "<eop>")
		plain(nil, "<eod>")
	}
	return tokens
}

// addedTokens merges what is known of the added tokens of raw files: inner, those of the
// vocabulary file itself, by their ids; then the special tokens; then those that
// added_tokens_decoder lists. The last that says something of a token counts. Special tokens
// that the vocabulary lacks are put after it.
func (f *family) addedTokens(c config, vocab map[string]int32, inner []addedToken) ([]addedToken, error) {
	byName := map[string]int{}
	var added []addedToken
	next := int32(0)
	for _, id := range vocab {
		next = max(next, id+1)
	}
	put := func(a addedToken) {
		if i, ok := byName[a.Content]; ok {
			added[i] = a
			return
		}
		byName[a.Content] = len(added)
		added = append(added, a)
	}
	for _, a := range inner {
		put(a)
	}
	listed := map[string]int32{}
	for id, a := range c.Added {
		listed[a.Content] = id
		next = max(next, id+1)
	}
	for _, a := range f.specialTokens(c) {
		id, ok := vocab[a.Content]
		if !ok {
			id, ok = listed[a.Content]
		}
		if i, known := byName[a.Content]; known && !ok {
			id, ok = added[i].ID, true
		}
		if !ok {
			id, next = next, next+1
		}
		a.ID = id
		put(a)
	}
	for id, a := range c.Added {
		if id < 0 || id >= maxID {
			return nil, fmt.Errorf("added_tokens_decoder has id %d, allowed is 0 to %d", id, maxID-1)
		}
		a.ID = id
		put(a)
	}
	return added, nil
}
