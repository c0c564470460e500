package backbone

import (
	"cmp"
	"slices"
)

// Chunks cuts which, rows by number, into pieces of at most limit tokens, or of one row that
// is longer; length tells a row's tokens. With even the rows are sorted by length and cut
// where it changes too, so that no row is padded (see [pretrained.Config.PaddingCounts]).
func Chunks(which []int, length func(row int) int, limit int, even bool) [][]int {
	if even {
		which = slices.Clone(which)
		slices.SortStableFunc(which, func(a, b int) int { return cmp.Compare(length(a), length(b)) })
	}
	var out [][]int
	start, tokens := 0, 0
	for i, row := range which {
		n := length(row)
		if i > start && (tokens+n > limit || even && n != length(which[start])) {
			out = append(out, which[start:i:i])
			start, tokens = i, 0
		}
		tokens += n
	}
	if start < len(which) {
		out = append(out, which[start:])
	}
	return out
}
