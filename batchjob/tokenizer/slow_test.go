package tokenizer

import (
	"fmt"
	"math"
	"regexp"
	"strings"
	"unicode/utf8"
)

// What follows is the plainest form of what this package does faster, for the tests to
// compare with.

// slowMerge merges the bytes of a word, looking through all pairs for every merge.
func slowMerge(m *bpe, word []byte) []part {
	var parts []part
	for i, c := range word {
		parts = append(parts, part{m.bytes[c], int32(i), int32(i) + 1})
	}
	for {
		best, at := merged{rank: math.MaxInt32}, -1
		for i := 0; i+1 < len(parts); i++ {
			if to, ok := m.merges[pair{parts[i].id, parts[i+1].id}]; ok && to.rank < best.rank {
				best, at = to, i
			}
		}
		if at < 0 {
			return parts
		}
		parts[at] = part{best.id, parts[at].from, parts[at+1].to}
		parts = append(parts[:at+1], parts[at+2:]...)
	}
}

// slowWords cuts text by GPT-2's expression, alternative by alternative.
type slowWords struct{ alternatives []*regexp.Regexp }

func newSlowWords() slowWords {
	class := func(name string, more []span) string {
		var b strings.Builder
		b.WriteString(name)
		for _, s := range more {
			fmt.Fprintf(&b, `\x{%x}-\x{%x}`, s.first, s.last)
		}
		return b.String()
	}
	letters, numbers := class(`\p{L}`, lettersSince16), class(`\p{N}`, numbersSince16)
	const spaces = `\t-\r \x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}`
	var w slowWords
	for _, a := range []string{"'s", "'t", "'re", "'ve", "'m", "'ll", "'d", ` ?[` + letters + `]+`, ` ?[` + numbers + `]+`,
		` ?[^` + spaces + letters + numbers + `]+`, `[` + spaces + `]+`} {
		w.alternatives = append(w.alternatives, regexp.MustCompile(`^(?:`+a+`)`))
	}
	return w
}

func (w slowWords) next(text string) int {
	for i, a := range w.alternatives {
		at := a.FindStringIndex(text)
		if at == nil {
			continue
		}
		if end := at[1]; i < len(w.alternatives)-1 || end == len(text) {
			return end
		}
		// \s+(?!\S) gives one character back, if it can; else \s+ takes what it took.
		_, last := utf8.DecodeLastRuneInString(text[:at[1]])
		if last < at[1] {
			return at[1] - last
		}
		return at[1]
	}
	return 0
}

// slowBest cuts a word into the pieces with the largest sum of scores, by looking up every
// substring. Of equal sums the one with the longer last piece counts.
func slowBest(ids map[string]int32, m *unigram, word string) []part {
	type way struct {
		score float64
		last  part
		known bool
	}
	ways := make([]way, len(word)+1)
	ways[0].known = true
	for end := 1; end <= len(word); end++ {
		for from := 0; from < end; from++ {
			if !ways[from].known || end < len(word) && !utf8.RuneStart(word[end]) {
				continue
			}
			piece := word[from:end]
			id, ok := ids[piece]
			score := 0.0
			switch {
			case ok:
				score = m.scores[id]
			case utf8.RuneCountInString(piece) == 1:
				id, score = m.unknown, m.lowest
			default:
				continue
			}
			if sum := ways[from].score + score; !ways[end].known || sum > ways[end].score {
				ways[end] = way{sum, part{id, int32(from), int32(end)}, true}
			}
		}
	}
	var parts []part
	for end := len(word); end > 0; end = int(ways[end].last.from) {
		p := ways[end].last
		if len(parts) > 0 && p.id == m.unknown && parts[0].id == m.unknown {
			parts[0].from = p.from
			continue
		}
		parts = append([]part{p}, parts...)
	}
	return parts
}

// rules returns what a charsmap holds, by walking all of its double array.
func (m *charsmap) rules() map[string]string {
	rules := map[string]string{}
	var walk func(at uint32, key []byte)
	walk = func(at uint32, key []byte) {
		for c := 1; c < 256; c++ {
			child := at ^ uint32(c)
			if int(child) >= len(m.units) || m.units[child]&(1<<31|0xff) != uint32(c) {
				continue
			}
			u, key := m.units[child], append(key[:len(key):len(key)], byte(c))
			below := child ^ unitOffset(u)
			if u>>8&1 == 1 {
				rules[string(key)], _ = m.text(m.units[below] &^ (1 << 31))
			}
			walk(below, key)
		}
	}
	walk(unitOffset(m.units[0]), nil)
	return rules
}

// change is a character of a transformation as the reference has it: 1 for one that was put
// in, 0 for one that stands for the next old one, −n for one with n more taken out behind it.
type change struct {
	r rune
	n int
}

// slowNormalize replaces by rules, shortest first, and returns text and origins.
func slowNormalize(rules map[string]string, text string) (string, []int32) {
	find := func(chunk string) (string, bool) {
		for end := 1; end <= len(chunk); end++ {
			if to, ok := rules[chunk[:end]]; ok {
				return to, true
			}
		}
		return "", false
	}
	var changes []change
	replace := func(old, new string) {
		n := utf8.RuneCountInString(new) - utf8.RuneCountInString(old)
		for _, r := range new {
			changes = append(changes, change{r: r})
		}
		for i := 0; i < n; i++ {
			changes[len(changes)-1-i].n = 1
		}
		if n < 0 && len(changes) > 0 {
			changes[len(changes)-1].n += n
		}
	}
	for rest := text; rest != ""; {
		cluster := rest[:graphemeLength([]byte(rest))]
		rest = rest[len(cluster):]
		if to, ok := find(cluster); ok && len(cluster) < 6 {
			replace(cluster, to)
			continue
		}
		for _, r := range cluster {
			if to, ok := find(string(r)); ok {
				replace(string(r), to)
			} else {
				changes = append(changes, change{r: r})
			}
		}
	}
	var out []rune
	var origins []int32
	next := int32(0) // of the old characters
	for _, c := range changes {
		out = append(out, c.r)
		if c.n > 0 {
			origins = append(origins, next-1)
			continue
		}
		origins = append(origins, next)
		next += 1 - int32(c.n)
	}
	return string(out), origins
}
