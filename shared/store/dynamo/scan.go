package dynamo

import (
	"context"
	"fmt"
	"strings"

	"github.com/supermax-hpo/supermax/shared/store"
)

// known refuses an item that a newer program wrote.
func known(i item) error {
	if v := i.number(attrVersion); v > schemaVersion {
		return fmt.Errorf("an item's schema version is %d, this program knows %d: %w", v, schemaVersion, store.ErrNewerSchema)
	}
	return nil
}

// head is the item that makes a study exist.
type head struct {
	id      string
	seq     int64  // the last event in the snapshot, 0 without one
	from    int64  // the first event of the item with which the tail begins
	nonce   string // of the snapshot's chunks
	chunks  int64
	cleared int64 // tombstones stand up to here
}

func headOf(i item) head {
	return head{id: i.text(attrID), seq: i.number(attrSeq), from: i.number(attrFrom),
		nonce: i.text(attrNonce), chunks: i.number(attrCount), cleared: i.number(attrCleared)}
}

// head reads a study's head: [store.ErrNotFound] when there is none.
func (l *Log) head(ctx context.Context, study string) (head, error) {
	i, err := l.get(ctx, studyKey(study), headKey)
	if err != nil {
		return head{}, err
	}
	if i == nil {
		return head{}, store.ErrNotFound
	}
	return headOf(i), nil
}

// appended is an event item.
type appended struct {
	first int64
	item  item
}

func (a appended) last() int64 { return a.first + a.item.number(attrCount) - 1 }

// dead says that it is a tombstone.
func (a appended) dead() bool { return a.item[attrData] == nil }

// scan is what one look at a study from an event on found.
type scan struct {
	head     *head // nil: there is no such study
	appended []appended
	requests []item
}

// scan reads the event items from the one that begins with an event on, then the head,
// then the mailbox: consistently, and in that order, so that it finds every request that
// was posted before the last event it finds was appended.
func (l *Log) scan(ctx context.Context, study string, from int64) (scan, error) {
	var s scan
	err := l.query(ctx, studyKey(study), eventKey(from), requestsEnd, true, 0, func(i item) (bool, error) {
		switch sk := i.text(attrSK); {
		case sk == headKey:
			h := headOf(i)
			s.head = &h
		case strings.HasPrefix(sk, requestPrefix):
			s.requests = append(s.requests, i)
		default:
			first, err := eventSeq(sk)
			if err != nil {
				return false, err
			}
			s.appended = append(s.appended, appended{first, i})
		}
		return true, nil
	})
	return s, err
}

// chain is the part of a scan that follows on without a gap.
type chain struct {
	events  [][]byte // of the live items, from the first event on
	end     int64    // the last event
	answers []placedAnswer
	dead    bool // tombstones are among them
	gap     bool // something lies beyond the end
}

// placedAnswer is an answer and the last event of the append that it came with.
type placedAnswer struct {
	store.Answer
	at int64
}

// follow chains the items up, which begin with an event. Items of a former study of the
// same name are as good as not there.
func (l *Log) follow(s scan, from int64) (chain, error) {
	codec, err := l.codec()
	if err != nil {
		return chain{}, err
	}
	c := chain{end: from - 1}
	for _, a := range s.appended {
		if a.item.text(attrID) != s.head.id {
			continue
		}
		if a.first != c.end+1 {
			c.gap = true
			return c, nil
		}
		c.end = a.last()
		if packed := a.item.bytes(attrAnswers); packed != nil {
			list, err := codec.unpack(packed)
			if err != nil || len(list)%2 != 0 {
				return chain{}, fmt.Errorf("read the answers after event %d: %w", a.first, errDamaged)
			}
			for i := 0; i < len(list); i += 2 {
				c.answers = append(c.answers, placedAnswer{store.Answer{ID: string(list[i]), Body: list[i+1]}, c.end})
			}
		}
		if a.dead() {
			c.dead = true
			continue
		}
		events, err := codec.unpack(a.item.bytes(attrData))
		if err == nil && int64(len(events)) != a.item.number(attrCount) {
			err = errDamaged
		}
		if err != nil {
			return chain{}, fmt.Errorf("read event %d: %w", a.first, err)
		}
		c.events = append(c.events, events...)
	}
	return c, nil
}

// answersIn returns the answers of the appends that end after one event and up to another.
func (c chain) answersIn(after, to int64) []store.Answer {
	var list []store.Answer
	for _, a := range c.answers {
		if after < a.at && a.at <= to {
			list = append(list, a.Answer)
		}
	}
	return list
}
