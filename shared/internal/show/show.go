// Package show repeats in a message what a person wrote.
package show

import (
	"strconv"
	"strings"
)

// maxBytes is how much of a string a message repeats.
const maxBytes = 80

// Quote returns s in quotes, cut where it is long.
func Quote(s string) string {
	if len(s) > maxBytes {
		s = strings.ToValidUTF8(s[:maxBytes], "") + "…"
	}
	return strconv.Quote(s)
}
