package simulate

import "time"

// agenda holds what happens next, one entry a slot: earliest first, and of those at one
// moment the one that was put in first. Slots that train, and the dead that are still to be
// noticed, stand apart: before one of them is heard of, an ask that had to wait has to wait
// again.
type agenda struct {
	training, others heap
	put              uint64 // how many entries were ever put in
}

// train makes the study hear of a slot that trains, or is dead, at that time.
func (a *agenda) train(at time.Duration, slot int32) {
	a.put++
	a.training.push(entry{at, a.put, slot})
}

// start makes a slot ask for the first time, or be gone before.
func (a *agenda) start(at time.Duration, slot int32) {
	a.put++
	a.others.push(entry{at, a.put, slot})
}

// wait makes a slot ask again, every so often from now on, or be gone at its doom. The asks
// that are in vain are left out.
func (a *agenda) wait(now, every, doom time.Duration, slot int32) {
	at := now + every
	if len(a.training) > 0 {
		if vain := a.training[0].at - at; vain > 0 {
			at += (vain + every - 1) / every * every
		}
	}
	a.put++
	a.others.push(entry{min(at, doom), a.put, slot})
}

func (a *agenda) len() int { return len(a.training) + len(a.others) }

// pop removes the earliest entry. There must be one.
func (a *agenda) pop() entry {
	if len(a.others) == 0 || len(a.training) > 0 && a.training[0].before(a.others[0]) {
		return a.training.pop()
	}
	return a.others.pop()
}

type entry struct {
	at    time.Duration // since the study began
	order uint64
	slot  int32
}

// heap is a binary heap.
type heap []entry

func (e entry) before(o entry) bool { return e.at < o.at || e.at == o.at && e.order < o.order }

func (h *heap) push(e entry) {
	*h = append(*h, e)
	q := *h
	for i := len(q) - 1; i > 0; {
		up := (i - 1) / 2
		if !q[i].before(q[up]) {
			return
		}
		q[i], q[up] = q[up], q[i]
		i = up
	}
}

func (h *heap) pop() entry {
	q := *h
	first, last := q[0], len(q)-1
	q[0] = q[last]
	q = q[:last]
	*h = q
	for i := 0; ; {
		least := i
		for down := 2*i + 1; down <= 2*i+2 && down < last; down++ {
			if q[down].before(q[least]) {
				least = down
			}
		}
		if least == i {
			return first
		}
		q[i], q[least] = q[least], q[i]
		i = least
	}
}
