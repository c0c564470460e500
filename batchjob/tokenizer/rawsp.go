package tokenizer

import (
	"errors"
	"fmt"
	"unicode"
	"unicode/utf8"
)

// fromSPModel builds an ALBERT, XLNet or DeBERTa-v2/v3 tokenizer from a SentencePiece model,
// as transformers converts it to a fast tokenizer. The file's own settings (byte fallback,
// dummy prefix, extra white space) do not count there, and so they do not here. Without f, the
// pieces must tell ALBERT and XLNet apart.
func fromSPModel(data []byte, f *family, c config) (*Tokenizer, error) {
	m, err := parseSPModel(data)
	if err != nil {
		return nil, err
	}
	if f == nil {
		if f, err = m.family(); err != nil {
			return nil, err
		}
	}
	s := unigramSettings{prefix: true}
	if s.steps, err = f.steps(m, c); err != nil {
		return nil, err
	}
	list := make([]scoredPiece, len(m.pieces))
	var inner []addedToken
	for id, p := range m.pieces {
		list[id] = p.scoredPiece
		if f.files == pieceFiles && endsInNumberComma(p.piece) {
			list[id].score -= numberCommaPenalty
		}
		if p.kind == spControl || p.kind == spUserDefined {
			inner = append(inner, addedToken{ID: int32(id), Content: p.piece, Special: p.kind == spControl})
		}
	}
	p := blueprint{pads: []string{c.Pad.name(f.tokens.pad)}, padLeft: f.padLeft, padType: f.padType}
	if err := p.unigram(list, m.unknown, false, s); err != nil {
		return nil, err
	}
	if p.added, err = f.addedTokens(c, p.vocab, inner); err != nil {
		return nil, fmt.Errorf("with tokenizer_config.json: %w", err)
	}
	return f.finish(p, c)
}

// family returns the family whose special tokens are pieces.
func (m *spModel) family() (*family, error) {
	has := map[string]bool{}
	for _, p := range m.pieces {
		has[p.piece] = true
	}
	is := func(f *family) bool { return has[f.tokens.cls] && has[f.tokens.sep] }
	switch albert, xlnet := is(&albertFamily), is(&xlnetFamily); {
	case albert && !xlnet:
		return &albertFamily, nil
	case xlnet && !albert:
		return &xlnetFamily, nil
	}
	return nil, errors.New("it may be ALBERT's or XLNet's: tokenizer_class in tokenizer_config.json or model_type in config.json must say which")
}

// steps returns the family's normalisation.
func (f *family) steps(m *spModel, c config) (stepper, error) {
	var charsmap stepper
	if len(m.charsmap) > 0 {
		parsed, err := parseCharsmap(m.charsmap)
		if err != nil {
			return nil, fmt.Errorf("normalizer_spec: %w", err)
		}
		charsmap = stepper{parsed}
	}
	lower := f.lower
	if c.LowerCase != nil {
		lower = *c.LowerCase
	}
	var s stepper
	if f.files == pieceFiles {
		for _, quotes := range []string{"``", "''"} {
			s = append(s, replaceStep{[]byte(quotes), []byte(`"`)})
		}
		if c.KeepAccents == nil || !*c.KeepAccents {
			s = append(s, decomposeStep{})
		}
	}
	if lower {
		s = append(s, lowerStep{})
	}
	if f.files == spmFiles {
		if c.ByPunctuation {
			return nil, fmt.Errorf("split_by_punct in tokenizer_config.json is %w", ErrNotImplemented)
		}
		s = append(s, stripStep{true, true})
	}
	return append(append(s, charsmap...), collapseStep{}), nil
}

// numberCommaPenalty is taken from the scores of ALBERT's and XLNet's pieces that end in a
// digit and a comma, which all but forbids them.
const numberCommaPenalty = 100

func endsInNumberComma(piece string) bool {
	if len(piece) < 2 || piece[len(piece)-1] != ',' {
		return false
	}
	r, _ := utf8.DecodeLastRuneInString(piece[:len(piece)-1])
	return unicode.IsDigit(r) || isDigitNotDecimal(r)
}

// isDigitNotDecimal reports characters such as ² that Python counts as digits though they are
// not decimal.
func isDigitNotDecimal(r rune) bool {
	switch {
	case r == 0xb2, r == 0xb3, r == 0xb9, 0x1369 <= r && r <= 0x1371, r == 0x19da, r == 0x2070, 0x2074 <= r && r <= 0x2079,
		0x2080 <= r && r <= 0x2089, 0x2460 <= r && r <= 0x2468, 0x2474 <= r && r <= 0x247c, 0x2488 <= r && r <= 0x2490,
		r == 0x24ea, 0x24f5 <= r && r <= 0x24fd, r == 0x24ff, 0x2776 <= r && r <= 0x277e, 0x2780 <= r && r <= 0x2788,
		0x278a <= r && r <= 0x2792, 0x10a40 <= r && r <= 0x10a43, 0x10e60 <= r && r <= 0x10e68, 0x11052 <= r && r <= 0x1105a,
		0x1f100 <= r && r <= 0x1f10a:
		return true
	}
	return false
}
