package handler

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/supermax-hpo/supermax/shared/pause"
	"github.com/supermax-hpo/supermax/shared/store"
	"github.com/supermax-hpo/supermax/shared/study"
)

const (
	// maxTries bounds how often a request decides anew because another process was first.
	maxTries = 20
	// firstPause is the bound of the first random pause between two tries; it doubles up
	// to maxPause.
	firstPause = 4 * time.Millisecond
	maxPause   = 250 * time.Millisecond
)

// do runs one command of package study: decide on the newest state, append the events on
// condition, decide anew when that failed.
func do[Req, Reply any](ctx context.Context, s *Service, c command[Req, Reply], name string, req Req) (Reply, error) {
	var none Reply
	e, err := s.lock(ctx, name)
	if err != nil {
		return none, err
	}
	defer e.unlock()
	for wait, try := firstPause, 0; ; wait, try = min(2*wait, maxPause), try+1 {
		if err := e.refresh(ctx, s.Log); err != nil {
			return none, err
		}
		reply, events, err := c.decide(e.state, s.Clock(), req)
		if err != nil {
			return none, err
		}
		err = e.append(ctx, s.Log, events)
		if err == nil {
			e.compact(ctx, s)
			return reply, nil
		}
		if !errors.Is(err, store.ErrConflict) || try == maxTries {
			return none, err
		}
		if err := pause.For(ctx, rand.N(wait)); err != nil {
			return none, err
		}
	}
}

// append adds events to the log and, when that succeeded, to the entry's state. After an
// error that is no conflict the log may or may not hold them: the next refresh shows.
func (e *entry) append(ctx context.Context, log store.Log, events []study.Event) error {
	if len(events) == 0 {
		return nil
	}
	next := e.state.Clone()
	data := make([][]byte, len(events))
	for i, event := range events {
		var err error
		if data[i], err = json.Marshal(event); err != nil {
			return fmt.Errorf("write event: %w", err)
		}
		if err := next.Apply(event); err != nil {
			return err
		}
	}
	if err := log.Append(ctx, e.name, e.seq, data); err != nil {
		return err
	}
	e.state, e.seq = next, e.seq+int64(len(events))
	return nil
}
