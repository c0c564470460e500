// Package nearest finds what a person may have meant by a misspelt name.
package nearest

import "slices"

// Names returns up to n of names, those that the fewest edits lead to from name first;
// equally near ones stay in order.
func Names(name string, names []string, n int) []string {
	sorted := slices.Clone(names)
	if len(name) <= maxLength {
		slices.SortStableFunc(sorted, func(a, b string) int { return distance(name, a) - distance(name, b) })
	}
	return sorted[:min(n, len(sorted))]
}

// maxLength bounds the work spent on a misspelt name; a longer one is near to nothing.
const maxLength = 256

// distance is the Levenshtein distance between a and b in bytes.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
