package tokenizer

import (
	"container/heap"
	"sort"
)

// merger joins the commonest pair of neighbours into a new token again and again.
type merger struct {
	vocab  []string
	ids    map[string]int32
	words  [][]int32 // each word as token ids
	counts []int     // how often each word occurs

	pairs   map[pair]int   // how often a pair of neighbours occurs
	changed map[pair][]int // words where a pair arose since it last went to the queue
	queue   mergeQueue
}

type pair struct{ left, right int32 }

// candidate is a pair in the queue, with the words where it arose. A pair may be there
// more than once; its count may be out of date.
type candidate struct {
	pair  pair
	count int
	words []int
}

// run makes merges until the vocabulary has size entries or no pair occurs often enough.
func (m *merger) run(size, minFrequency int) {
	m.pairs, m.changed = map[pair]int{}, map[pair][]int{}
	for i, w := range m.words {
		for j := 0; j+1 < len(w); j++ {
			m.count(pair{w[j], w[j+1]}, m.counts[i], i)
		}
	}
	m.enqueue()
	for len(m.vocab) < size && len(m.queue) > 0 {
		top := heap.Pop(&m.queue).(*candidate)
		if now := m.pairs[top.pair]; now != top.count {
			top.count = now
			heap.Push(&m.queue, top)
			continue
		}
		if top.count < 1 || top.count < minFrequency {
			return
		}
		token := m.id(m.joined(top.pair))
		for _, w := range top.words {
			m.join(w, top.pair, token)
		}
		m.enqueue()
	}
}

// count notes n more occurrences of p, in the given word when it arose there.
func (m *merger) count(p pair, n, word int) {
	m.pairs[p] += n
	if n > 0 {
		if list := m.changed[p]; len(list) == 0 || list[len(list)-1] != word {
			m.changed[p] = append(list, word)
		}
	}
}

// enqueue moves the pairs that arose to the queue. Their order there does not matter: the
// queue's order is total but for equal pairs, which are merged one after the other.
func (m *merger) enqueue() {
	for p, words := range m.changed {
		if n := m.pairs[p]; n > 0 {
			sort.Ints(words)
			heap.Push(&m.queue, &candidate{p, n, words})
		}
	}
	clear(m.changed)
}

// join replaces p by token in a word, from left to right.
func (m *merger) join(word int, p pair, token int32) {
	w, n := m.words[word], m.counts[word]
	to := 0
	for i := 0; i < len(w); i++ {
		if w[i] != p.left || i+1 == len(w) || w[i+1] != p.right {
			w[to] = w[i]
			to++
			continue
		}
		if to > 0 {
			m.count(pair{w[to-1], p.left}, -n, word)
			m.count(pair{w[to-1], token}, n, word)
		}
		w[to] = token
		to++
		if i++; i+1 < len(w) {
			m.count(pair{p.right, w[i+1]}, -n, word)
			m.count(pair{token, w[i+1]}, n, word)
		}
	}
	m.words[word] = w[:to]
}

// mergeQueue has the commonest pair on top, of equals the one with the lower ids.
type mergeQueue []*candidate

func (q mergeQueue) Len() int { return len(q) }

func (q mergeQueue) Less(i, j int) bool {
	a, b := q[i], q[j]
	switch {
	case a.count != b.count:
		return a.count > b.count
	case a.pair.left != b.pair.left:
		return a.pair.left < b.pair.left
	}
	return a.pair.right < b.pair.right
}

func (q mergeQueue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }

// Push is heap.Interface's.
func (q *mergeQueue) Push(x any) { *q = append(*q, x.(*candidate)) }

// Pop is heap.Interface's.
func (q *mergeQueue) Pop() any {
	old := *q
	last := old[len(old)-1]
	old[len(old)-1] = nil
	*q = old[:len(old)-1]
	return last
}
