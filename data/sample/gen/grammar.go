package main

import (
	"math/rand/v2"
	"strings"
	"unicode"
)

// A dice is the generator's source of chance. Only the PCG's own output is used, so that
// the corpus does not depend on how a library turns it into numbers.
type dice struct{ pcg *rand.PCG }

// below returns a number in [0, n).
func (d dice) below(n int) int { return int((d.pcg.Uint64() >> 33) % uint64(n)) }

// chance is true with probability p.
func (d dice) chance(p float64) bool { return float64(d.pcg.Uint64()>>11)/(1<<53) < p }

// order returns 0 … n-1 shuffled.
func (d dice) order(n int) []int {
	list := make([]int, n)
	for i := range list {
		j := d.below(i + 1)
		list[i] = list[j]
		list[j] = i
	}
	return list
}

// expand chooses alternatives until none is left, and returns a clause without capital and
// full stop.
func (d dice) expand(p phrasing) string {
	for {
		at := strings.IndexByte(p, '$')
		if at < 0 {
			break
		}
		end := at + 1
		for end < len(p) && p[end] >= 'a' && p[end] <= 'z' {
			end++
		}
		p = p[:at] + shared[p[at+1:end]] + p[end:]
	}
	for {
		end := strings.IndexByte(p, '}')
		if end < 0 {
			break
		}
		start := strings.LastIndexByte(p[:end], '{')
		choices := strings.Split(p[start+1:end], "|")
		p = p[:start] + choices[d.below(len(choices))] + p[end+1:]
	}
	return strings.ReplaceAll(strings.Join(strings.Fields(p), " "), " ,", ",")
}

// sentence turns a clause into a sentence.
func sentence(clause string) string {
	runes := []rune(clause)
	runes[0] = unicode.ToUpper(runes[0])
	clause = string(runes)
	if strings.HasSuffix(clause, "?") {
		return clause
	}
	return clause + "."
}
