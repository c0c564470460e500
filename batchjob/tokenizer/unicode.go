package tokenizer

import (
	"sort"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

func in(set []span, r rune) bool {
	i := sort.Search(len(set), func(i int) bool { return set[i].last >= r })
	return i < len(set) && set[i].first <= r
}

// isCJK reports the ideographs that are set apart as words of their own. U+2B820 to
// U+2B91F is missing in every BERT tokenizer since the first, and so it is here.
func isCJK(r rune) bool {
	switch {
	case r < 0x3400:
		return false
	case r <= 0x4dbf, 0x4e00 <= r && r <= 0x9fff, 0xf900 <= r && r <= 0xfaff,
		0x20000 <= r && r <= 0x2a6df, 0x2a700 <= r && r <= 0x2b81f,
		0x2b920 <= r && r <= 0x2ceaf, 0x2f800 <= r && r <= 0x2fa1f:
		return true
	}
	return false
}

// appendLower appends r in lower case, one character at a time without context: a final
// sigma is like any other. Letters that got a lower case after Unicode 15, Go's version,
// are spelled out.
func appendLower(dst []rune, r rune) []rune {
	switch {
	case r == 0x130:
		return append(dst, 'i', 0x307)
	case r == 0x1c89 || r == 0xa7cc || r == 0xa7ce || r == 0xa7d2 || r == 0xa7d4 || r == 0xa7da:
		return append(dst, r+1)
	case r == 0xa7cb:
		return append(dst, 0x264)
	case r == 0xa7dc:
		return append(dst, 0x19b)
	case 0x10d50 <= r && r <= 0x10d65:
		return append(dst, r+0x20)
	case 0x16ea0 <= r && r <= 0x16eb8:
		return append(dst, r+0x1b)
	}
	return append(dst, unicode.ToLower(r))
}

// appendNFD appends the canonical decomposition of r.
func appendNFD(dst []rune, r rune) []rune {
	const ( // Unicode Standard, section 3.12: Hangul syllables decompose by arithmetic
		base, last       = 0xac00, 0xd7a3
		lead, vowel, end = 0x1100, 0x1161, 0x11a7
		vowels, ends     = 21, 28
	)
	if r >= base && r <= last {
		s := r - base
		dst = append(dst, lead+s/(vowels*ends), vowel+s%(vowels*ends)/ends)
		if s%ends != 0 {
			dst = append(dst, end+s%ends)
		}
		return dst
	}
	if r < 0xc0 || decomposesSince10(r) {
		return append(dst, r)
	}
	var b [utf8.UTFMax]byte
	d := norm.NFD.Properties(b[:utf8.EncodeRune(b[:], r)]).Decomposition()
	if d == nil {
		return append(dst, r)
	}
	for len(d) > 0 {
		c, size := utf8.DecodeRune(d)
		dst = append(dst, c)
		d = d[size:]
	}
	return dst
}

// decomposesSince10 reports the characters with a decomposition that came after Unicode
// 9.0: the reference leaves them whole.
func decomposesSince10(r rune) bool {
	switch {
	case r < 0x105c9:
		return false
	case r == 0x105c9, r == 0x105e4, r == 0x11383, r == 0x11385, r == 0x1138e, r == 0x11391,
		r == 0x113c5, r == 0x113c7, r == 0x113c8, r == 0x11938,
		0x16121 <= r && r <= 0x16128, 0x16d68 <= r && r <= 0x16d6a:
		return true
	}
	return false
}

// combiningClass is the canonical combining class of r in Unicode 9.0, 0 for starters.
func combiningClass(r rune) uint8 {
	if r < 0x300 || !in(nonspacingMarks, r) && !in(keptNonstarters, r) {
		return 0
	}
	var b [utf8.UTFMax]byte
	return norm.NFD.Properties(b[:utf8.EncodeRune(b[:], r)]).CCC()
}
