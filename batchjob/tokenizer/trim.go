package tokenizer

import (
	"unicode"
	"unicode/utf8"
)

// edges is how many spaces a token begins and ends with.
type edges struct{ left, right int32 }

// trimmer says how places are trimmed.
type trimmer struct {
	prefix bool    // a space is put before texts
	edges  []edges // by id
}

func isEdge(r rune) bool { return r == spaceRune || unicode.IsSpace(r) }

func newTrimmer(vocab []string, prefix bool) *trimmer {
	t := &trimmer{prefix: prefix, edges: make([]edges, len(vocab))}
	for id, token := range vocab {
		t.edges[id] = edgesOf(token)
	}
	return t
}

func edgesOf(token string) edges {
	var e edges
	for _, r := range token {
		if !isEdge(r) {
			break
		}
		e.left++
	}
	for len(token) > 0 {
		r, size := utf8.DecodeLastRuneInString(token)
		if !isEdge(r) {
			break
		}
		e.right++
		token = token[:len(token)-size]
	}
	return e
}

// trim takes the spaces out of a token's place in the text, as RoBERTa's post-processor does.
// The one space of a first token is taken for the one that was put before the text (prefix),
// which has no place; when there are more, none was put there.
func (e edges) trim(place [2]int, prefix, first bool) [2]int {
	if left := int(e.left); left > 0 {
		if prefix && left == 1 && (first || place[0] == 0) {
			left = 0
		}
		place[0] = min(place[0]+left, place[1])
	}
	if right := int(e.right); right > 0 && place[1] >= right {
		place[1] = max(place[1]-right, place[0])
	}
	return place
}
