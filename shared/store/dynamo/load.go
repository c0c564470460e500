package dynamo

import (
	"context"
	"fmt"

	"github.com/supermax-hpo/supermax/shared/store"
)

// maxReads bounds how often a load starts again because writers tore what it read.
const maxReads = 10

var (
	errTorn = fmt.Errorf("its items did not fit together %d times", maxReads)
	errAnew = fmt.Errorf("it was deleted and made anew: %w", store.ErrConflict)
)

// Load implements [store.Log]. Who follows a study pays for the new events only: one Query
// that begins behind what the caller has. Everybody else reads the head, the snapshot and
// the tail after it.
func (l *Log) Load(ctx context.Context, study string, have int64) (store.Records, error) {
	if err := store.CheckStudy(study); err != nil {
		return store.Records{}, err
	}
	r, err := l.load(ctx, study, have)
	if err != nil {
		return store.Records{}, l.failed("load", study, err)
	}
	return r, nil
}

func (l *Log) load(ctx context.Context, study string, have int64) (store.Records, error) {
	v, following := l.viewOf(study, have)
	if !following || have == 0 {
		return l.loadAnew(ctx, study, have)
	}
	for range maxReads {
		s, err := l.scan(ctx, study, have+1)
		if err != nil {
			return store.Records{}, err
		}
		if err := l.still(study, v, s.head); err != nil {
			return store.Records{}, err
		}
		c, err := l.follow(s, have+1)
		if err != nil {
			return store.Records{}, err
		}
		if !c.dead && !c.gap && s.head.seq <= c.end {
			l.saw(study, v.id, c.end)
			return l.records(s, c, c.events, have)
		}
		// A snapshot took events in that the caller lacks. The tombstones in their place
		// hold the answers, as long as they last.
		r, err := l.loadAnew(ctx, study, have)
		if err != nil {
			return store.Records{}, err
		}
		if now, _ := l.viewOf(study, r.Seq); now.id != v.id {
			l.forget(study)
			return store.Records{}, errAnew
		}
		if r.AnswersFrom == have || c.gap {
			return r, nil
		}
		if r.SnapshotSeq <= c.end {
			r.Answers, r.AnswersFrom = append(c.answersIn(have, r.SnapshotSeq), r.Answers...), have
			return r, nil
		}
	}
	return store.Records{}, errTorn
}

// loadAnew reads what leads on from have: the newest snapshot, if that is later, and the
// tail behind it.
func (l *Log) loadAnew(ctx context.Context, study string, have int64) (store.Records, error) {
	for range maxReads {
		h, s, c, err := l.tail(ctx, study)
		if err != nil {
			return store.Records{}, err
		}
		if have > c.end {
			return store.Records{}, beyond(have, c.end)
		}
		start := have
		var snapshot []byte
		if h.seq > have {
			start = h.seq
			var replaced bool
			if snapshot, replaced, err = l.snapshot(ctx, study, h); err != nil {
				return store.Records{}, err
			}
			if replaced {
				continue
			}
		}
		l.saw(study, h.id, c.end)
		r, err := l.records(s, c, c.events[start+1-h.from:], start)
		if start > have {
			r.Snapshot, r.SnapshotSeq = snapshot, h.seq
		}
		return r, err
	}
	return store.Records{}, errTorn
}

// tail reads a study's head and the events behind its snapshot: c.events begin with event
// h.from.
func (l *Log) tail(ctx context.Context, study string) (h head, s scan, c chain, err error) {
	for range maxReads {
		if h, err = l.head(ctx, study); err != nil {
			return h, s, c, err
		}
		if s, err = l.scan(ctx, study, h.from); err != nil {
			return h, s, c, err
		}
		if s.head == nil || s.head.id != h.id {
			continue
		}
		if c, err = l.follow(s, h.from); err != nil {
			return h, s, c, err
		}
		if !c.dead && !c.gap && c.end >= h.seq {
			return h, s, c, nil
		}
	}
	return h, s, c, errTorn
}

// records puts together what a load returns: events, and the answers after a number.
func (l *Log) records(s scan, c chain, events [][]byte, answersFrom int64) (store.Records, error) {
	requests, err := l.requests(s)
	return store.Records{Events: events, Seq: c.end, Requests: requests,
		Answers: c.answersIn(answersFrom, c.end), AnswersFrom: answersFrom}, err
}

// still checks that the study is the one that was seen before.
func (l *Log) still(study string, v view, h *head) error {
	switch {
	case h == nil:
		l.forget(study)
		return store.ErrNotFound
	case h.id != v.id:
		l.forget(study)
		return errAnew
	}
	return nil
}

func beyond(seq, last int64) error {
	return fmt.Errorf("event %d is not there, the last is %d: %w", seq, last, store.ErrConflict)
}

// failed names the place of an error.
func (l *Log) failed(verb, study string, err error) error {
	return fmt.Errorf("%s study %s in table %s: %w", verb, study, l.table, err)
}
