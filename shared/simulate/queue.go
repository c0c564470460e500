package simulate

import "time"

// queue holds what happens next: one entry a slot, earliest first, and of those at one
// moment the one that was put in first. It is a binary heap.
type queue struct {
	entries []entry
	put     uint64 // how many entries were ever put in
}

type entry struct {
	at    time.Duration // since the study began
	order uint64
	slot  int32
}

func (e entry) before(o entry) bool { return e.at < o.at || e.at == o.at && e.order < o.order }

func (q *queue) len() int { return len(q.entries) }

// push makes something happen to the slot at that time.
func (q *queue) push(at time.Duration, slot int32) {
	q.put++
	q.entries = append(q.entries, entry{at, q.put, slot})
	for i := len(q.entries) - 1; i > 0; {
		up := (i - 1) / 2
		if !q.entries[i].before(q.entries[up]) {
			return
		}
		q.entries[i], q.entries[up] = q.entries[up], q.entries[i]
		i = up
	}
}

// pop removes the earliest entry. There must be one.
func (q *queue) pop() entry {
	first, last := q.entries[0], len(q.entries)-1
	q.entries[0] = q.entries[last]
	q.entries = q.entries[:last]
	for i := 0; ; {
		least := i
		for down := 2*i + 1; down <= 2*i+2 && down < last; down++ {
			if q.entries[down].before(q.entries[least]) {
				least = down
			}
		}
		if least == i {
			return first
		}
		q.entries[i], q.entries[least] = q.entries[least], q.entries[i]
		i = least
	}
}
