package handler

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/supermax-hpo/supermax/shared/store"
	"github.com/supermax-hpo/supermax/shared/study"
)

const (
	// maxOthers is how many requests of others an append carries out.
	maxOthers = 100
	// maxOthersSize ends that earlier: so many bytes of events and answers are, compressed,
	// well below what one append takes.
	maxOthersSize = 300_000
)

// batch is what one append brings: events, and the answers of the requests that they come
// from.
type batch struct {
	state   *study.State  // what the requests of others lead to; the entry's own without any
	own     []study.Event // of the request that makes the append: to be applied after it
	data    [][]byte
	answers []store.Answer
	size    int
}

// carryOut decides requests of others, one after the other, on a copy of the state. Those
// that this process cannot decide it leaves to their owners.
func (e *entry) carryOut(now time.Time, open []store.Request) batch {
	b := batch{state: e.state.Clone()}
	for _, r := range open {
		if len(b.answers) == maxOthers || b.size > maxOthersSize {
			break
		}
		reply, events, err := decide(b.state, now, r)
		if err := b.add(r.ID, reply, events, err); err != nil {
			continue
		}
		for _, event := range events {
			if err := b.state.Apply(event); err != nil {
				return batch{state: e.state} // not what was decided: let everybody decide alone
			}
		}
	}
	return b
}

// decide decides a request as it was posted.
func decide(s *study.State, now time.Time, r store.Request) ([]byte, []study.Event, error) {
	var p posted
	if err := json.Unmarshal(r.Body, &p); err != nil {
		return nil, nil, fmt.Errorf("read request: %w", err)
	}
	by, ok := deciders[p.Command]
	if !ok {
		return nil, nil, fmt.Errorf("read request: command %.40q is unknown", p.Command)
	}
	return by(s, now, p.Request)
}

// add adds a request's events and its answer: a reply or a refusal. Any other error is no
// answer, and nothing is added.
func (b *batch) add(id string, reply []byte, events []study.Event, err error) error {
	answer, err := writeAnswer(reply, err)
	if err != nil {
		return err
	}
	if err := b.addEvents(events); err != nil {
		return err
	}
	b.answers = append(b.answers, store.Answer{ID: id, Body: answer})
	b.size += len(answer)
	return nil
}

// addOwn adds the events of the request that makes the append, and its answer if it was
// posted under an ID.
func (b *batch) addOwn(id string, reply any, events []study.Event, err error) error {
	var refused *study.Error
	if err != nil && !errors.As(err, &refused) {
		return err
	}
	b.own = events
	if id == "" {
		return b.addEvents(events)
	}
	var data []byte
	if err == nil {
		var marshalErr error
		if data, marshalErr = json.Marshal(reply); marshalErr != nil {
			return fmt.Errorf("write reply: %w", marshalErr)
		}
	}
	return b.add(id, data, events, err)
}

func (b *batch) addEvents(events []study.Event) error {
	data := make([][]byte, len(events))
	for i, event := range events {
		var err error
		if data[i], err = json.Marshal(event); err != nil {
			return fmt.Errorf("write event: %w", err)
		}
		b.size += len(data[i])
	}
	b.data = append(b.data, data...)
	return nil
}

// ids returns the requests that the batch answers.
func (b *batch) ids() []string {
	var ids []string
	for _, a := range b.answers {
		ids = append(ids, a.ID)
	}
	return ids
}

// append adds a batch to the log and, when that succeeded, to the entry. Answers without an
// event come with an empty one, which means nothing: a request that lies in the mailbox is
// over only when the log says so. After an error that is no conflict the log may or may not
// hold the batch: the next refresh shows.
func (e *entry) append(ctx context.Context, log store.Log, b batch) error {
	if len(b.data) == 0 {
		b.data = [][]byte{{}}
	}
	var err error
	if len(b.answers) == 0 {
		err = log.Append(ctx, e.name, e.seq, b.data)
	} else {
		err = log.(store.Mailbox).Answer(ctx, e.name, e.seq, b.data, b.answers)
	}
	if err != nil {
		return err
	}
	e.state, e.seq = b.state, e.seq+int64(len(b.data))
	for _, a := range b.answers {
		e.mail.at[a.ID] = e.seq
	}
	for _, event := range b.own {
		if e.state.Apply(event) != nil {
			e.reset() // the log has the event; whoever loads it next says what is wrong
			break
		}
	}
	return nil
}
