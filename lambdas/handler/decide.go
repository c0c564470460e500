package handler

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"time"

	"github.com/supermax-hpo/supermax/shared/pause"
	"github.com/supermax-hpo/supermax/shared/store"
	"github.com/supermax-hpo/supermax/shared/study"
)

const (
	// maxRounds bounds how often a request decides anew because another process was first.
	maxRounds = 20
	// crowd is how many requests in the mailbox make a try hopeless.
	crowd = 4
	// minPause is the least window from which the random pause between two tries is drawn.
	minPause = 4 * time.Millisecond
	// maxPause is the greatest one without a mailbox, maxWait the greatest with one.
	maxPause = 250 * time.Millisecond
	maxWait  = 15 * time.Second
)

// errUnknownFate says that a request may have been carried out while its caller looked
// away for days. Every request may be repeated.
var errUnknownFate = errors.New("the answer is not in the log any more")

// do carries out a command: it decides on the newest state and appends the events on the
// condition that nothing came between.
//
// When something did, and the log is a plain one, it decides anew, [maxRounds] times at most.
// A log with a mailbox bounds that whatever the contention ("flat combining": Hendler,
// Incze, Shavit, Tzafrir, 2010): who lost once posts its request, and whoever appends next
// carries out all requests that it finds, see [entry.carryOut]; the losers find their
// answers beside the events.
//
// The bound. Let N calls run at once in as many processes, and let a call lose its first
// append. It posts its request, which lies there from a time t on, and then loads; let
// W1, W2, … be the appends that it loses against from then on. Each was done after t, since
// the call had loaded what was done before. W1 may have loaded before t. W2 comes behind W1,
// so it has read W1's event; a load reads the requests after the events, so W2 read the
// request too and carries it out, unless [maxOthers] older ones came before it. A process
// whose older request was carried out posts its next one behind this one, so at most N-1
// are ever older, and W2 to W(1+⌈N/maxOthers⌉) carry out all of them. A call thus loses
// at most
//
//	1 (the first try) + 1 (W1) + ⌈N/maxOthers⌉
//
// appends: 3 where up to 100 calls run at once, 4 where 200 do. A process that started from
// a snapshot newer than a request must leave that alone, since it cannot know whether it
// was carried out; so a compaction during the call can add two, until the request was
// posted anew with a Base behind the snapshot.
func do[Req, Reply any](ctx context.Context, s *Service, c command[Req, Reply], name string, req Req) (Reply, error) {
	var none Reply
	e, err := s.lock(ctx, name)
	if err != nil {
		return none, err
	}
	defer e.unlock()
	box, _ := s.Log.(store.Mailbox)
	t := turn[Req, Reply]{s: s, e: e, box: box, command: c, req: req}
	if s.Observe != nil {
		defer func() { s.Observe(ctx, Observation{Command: c.name, State: e.state, Lost: t.lost}) }()
	}
	for {
		began := s.Clock()
		reply, raced, err := t.try(ctx)
		if raced == nil {
			return reply, err
		}
		if t.rounds++; t.rounds > maxRounds {
			return none, raced
		}
		took := s.Clock().Sub(began)
		if err := t.post(ctx); err != nil {
			return none, err
		}
		if err := pause.For(ctx, mathrand.N(t.window(took))); err != nil {
			return none, err
		}
	}
}

// turn is a command on its way into the log.
type turn[Req, Reply any] struct {
	s       *Service
	e       *entry
	box     store.Mailbox // nil: the log has none
	command command[Req, Reply]
	req     Req
	mine    store.Request // as it lies in the mailbox, once it has an ID
	rounds  int           // tries that brought no answer
	lost    int           // appends among them that another process was faster with
	rivals  int           // others' requests that lay in the mailbox
}

// window returns the bound of the pause before the next try, from how long the last one
// took. Without a mailbox it doubles, so that rivals get out of each other's way. With one,
// the first of them to try serves the others: the more there are, the longer all but a few
// wait, who then find their answers.
func (t *turn[Req, Reply]) window(took time.Duration) time.Duration {
	if t.box == nil {
		return min(minPause<<min(t.rounds, 10), maxPause)
	}
	return min(max(took, minPause)*time.Duration(1+min(t.rivals, 15)), maxWait)
}

// errCrowded says that so many try to append that one more is not worth the call: one of
// the others will carry out a posted request.
var errCrowded = errors.New("many others change the study at this moment")

// try decides on the newest state and appends once, or finds the answer. raced says why
// there is none yet: another process was faster, or many try.
func (t *turn[Req, Reply]) try(ctx context.Context) (reply Reply, raced, err error) {
	e := t.e
	r, err := e.refresh(ctx, t.s.Log)
	if err != nil {
		return reply, nil, err
	}
	if t.mine.ID != "" {
		if body, ok := answerTo(t.mine.ID, r); ok {
			reply, err = t.found(ctx, body)
			return reply, nil, err
		}
		if r.AnswersFrom > t.mine.Base {
			return reply, nil, fmt.Errorf("%s: %w", t.command.name, errUnknownFate)
		}
		t.mine.Base = e.seq
	}
	now := t.s.Clock()
	b := batch{state: e.state}
	open := e.mail.open(r.Requests, t.mine.ID)
	t.rivals = len(open)
	var events []study.Event
	if t.mine.ID == "" {
		reply, events, err = t.command.decide(b.state, now, t.req)
		if err != nil || len(events) == 0 {
			return reply, nil, err // there is nothing to race for
		}
		if t.rivals >= crowd {
			return reply, errCrowded, nil
		}
	}
	if len(open) > 0 {
		b = e.carryOut(now, open)
	}
	if t.mine.ID != "" || len(open) > 0 {
		reply, events, err = t.command.decide(b.state, now, t.req)
	}
	if err := b.addOwn(t.mine.ID, reply, events, err); err != nil {
		return reply, nil, err
	}
	before := e.seq
	switch failed := e.append(ctx, t.s.Log, b); {
	case errors.Is(failed, store.ErrConflict):
		t.lost++
		return reply, failed, nil
	case failed != nil:
		return reply, nil, failed
	}
	t.remove(ctx, append(e.mail.leftBehind(r.Requests, before), b.ids()...))
	e.compact(ctx, t.s, before)
	return reply, nil, err
}

// found takes the answer that another process gave.
func (t *turn[Req, Reply]) found(ctx context.Context, answer []byte) (Reply, error) {
	if t.rounds > 2 { // posted again, maybe behind the answer and its removal
		t.remove(ctx, []string{t.mine.ID})
	}
	return readAnswer[Reply](answer)
}

// post puts the request into the mailbox, if there is one: after the first round, and again
// from the third on, when a compaction may have left it behind.
func (t *turn[Req, Reply]) post(ctx context.Context) error {
	if t.box == nil || t.rounds == 2 {
		return nil
	}
	if t.mine.ID == "" {
		request, err := json.Marshal(t.req)
		if err != nil {
			return fmt.Errorf("write request: %w", err)
		}
		body, err := json.Marshal(posted{Command: t.command.name, Request: request})
		if err != nil {
			return fmt.Errorf("write request: %w", err)
		}
		t.mine = store.Request{ID: rand.Text(), First: t.e.seq, Base: t.e.seq, Body: body}
	}
	return t.box.Post(ctx, t.e.name, t.mine)
}

// remove takes answered requests out of the mailbox. A failure is only logged: they expire.
func (t *turn[Req, Reply]) remove(ctx context.Context, ids []string) {
	if len(ids) == 0 {
		return
	}
	if err := t.box.Remove(ctx, t.e.name, ids); err != nil {
		t.s.logger().Warn("answered requests were not removed", "study", t.e.name, "error", err)
	}
}
