package tokenizer

import (
	"sort"
	"unicode"
	"unicode/utf8"
)

// normalizer is BERT's text normalisation. Its steps in order: clean (control characters
// out, white space to spaces), set ideographs apart by spaces, decompose canonically and
// drop accents, lower-case.
type normalizer struct {
	clean, cjk, strip, lower bool

	// fold holds the outcome for every character below tableSize that gives exactly one
	// character wherever it stands; else dropped or complex.
	fold [tableSize]rune
	// class is the pre-tokeniser's class of every normalised character below tableSize.
	class [tableSize]uint8
}

// tableSize covers the Latin, Greek and Cyrillic scripts and general punctuation.
const tableSize = 0x2100

const (
	dropped rune = -1 // taken out
	complex rune = -2 // several characters, or it depends on its neighbours
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

// foldAlone returns the one character that r becomes, or dropped or complex.
func (n *normalizer) foldAlone(r rune) rune {
	if n.removes(r) {
		return dropped
	}
	if n.clean && unicode.IsSpace(r) {
		return ' '
	}
	if n.cjk && isCJK(r) {
		return complex
	}
	if n.strip {
		d := appendNFD(nil, r)
		if combiningClass(d[0]) != 0 {
			return complex
		}
		for _, mark := range d[1:] {
			if !in(nonspacingMarks, mark) {
				return complex
			}
		}
		if r = d[0]; in(nonspacingMarks, r) {
			return complex // a mark of class 0
		}
	}
	if n.lower {
		l := appendLower(nil, r)
		if len(l) != 1 {
			return complex
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
}

// mark is a character between two starters. inserted marks a decomposition's further
// characters, which have no code point of their own.
type mark struct {
	r        rune
	class    uint8
	inserted bool
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
		to := complex
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
		case to == complex:
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
	return complex
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

// cluster normalises r and, when accents are stripped, the nonstarters that follow it in
// rest, because canonical order sorts those. It returns how many bytes and code points of
// rest it took.
func (n *normalizer) cluster(out *normalized, rest string, r rune, at int32) (bytes int, count int32) {
	switch {
	case n.removes(r):
		return 0, 0
	case n.clean && unicode.IsSpace(r):
		out.put(' ', at)
		return 0, 0
	case n.cjk && isCJK(r):
		out.put(' ', at)
		out.runes = append(out.runes[:0], r)
		if n.strip {
			out.runes = appendNFD(out.runes[:0], r)
		}
		for _, d := range out.runes {
			n.emit(out, d, at)
		}
		out.put(' ', at)
		return 0, 0
	case !n.strip:
		n.emit(out, r, at)
		return 0, 0
	}

	last := at // the code point that inserted characters belong to
	out.run, out.sources = out.run[:0], out.sources[:0]
	out.runes = appendNFD(out.runes[:0], r)
	for i, d := range out.runes {
		switch class := combiningClass(d); {
		case class != 0:
			out.run = append(out.run, mark{d, class, i > 0})
			if i == 0 {
				out.sources = append(out.sources, at)
			}
		case !in(nonspacingMarks, d):
			n.emit(out, d, at)
		}
	}
	if len(out.run) == 0 {
		return 0, 0
	}
	for bytes < len(rest) {
		r, size := utf8.DecodeRuneInString(rest[bytes:])
		if !n.removes(r) {
			out.runes = appendNFD(out.runes[:0], r)
			if combiningClass(out.runes[0]) == 0 {
				break
			}
			for i, d := range out.runes {
				out.run = append(out.run, mark{d, combiningClass(d), i > 0})
			}
			out.sources = append(out.sources, at+1+count)
		}
		bytes += size
		count++
	}
	n.flushRun(out, last)
	return bytes, count
}

// flushRun sorts the nonstarters by combining class and writes those that are not
// accents. After sorting, the characters that stand for themselves take the code points
// in reading order, as the reference does.
func (n *normalizer) flushRun(out *normalized, last int32) {
	sort.SliceStable(out.run, func(i, j int) bool { return out.run[i].class < out.run[j].class })
	next := 0
	for _, m := range out.run {
		if !m.inserted {
			last = out.sources[next]
			next++
		}
		if !in(nonspacingMarks, m.r) {
			n.emit(out, m.r, last)
		}
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
