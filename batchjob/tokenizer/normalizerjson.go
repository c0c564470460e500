package tokenizer

import (
	"encoding/base64"
	"fmt"
)

// normalizerJSON is a normalizer of tokenizer.json, of any kind that is implemented.
type normalizerJSON struct {
	Type string `json:"type"`

	// BertNormalizer
	CleanText    *bool `json:"clean_text"`
	ChineseChars *bool `json:"handle_chinese_chars"`
	StripAccents *bool `json:"strip_accents"`
	Lowercase    *bool `json:"lowercase"`

	// Sequence, Replace, Precompiled, Strip
	Normalizers []normalizerJSON `json:"normalizers"`
	Pattern     *patternJSON     `json:"pattern"`
	Content     string           `json:"content"`
	Charsmap    string           `json:"precompiled_charsmap"`
	Left        *bool            `json:"strip_left"`
	Right       *bool            `json:"strip_right"`
}

type patternJSON struct {
	String *string `json:"String"`
	Regex  *string `json:"Regex"`
}

// spacesPattern is the one regular expression that the families' normalisers have.
const spacesPattern = " {2,}"

// maxNesting bounds how deep sequences of normalizers may stand in each other.
const maxNesting = 8

// steps returns the normalisation of a Unigram tokenizer. place names n in errors.
func (n *normalizerJSON) steps(place string, depth int) (stepper, error) {
	switch {
	case n == nil:
		return nil, nil
	case n.Type == "Sequence" && depth < maxNesting:
		var s stepper
		for i := 0; i < len(n.Normalizers); i++ {
			at := fmt.Sprintf("%s.normalizers[%d]", place, i)
			if n.Normalizers[i].Type == "NFKD" {
				// The two are one step here: alone, either would need canonical order.
				if i++; i == len(n.Normalizers) || n.Normalizers[i].Type != "StripAccents" {
					return nil, fmt.Errorf("%s: NFKD is %w without StripAccents after it", at, ErrNotImplemented)
				}
				s = append(s, decomposeStep{})
				continue
			}
			inner, err := n.Normalizers[i].steps(at, depth+1)
			if err != nil {
				return nil, err
			}
			s = append(s, inner...)
		}
		return s, nil
	case n.Type == "Lowercase":
		return stepper{lowerStep{}}, nil
	case n.Type == "Strip":
		return stepper{stripStep{orTrue(n.Left), orTrue(n.Right)}}, nil
	case n.Type == "Replace":
		return n.replace(place)
	case n.Type == "Precompiled":
		if n.Charsmap == "" {
			return nil, fmt.Errorf("%s.precompiled_charsmap is missing", place)
		}
		data, err := base64.StdEncoding.DecodeString(n.Charsmap)
		if err != nil {
			return nil, fmt.Errorf("%s.precompiled_charsmap is not base64: %w", place, err)
		}
		m, err := parseCharsmap(data)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", place, err)
		}
		return stepper{m}, nil
	}
	return nil, fmt.Errorf("%s: type %q is %w (implemented: Sequence, Replace, NFKD with StripAccents, Lowercase, Strip, Precompiled)", place, n.Type, ErrNotImplemented)
}

func (n *normalizerJSON) replace(place string) (stepper, error) {
	switch p := n.Pattern; {
	case p != nil && p.String != nil && *p.String != "":
		return stepper{replaceStep{[]byte(*p.String), []byte(n.Content)}}, nil
	case p != nil && p.Regex != nil && *p.Regex == spacesPattern && n.Content == " ":
		return stepper{collapseStep{}}, nil
	}
	return nil, fmt.Errorf("%s: this Replace is %w (implemented: a String by any content, the Regex %q by a space)", place, ErrNotImplemented, spacesPattern)
}

// preTokenizerJSON is a pre_tokenizer of tokenizer.json.
type preTokenizerJSON struct {
	Type string `json:"type"`

	PreTokenizers []preTokenizerJSON `json:"pretokenizers"` // of Sequence
	Replacement   string             `json:"replacement"`   // of Metaspace, as the next two
	Scheme        *string            `json:"prepend_scheme"`
	Split         *bool              `json:"split"`
	Prefix        *bool              `json:"add_prefix_space"` // of ByteLevel, and of Metaspace in older files
	Regex         *bool              `json:"use_regex"`        // of ByteLevel
}

// metaspace reads the pre-tokenizer of a Unigram tokenizer: Metaspace, or a sequence of it
// that WhitespaceSplit may begin.
func (p *preTokenizerJSON) metaspace() (prefix, apart bool, err error) {
	if p != nil && p.Type == "Sequence" {
		list := p.PreTokenizers
		if apart = len(list) == 2 && list[0].Type == "WhitespaceSplit"; apart {
			list = list[1:]
		}
		if len(list) == 1 {
			p = &list[0]
		}
	}
	if p == nil || p.Type != "Metaspace" {
		return false, false, fmt.Errorf("its pre_tokenizer is %w for Unigram (implemented: Metaspace, alone or after WhitespaceSplit)", ErrNotImplemented)
	}
	if p.Replacement != spaceMark || !orTrue(p.Split) {
		return false, false, fmt.Errorf("pre_tokenizer: Metaspace without split or with replacement %q is %w (implemented: split, %q)", p.Replacement, ErrNotImplemented, spaceMark)
	}
	switch {
	case p.Scheme == nil:
		return orTrue(p.Prefix), apart, nil
	case *p.Scheme == "always", *p.Scheme == "never":
		return *p.Scheme == "always", apart, nil
	}
	return false, false, fmt.Errorf("pre_tokenizer: prepend_scheme %q is %w (implemented: always, never)", *p.Scheme, ErrNotImplemented)
}
