// Package tokenizer turns text into the token ids that a backbone was trained on. It
// gives what Hugging Face's fast tokenizers give, id for id and offset for offset, in pure
// Go: WordPiece with BERT's normalisation, byte-level BPE as RoBERTa has it, and Unigram with
// SentencePiece's normaliser as ALBERT, XLNet and DeBERTa-v3 have it.
package tokenizer

import (
	"fmt"
	"sync"
	"unicode/utf8"
)

// Tokenizer is immutable and safe for concurrent use.
type Tokenizer struct {
	vocab  []string // by id; "" where there is none
	ids    map[string]int32
	model  model
	raw    *matcher // added tokens matched in the text itself
	cooked *matcher // added tokens matched in the normalised text; nil when there is none
	trim   *trimmer // takes spaces out of places; nil when they stay
	single template
	pair   template

	pad     int32 // -1 when there is no padding token
	padType int32
	padLeft bool // padding stands before the text unless asked otherwise
	keepEnd bool // a text that is too long loses its beginning, not its end

	scratch sync.Pool // *scratch
}

// Encoding is a text, or two, as a model reads it. All slices have the same length.
type Encoding struct {
	IDs     []int32
	TypeIDs []int32  // 0 in the first text's part, 1 in the second's; 0 everywhere for RoBERTa, 2 at XLNet's last token and 3 for its padding
	Mask    []int32  // 1, and 0 for padding
	Offsets [][2]int // in code points of the text that the token comes from, end exclusive; {0, 0} for special tokens
	Tokens  []string // as the vocabulary writes them
}

// Input is one text, or two when B is not empty: an empty second text is no second text,
// as in the reference.
type Input struct {
	A, B string
}

// Options says how long an encoding may be. The zero value neither truncates nor pads.
type Options struct {
	MaxLength  int      // in tokens with the special ones; 0: no limit
	Truncation Strategy // what goes when an input is longer
	Pad        bool     // fill up to MaxLength
	Side       Side     // where padding stands
	IDsOnly    bool     // leave Offsets and Tokens nil, which training does not need
}

// Side is an end of an encoding.
type Side uint8

// The sides. The checkpoint's own is left for XLNet and right for the others, unless its
// files say otherwise.
const (
	OwnSide Side = iota
	Left
	Right
)

// scratch is the working memory of one call.
type scratch struct {
	text  normalized
	parts []match
	inner []match
	a, b  pieces
}

// Encode encodes one text of any length with its special tokens.
func (t *Tokenizer) Encode(text string) Encoding {
	s := t.take()
	defer t.scratch.Put(s)
	t.cut(&s.a, s, text, false)
	return t.assemble(&s.a, nil, len(s.a.ids), 0, Options{})
}

// EncodeInput encodes one input. The error is ErrTooShort when the text that the strategy
// names cannot lose enough, and holds none of the text.
func (t *Tokenizer) EncodeInput(in Input, o Options) (Encoding, error) {
	if err := t.check(o); err != nil {
		return Encoding{}, err
	}
	s := t.take()
	defer t.scratch.Put(s)
	t.cut(&s.a, s, in.A, o.IDsOnly)
	if in.B == "" {
		return t.fit(&s.a, nil, o)
	}
	t.cut(&s.b, s, in.B, o.IDsOnly)
	return t.fit(&s.a, &s.b, o)
}

// VocabSize is the number of ids: one more than the largest.
func (t *Tokenizer) VocabSize() int { return len(t.vocab) }

func (t *Tokenizer) take() *scratch {
	if s, ok := t.scratch.Get().(*scratch); ok {
		return s
	}
	return &scratch{}
}

// check reports options that no input can be encoded with.
func (t *Tokenizer) check(o Options) error {
	switch {
	case o.MaxLength < 0:
		return fmt.Errorf("encode: maximum length %d is below 0", o.MaxLength)
	case o.Truncation > OnlySecond:
		return fmt.Errorf("encode: %v is not known", o.Truncation)
	case o.Side > Right:
		return fmt.Errorf("encode: padding side %d is not known", o.Side)
	case o.Pad && o.MaxLength == 0:
		return fmt.Errorf("encode: padding needs a maximum length")
	case o.Pad && t.pad < 0:
		return fmt.Errorf("encode: this tokenizer has no padding token")
	}
	return nil
}

// cut fills out with the pieces of text, or with their ids alone.
func (t *Tokenizer) cut(out *pieces, s *scratch, text string, idsOnly bool) {
	out.reset(idsOnly)
	at := int32(0)
	s.parts = t.raw.split(s.parts[:0], text)
	for _, p := range s.parts {
		part := text[p.from:p.to]
		if p.token != nil {
			end := at + int32(utf8.RuneCountInString(part))
			t.addToken(out, p.token, part, at, end)
			at = end
			continue
		}
		at = t.model.normalize(&s.text, part, at)
		if len(s.text.text) == 0 {
			continue
		}
		if t.cooked == nil || !t.cooked.mayMatch(s.text.text) {
			t.model.cut(out, &s.text, 0, len(s.text.text))
			continue
		}
		cooked := string(s.text.text)
		s.inner = t.cooked.split(s.inner[:0], cooked)
		for _, p := range s.inner {
			if p.token != nil {
				t.addToken(out, p.token, cooked[p.from:p.to], s.text.align[p.from], s.text.align[p.to-1]+1)
				continue
			}
			t.model.cut(out, &s.text, p.from, p.to)
		}
	}
}

// addToken adds an added token that took text, with the spaces that it swallowed.
func (t *Tokenizer) addToken(out *pieces, a *addedToken, text string, from, to int32) {
	out.add(a.ID, from, to)
	if last := len(out.ids) - 1; t.trim != nil && !out.idsOnly {
		out.offsets[last] = edgesOf(text).trim(out.offsets[last], t.trim.prefix, last == 0)
	}
}

// fit truncates and assembles.
func (t *Tokenizer) fit(a, b *pieces, o Options) (Encoding, error) {
	n1, n2 := len(a.ids), 0
	if b != nil {
		n2 = len(b.ids)
	}
	if o.MaxLength > 0 {
		tmpl := t.single
		if b != nil {
			tmpl = t.pair
		}
		room := o.MaxLength - tmpl.specials()
		if room < 0 || o.MaxLength <= t.single.specials() {
			return Encoding{}, fmt.Errorf("encode: maximum length %d leaves no room beside %d special tokens", o.MaxLength, tmpl.specials())
		}
		var err error
		if n1, n2, err = truncated(n1, n2, b != nil, room, o.Truncation); err != nil {
			return Encoding{}, fmt.Errorf("encode to %d tokens by %v: %w", o.MaxLength, o.Truncation, err)
		}
	}
	return t.assemble(a, b, n1, n2, o), nil
}

// assemble puts n1 pieces of a, and n2 of b when it is there, into their template.
func (t *Tokenizer) assemble(a, b *pieces, n1, n2 int, o Options) Encoding {
	tmpl := t.single
	if b != nil {
		tmpl = t.pair
	}
	n := n1 + n2 + tmpl.specials()
	size := n
	if o.Pad {
		size = max(n, o.MaxLength)
	}
	ints := make([]int32, 3*size)
	e := Encoding{IDs: ints[:size:size], TypeIDs: ints[size : 2*size : 2*size], Mask: ints[2*size:]}
	if !o.IDsOnly {
		e.Offsets = make([][2]int, size)
		e.Tokens = make([]string, size)
	}
	at, left := 0, t.padLeft
	if o.Side != OwnSide {
		left = o.Side == Left
	}
	if left {
		t.padding(e, 0, size-n, o)
		at = size - n
	}
	for _, p := range tmpl {
		from := at
		switch p.sequence {
		case 0:
			at += t.place(e, at, a, n1, o)
		case 1:
			at += t.place(e, at, b, n2, o)
		default:
			at += copy(e.IDs[at:], p.ids)
		}
		for i := from; i < at; i++ {
			e.TypeIDs[i] = p.typeID
			e.Mask[i] = 1
		}
		if p.sequence < 0 && !o.IDsOnly {
			for i, id := range p.ids {
				e.Tokens[from+i] = t.vocab[id]
			}
		}
	}
	t.padding(e, at, size, o)
	return e
}

// padding fills e from position from to position to.
func (t *Tokenizer) padding(e Encoding, from, to int, o Options) {
	for i := from; i < to; i++ {
		e.IDs[i], e.TypeIDs[i] = t.pad, t.padType
		if !o.IDsOnly {
			e.Tokens[i] = t.vocab[t.pad]
		}
	}
}

// place copies n pieces of p to e at position at: the first, or the last where the beginning
// is what a text loses.
func (t *Tokenizer) place(e Encoding, at int, p *pieces, n int, o Options) int {
	from := 0
	if t.keepEnd {
		from = len(p.ids) - n
	}
	copy(e.IDs[at:], p.ids[from:from+n])
	if o.IDsOnly {
		return n
	}
	copy(e.Offsets[at:], p.offsets[from:from+n])
	for i, id := range p.ids[from : from+n] {
		e.Tokens[at+i] = t.vocab[id]
	}
	return n
}
