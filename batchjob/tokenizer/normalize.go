package tokenizer

import (
	"unicode"
	"unicode/utf8"
)

// normalizer is BERT's text normalisation. Its steps in order: clean (control characters
// out, white space to spaces), set ideographs apart by spaces, decompose canonically and
// drop accents, lower-case.
type normalizer struct {
	clean, cjk, strip, lower bool

	// fold holds the outcome for every character below tableSize that gives exactly one
	// character wherever it stands; else dropped or contextual.
	fold [tableSize]rune
	// class is the pre-tokeniser's class of every normalised character below tableSize.
	class [tableSize]uint8
}

// tableSize covers the Latin, Greek and Cyrillic scripts and general punctuation.
const tableSize = 0x2100

const (
	dropped    rune = -1 // taken out
	contextual rune = -2 // several characters, or it depends on its neighbours
)

const (
	classLetter uint8 = iota
	classSpace
	classPunctuation
)

func newNormalizer(clean, cjk, strip, lower bool) *normalizer {
	n := &normalizer{clean: clean, cjk: cjk, strip: strip, lower: lower}
	for r := rune(0); r < tableSize; r++ {
		n.fold[r] = n.foldAlone(r)
		n.class[r] = classify(r)
	}
	return n
}

// classify is BERT's pre-tokeniser: white space parts words, punctuation is a word.
func classify(r rune) uint8 {
	switch {
	case unicode.IsSpace(r):
		return classSpace
	case in(punctuation, r):
		return classPunctuation
	}
	return classLetter
}

func (n *normalizer) classOf(r rune) uint8 {
	if r < tableSize {
		return n.class[r]
	}
	return classify(r)
}

func (n *normalizer) removes(r rune) bool { return n.clean && in(removed, r) }

// foldAlone returns the one character that r becomes, or dropped or contextual.
func (n *normalizer) foldAlone(r rune) rune {
	if n.removes(r) {
		return dropped
	}
	if n.clean && unicode.IsSpace(r) {
		return ' '
	}
	if n.cjk && isCJK(r) {
		return contextual
	}
	if n.strip {
		d := appendNFD(nil, r)
		if combiningClass(d[0]) != 0 {
			return contextual
		}
		for _, mark := range d[1:] {
			if !in(nonspacingMarks, mark) {
				return contextual
			}
		}
		if r = d[0]; in(nonspacingMarks, r) {
			return contextual // a mark of class 0
		}
	}
	if n.lower {
		l := appendLower(nil, r)
		if len(l) != 1 {
			return contextual
		}
		r = l[0]
	}
	return r
}

// normalized is normalised text with its origin: align[i] is the code point of the
// original text that byte i came from. Every character comes from exactly one.
type normalized struct {
	text  []byte
	align []int32

	run     []mark  // of the nonstarters in hand
	sources []int32 // their code points, in reading order
	runes   []rune
	lowered []rune

	spareText  []byte // where the next step writes
	spareAlign []int32
}

// normalize fills out with s, whose first character is code point first of the text, and
// returns the code point after it. A byte that is not UTF-8 counts as one U+FFFD.
func (n *normalizer) normalize(out *normalized, s string, first int32) int32 {
	out.text, out.align = out.text[:0], out.align[:0]
	at := first
	for i := 0; i < len(s); {
		r, size := rune(s[i]), 1
		if r >= utf8.RuneSelf {
			r, size = utf8.DecodeRuneInString(s[i:])
		}
		var to rune
		if r < tableSize {
			to = n.fold[r]
		} else {
			to = n.foldAbove(r)
		}
		switch {
		case to >= 0 && to < utf8.RuneSelf:
			out.text = append(out.text, byte(to))
			out.align = append(out.align, at)
		case to >= 0:
			out.put(to, at)
		case to == contextual:
			more, count := n.cluster(out, s[i+size:], r, at)
			i += more
			at += count
		}
		i += size
		at++
	}
	return at
}

// foldAbove is foldAlone for characters that no table holds, without allocating.
func (n *normalizer) foldAbove(r rune) rune {
	if r == utf8.RuneError && n.clean {
		return dropped
	}
	return contextual
}

// put appends r as it is.
func (d *normalized) put(r rune, source int32) {
	before := len(d.text)
	d.text = utf8.AppendRune(d.text, r)
	for range len(d.text) - before {
		d.align = append(d.align, source)
	}
}

// emit appends r in lower case if asked for.
func (n *normalizer) emit(out *normalized, r rune, source int32) {
	if !n.lower {
		out.put(r, source)
		return
	}
	out.lowered = appendLower(out.lowered[:0], r)
	for _, l := range out.lowered {
		out.put(l, source)
	}
}

// eachWord calls do for every word of normalised text[from:to]: white space parts words,
// punctuation is a word by itself.
func (n *normalizer) eachWord(text []byte, from, to int, do func(from, to int)) {
	start := from // of the word in hand
	for i := from; i < to; {
		r, size := rune(text[i]), 1
		if r >= utf8.RuneSelf {
			r, size = utf8.DecodeRune(text[i:to])
		}
		class := n.classOf(r)
		if class == classLetter {
			i += size
			continue
		}
		if start < i {
			do(start, i)
		}
		if class == classPunctuation {
			do(i, i+size)
		}
		i += size
		start = i
	}
	if start < to {
		do(start, to)
	}
}
