package main

import "strings"

// A line is one sentence of a post and what an annotator says about it: for criteria by
// their position in themes, whether the sentence shows them, and why.
type line struct {
	text   string
	status map[int]bool
	why    map[int]string
}

type entry struct {
	id    string
	lines []line
}

func (e entry) text() string {
	texts := make([]string, len(e.lines))
	for i, l := range e.lines {
		texts[i] = l.text
	}
	return strings.Join(texts, " ")
}

// meets reports whether any sentence shows the criterion.
func (e entry) meets(criterion int) bool {
	for _, l := range e.lines {
		if l.status[criterion] {
			return true
		}
	}
	return false
}

// repeats reports whether a sentence of the post stands in another one too, so that a
// quotation would not say which is meant.
func (e entry) repeats() bool {
	for i, a := range e.lines {
		for j, b := range e.lines {
			if i != j && strings.Contains(b.text, a.text) {
				return true
			}
		}
	}
	return false
}

// What an annotator writes beside a judgement.
const (
	shows     = "The writer says this about the present."
	denies    = "The writer says that it is not so."
	another   = "This is about somebody else."
	earlier   = "This was once and is over."
	harmless  = "It has another cause or is only a manner of speaking."
	unrelated = "Nothing here bears on the criterion."
)
