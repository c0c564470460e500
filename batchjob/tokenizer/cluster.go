package tokenizer

import (
	"sort"
	"unicode"
	"unicode/utf8"
)

// mark is a character between two starters. inserted marks a decomposition's further
// characters, which have no code point of their own.
type mark struct {
	r        rune
	class    uint8
	inserted bool
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
