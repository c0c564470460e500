package tokenizer

import (
	"bytes"
	"sort"
	"strings"
	"unicode"
	"unicode/utf8"
)

// addedToken is a token that is matched in the text before any word is cut: special
// tokens like [MASK] and what a user added to the vocabulary.
type addedToken struct {
	ID         int32  `json:"id"`
	Content    string `json:"content"`
	SingleWord bool   `json:"single_word"` // only between characters that are not of a word
	LStrip     bool   `json:"lstrip"`      // takes white space on its left
	RStrip     bool   `json:"rstrip"`      // takes white space on its right
	Normalized bool   `json:"normalized"`  // matched in the normalised text, else in the text itself
	Special    bool   `json:"special"`
}

// matcher finds added tokens in a text: leftmost first, the longest of those.
type matcher struct {
	byFirst [256][]pattern // by first byte, longest first
	firsts  string         // the first bytes
}

type pattern struct {
	text  string
	token *addedToken
}

// match is a place that an added token takes; a nil token is the text between.
type match struct {
	from, to int
	token    *addedToken
}

func newMatcher(patterns []pattern) *matcher {
	m := &matcher{}
	for _, p := range patterns {
		if p.text == "" {
			continue
		}
		if m.byFirst[p.text[0]] == nil {
			m.firsts += p.text[:1]
		}
		m.byFirst[p.text[0]] = append(m.byFirst[p.text[0]], p)
	}
	for _, ps := range m.byFirst {
		sort.SliceStable(ps, func(i, j int) bool { return len(ps[i].text) > len(ps[j].text) })
	}
	return m
}

// find returns the first match at or after from.
func (m *matcher) find(s string, from int) (pattern, int, bool) {
	for from < len(s) {
		i := m.index(s[from:])
		if i < 0 {
			break
		}
		from += i
		for _, p := range m.byFirst[s[from]] {
			if strings.HasPrefix(s[from:], p.text) {
				return p, from, true
			}
		}
		from++
	}
	return pattern{}, 0, false
}

// mayMatch reports whether some token may begin in s.
func (m *matcher) mayMatch(s []byte) bool {
	for i := 0; i < len(m.firsts); i++ {
		if bytes.IndexByte(s, m.firsts[i]) >= 0 {
			return true
		}
	}
	return false
}

// fewFirsts is up to how many first bytes it is faster to look for one after the other.
const fewFirsts = 3

// index is the first place in s where some token may begin, -1 when there is none.
func (m *matcher) index(s string) int {
	if len(m.firsts) > fewFirsts {
		for i := 0; i < len(s); i++ {
			if m.byFirst[s[i]] != nil {
				return i
			}
		}
		return -1
	}
	best := -1
	for i := 0; i < len(m.firsts); i++ {
		if at := strings.IndexByte(s, m.firsts[i]); at >= 0 && (best < 0 || at < best) {
			best = at
			s = s[:at]
		}
	}
	return best
}

// split appends the parts of s, matches and what lies between them, to dst.
func (m *matcher) split(dst []match, s string) []match {
	done := 0
	for at := 0; ; {
		p, from, ok := m.find(s, at)
		if !ok {
			break
		}
		to := from + len(p.text)
		at = to
		if p.token.SingleWord && (endsInWord(s[:from]) || beginsWithWord(s[to:])) {
			continue
		}
		if p.token.LStrip {
			from = max(done, len(strings.TrimRightFunc(s[:from], unicode.IsSpace)))
		}
		if p.token.RStrip {
			to = len(s) - len(strings.TrimLeftFunc(s[to:], unicode.IsSpace))
		}
		if from > done {
			dst = append(dst, match{from: done, to: from})
		}
		dst = append(dst, match{from: from, to: to, token: p.token})
		done = to
	}
	if done < len(s) {
		dst = append(dst, match{from: done, to: len(s)})
	}
	return dst
}

func endsInWord(s string) bool {
	r, size := utf8.DecodeLastRuneInString(s)
	return size > 0 && isWordCharacter(r)
}

func beginsWithWord(s string) bool {
	r, size := utf8.DecodeRuneInString(s)
	return size > 0 && isWordCharacter(r)
}

// isWordCharacter is \w of Unicode Technical Standard 18, annex C, in Go's version of
// Unicode; the reference's is newer, which matters beside single-word tokens alone.
func isWordCharacter(r rune) bool {
	return unicode.In(r, unicode.L, unicode.Nl, unicode.Other_Alphabetic, unicode.M, unicode.Nd,
		unicode.Pc, unicode.Join_Control)
}
