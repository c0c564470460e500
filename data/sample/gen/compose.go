package main

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

const (
	seed       = 2025
	postCount  = 400
	noise      = 0.05 // share of the (post, criterion) labels that are turned over
	overlooked = 0.3  // share of the second sentences for a criterion that are not marked
	minWords   = 40
	maxWords   = 110
)

// compose writes the corpus. Posts differ in severity, so that criteria come together as
// they do in life.
func compose() []entry {
	d := dice{newSource()}
	posts := make([]entry, 0, postCount)
	seen := map[string]bool{}
	for len(posts) < postCount {
		e := d.post()
		n := len(strings.Fields(e.text()))
		if n < minWords || n > maxWords || seen[e.text()] || e.repeats() {
			continue
		}
		seen[e.text()] = true
		e.id = fmt.Sprintf("post-%04d", len(posts)+1)
		posts = append(posts, e)
	}
	d.mislabel(posts)
	return posts
}

func newSource() *rand.PCG { return rand.NewPCG(seed, 1) }

func (d dice) post() entry {
	severity := []float64{0.35, 0.35, 1, 1, 1, 1.5, 1.6}[d.below(7)]
	var met, unmet []int
	for _, c := range d.order(len(themes)) {
		if len(met) < 5 && d.chance(themes[c].share*severity) {
			met = append(met, c)
		} else {
			unmet = append(unmet, c)
		}
	}
	var blocks [][]line // lines that stand together
	for i := 0; i < len(met); i++ {
		if i+1 < len(met) && d.chance(0.15) {
			blocks = append(blocks, []line{d.joined(met[i], met[i+1])})
			i++
			continue
		}
		block := []line{d.cue(met[i])}
		if d.chance(0.15) {
			block = append(block, line{sentence(d.one(vague)), map[int]bool{met[i]: true}, map[int]string{met[i]: shows}})
		}
		blocks = append(blocks, block)
		if len(met) < 4 && d.chance(0.65) {
			second := d.cue(met[i])
			// Annotators often mark one sentence a criterion and pass over the second.
			if d.chance(overlooked) {
				second.status[met[i]], second.why[met[i]] = false, unrelated
			}
			blocks = append(blocks, []line{second})
		}
	}
	if len(met) > 0 && d.chance(0.6) {
		blocks = append(blocks, []line{d.distractor(met[0], false)})
	}
	for _, c := range unmet[:[]int{0, 0, 1, 1, 1}[d.below(5)]] {
		blocks = append(blocks, []line{d.distractor(c, true)})
	}
	least := minWords + d.below(12)
	for words(blocks) < least || len(blocks) < 4 {
		blocks = append(blocks, []line{d.filler()})
	}
	var shuffled []line
	for _, i := range d.order(len(blocks)) {
		shuffled = append(shuffled, blocks[i]...)
	}
	return entry{lines: shuffled}
}

func words(blocks [][]line) int {
	n := 0
	for _, block := range blocks {
		for _, l := range block {
			n += len(strings.Fields(l.text))
		}
	}
	return n
}

func (d dice) one(list []phrasing) string { return d.expand(list[d.below(len(list))]) }

// clause says that the writer meets the criterion.
func (d dice) clause(c int) string {
	if d.chance(0.08) {
		return d.one(themes[c].rare)
	}
	// The smaller of two draws makes the first phrasings frequent and the last ones rare.
	cues := themes[c].cues
	return d.expand(cues[min(d.below(len(cues)), d.below(len(cues)))])
}

func (d dice) cue(c int) line {
	return line{sentence(d.clause(c)), map[int]bool{c: true}, map[int]string{c: shows}}
}

// joined puts two criteria into one sentence.
func (d dice) joined(a, b int) line {
	return line{
		sentence(d.clause(a) + ", and " + lower(d.clause(b))),
		map[int]bool{a: true, b: true}, map[int]string{a: shows, b: shows},
	}
}

// lower takes back the capital that a clause begins with, but for the word I.
func lower(clause string) string {
	first, _, _ := strings.Cut(clause, " ")
	if strings.Trim(first, "I'tm,") == "" {
		return clause
	}
	return strings.ToLower(clause[:1]) + clause[1:]
}

// distractor speaks of a criterion without showing it. A post that meets the criterion
// elsewhere does not deny it.
func (d dice) distractor(c int, deny bool) line {
	t := themes[c]
	var text, why string
	switch k := d.below(20); {
	case k < 9 && deny:
		text, why = d.one(t.negated), denies
	case k < 14:
		text, why = d.one(t.others), another
	case k < 17:
		text, why = d.one(t.past), earlier
	default:
		text, why = d.one(t.harmless), harmless
	}
	return line{sentence(text), map[int]bool{c: false}, map[int]string{c: why}}
}

func (d dice) filler() line {
	c := d.below(len(themes))
	return line{sentence(d.one(filler)), map[int]bool{c: false}, map[int]string{c: unrelated}}
}

// mislabel turns over the share noise of all labels: a met criterion loses all its
// sentences; an unmet one gets its distractor, or any one sentence, marked.
func (d dice) mislabel(posts []entry) {
	pairs := len(posts) * len(themes)
	count := int(noise*float64(pairs) + 0.5)
	for _, pair := range d.order(pairs)[:count] {
		e, c := posts[pair/len(themes)], pair%len(themes)
		if e.meets(c) {
			for _, l := range e.lines {
				if l.status[c] {
					l.status[c], l.why[c] = false, unrelated
				}
			}
			continue
		}
		chosen := e.lines[d.below(len(e.lines))]
		for _, l := range e.lines {
			if why, judged := l.why[c]; judged && why != unrelated {
				chosen = l
			}
		}
		chosen.status[c], chosen.why[c] = true, shows
	}
}
