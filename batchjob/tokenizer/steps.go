package tokenizer

import (
	"bytes"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// step is one part of a SentencePiece family's normalisation. It changes text and origins in
// place, and is safe for concurrent use on different texts.
type step interface {
	apply(n *normalized)
}

// stepper is the normalisation of the SentencePiece families: steps one after the other.
type stepper []step

// normalize fills out as [normalizer.normalize] does.
func (s stepper) normalize(out *normalized, text string, first int32) int32 {
	end := out.load(text, first)
	for _, step := range s {
		step.apply(out)
	}
	return end
}

// load fills n with s as it is, whose first character is code point first of the text, and
// returns the code point after it. A byte that is not UTF-8 becomes U+FFFD.
func (n *normalized) load(s string, first int32) int32 {
	n.text, n.align = n.text[:0], n.align[:0]
	at := first
	for i := 0; i < len(s); at++ {
		if c := s[i]; c < utf8.RuneSelf {
			n.text = append(n.text, c)
			n.align = append(n.align, at)
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		n.put(r, at)
		i += size
	}
	return at
}

// isASCII reports whether text has ASCII characters only.
func isASCII(text []byte) bool {
	for _, c := range text {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// swap makes the spare buffers those of the text.
func (n *normalized) swap(text []byte, align []int32) {
	n.text, n.spareText = text, n.text
	n.align, n.spareAlign = align, n.align
}

// replaceStep puts new in the place of old. All of new has the origin of old's last
// character.
type replaceStep struct{ old, new []byte }

func (s replaceStep) apply(n *normalized) {
	at := bytes.Index(n.text, s.old)
	if at < 0 {
		return
	}
	text, align := n.spareText[:0], n.spareAlign[:0]
	done := 0
	for at >= 0 {
		at += done
		text = append(append(text, n.text[done:at]...), s.new...)
		align = append(align, n.align[done:at]...)
		done = at + len(s.old)
		for range s.new {
			align = append(align, n.align[done-1])
		}
		at = bytes.Index(n.text[done:], s.old)
	}
	n.swap(append(text, n.text[done:]...), append(align, n.align[done:]...))
}

// collapseStep makes one space of several, the last.
type collapseStep struct{}

func (collapseStep) apply(n *normalized) {
	at := bytes.Index(n.text, []byte("  "))
	if at < 0 {
		return
	}
	to := at
	for i := at; i < len(n.text); i++ {
		if n.text[i] == ' ' && i+1 < len(n.text) && n.text[i+1] == ' ' {
			continue
		}
		n.text[to], n.align[to] = n.text[i], n.align[i]
		to++
	}
	n.text, n.align = n.text[:to], n.align[:to]
}

// stripStep takes white space from the ends.
type stripStep struct{ left, right bool }

func (s stripStep) apply(n *normalized) {
	if s.right {
		n.text = bytes.TrimRightFunc(n.text, unicode.IsSpace)
		n.align = n.align[:len(n.text)]
	}
	if !s.left {
		return
	}
	if gone := len(n.text) - len(bytes.TrimLeftFunc(n.text, unicode.IsSpace)); gone > 0 {
		n.text = n.text[:copy(n.text, n.text[gone:])]
		n.align = n.align[:copy(n.align, n.align[gone:])]
	}
}

// lowerStep lower-cases one character at a time.
type lowerStep struct{}

func (lowerStep) apply(n *normalized) {
	if isASCII(n.text) {
		for i, c := range n.text {
			if 'A' <= c && c <= 'Z' {
				n.text[i] = c + 'a' - 'A'
			}
		}
		return
	}
	n.mapRunes(appendLower)
}

// decomposeStep decomposes by compatibility (NFKD of Unicode 9.0) and takes out the
// combining marks. Canonical order need not be made, as all that it sorts goes.
type decomposeStep struct{}

func (decomposeStep) apply(n *normalized) {
	if !isASCII(n.text) {
		n.mapRunes(appendUnmarked)
	}
}

// appendUnmarked appends the compatibility decomposition of r but for combining marks.
func appendUnmarked(dst []rune, r rune) []rune {
	if r < 0xa0 {
		return append(dst, r)
	}
	before := len(dst)
	if 0xac00 <= r && r <= 0xd7a3 {
		dst = appendNFD(dst, r)
	} else if dst = append(dst, r); !decomposesSince10(r) && !compatibleSince10(r) {
		var b [utf8.UTFMax]byte
		if d := norm.NFKD.Properties(b[:utf8.EncodeRune(b[:], r)]).Decomposition(); d != nil {
			dst = dst[:before]
			for _, c := range string(d) {
				dst = append(dst, c)
			}
		}
	}
	kept := dst[:before]
	for _, c := range dst[before:] {
		if c < 0x300 || !in(combiningMarks, c) {
			kept = append(kept, c)
		}
	}
	return kept
}

// compatibleSince10 reports the characters with a compatibility decomposition that came
// after Unicode 9.0: the reference leaves them whole.
func compatibleSince10(r rune) bool {
	switch {
	case r < 0x32ff:
		return false
	case r == 0x32ff, 0xa7f1 <= r && r <= 0xa7f4, r == 0xab69, 0x10781 <= r && r <= 0x107ba,
		0x1ccd6 <= r && r <= 0x1ccf9, 0x1e030 <= r && r <= 0x1e06d, r == 0x1f16c, 0x1fbf0 <= r && r <= 0x1fbf9:
		return true
	}
	return false
}

// mapRunes replaces every character by what become appends for it.
func (n *normalized) mapRunes(become func(dst []rune, r rune) []rune) {
	text, align := n.spareText[:0], n.spareAlign[:0]
	for i := 0; i < len(n.text); {
		r, size := utf8.DecodeRune(n.text[i:])
		n.runes = become(n.runes[:0], r)
		for _, c := range n.runes {
			text = utf8.AppendRune(text, c)
		}
		for len(align) < len(text) {
			align = append(align, n.align[i])
		}
		i += size
	}
	n.swap(text, align)
}
