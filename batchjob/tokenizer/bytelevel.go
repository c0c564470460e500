package tokenizer

import (
	"unicode"
	"unicode/utf8"
)

// byteRunes are the characters that byte-level vocabularies write bytes as: those of Latin-1
// that can be seen as themselves, the others from U+0100 on.
var byteRunes = func() (runes [256]rune) {
	next := rune(0x100)
	for b := range runes {
		switch {
		case '!' <= b && b <= '~', 0xa1 <= b && b <= 0xac, 0xae <= b && b <= 0xff:
			runes[b] = rune(b)
		default:
			runes[b] = next
			next++
		}
	}
	return runes
}()

// spaceRune is how a space is written.
const spaceRune = '\u0120'

type byteClass uint8

const (
	byteOther byteClass = iota
	byteSpace
	byteLetter
	byteNumber
)

// byteLevelClass is a character's class in the regular expression that parts words.
func byteLevelClass(r rune) byteClass {
	if r < utf8.RuneSelf {
		switch {
		case 'a' <= r|0x20 && r|0x20 <= 'z':
			return byteLetter
		case '0' <= r && r <= '9':
			return byteNumber
		case r == ' ', '\t' <= r && r <= '\r':
			return byteSpace
		}
		return byteOther
	}
	switch {
	case unicode.IsLetter(r) || in(lettersSince16, r):
		return byteLetter
	case unicode.Is(unicode.N, r) || in(numbersSince16, r):
		return byteNumber
	case unicode.IsSpace(r):
		return byteSpace
	}
	return byteOther
}

// byteLevelWord returns where the word ends that text, not empty, begins with: what GPT-2's
// expression
//
//	's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
//
// matches (Radford et al., "Language Models are Unsupervised Multitask Learners", 2019).
func byteLevelWord(text []byte) int {
	if text[0] == '\'' && len(text) > 1 {
		switch text[1] {
		case 's', 't', 'm', 'd':
			return 2
		}
		if len(text) > 2 {
			switch string(text[1:3]) {
			case "re", "ve", "ll":
				return 3
			}
		}
	}
	start := 0
	if text[0] == ' ' && len(text) > 1 {
		start = 1
	}
	r, size := utf8.DecodeRune(text[start:])
	class := byteLevelClass(r)
	if class != byteSpace {
		return start + size + run(text[start+size:], class)
	}
	end := run(text, byteSpace)
	if end == len(text) {
		return end
	}
	// The last space belongs to the word after it, or stands alone.
	if _, last := utf8.DecodeLastRune(text[:end]); end > last {
		return end - last
	}
	return end
}

// run returns how many bytes text begins with that are characters of class.
func run(text []byte, class byteClass) int {
	n := 0
	for n < len(text) {
		r, size := rune(text[n]), 1
		if r >= utf8.RuneSelf {
			r, size = utf8.DecodeRune(text[n:])
		}
		if byteLevelClass(r) != class {
			break
		}
		n += size
	}
	return n
}
