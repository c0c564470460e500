package handler

import (
	"context"
	"errors"
	"fmt"

	"github.com/supermax-hpo/supermax/shared/protocol"
	"github.com/supermax-hpo/supermax/shared/store"
	"github.com/supermax-hpo/supermax/shared/study"
)

// entry is a study as this process last saw it. Its lock makes the requests of one process
// wait for each other instead of racing for the log.
type entry struct {
	name  string
	held  chan struct{} // full while locked: a lock that a waiter's context can leave
	state *study.State  // nil: nothing loaded; nobody else holds it, so events are applied in place
	seq   int64         // the last event in state
	mail  mail
}

// lock returns the study's entry, locked.
func (s *Service) lock(ctx context.Context, name string) (*entry, error) {
	if err := store.CheckStudy(name); err != nil {
		return nil, invalid("%v", err)
	}
	s.mu.Lock()
	e := s.studies[name]
	if e == nil {
		e = &entry{name: name, held: make(chan struct{}, 1)}
		if s.studies == nil {
			s.studies = make(map[string]*entry)
		}
		s.studies[name] = e
	}
	s.mu.Unlock()
	select {
	case e.held <- struct{}{}:
		return e, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (e *entry) unlock() { <-e.held }

// reset forgets what was loaded. Name and lock stay untouched: others read them unlocked.
func (e *entry) reset() { e.state, e.seq, e.mail = nil, 0, mail{} }

// refresh brings the state up to the log's end and returns what it loaded for that. After
// an error it knows what it knew before, or nothing.
func (e *entry) refresh(ctx context.Context, log store.Log) (store.Records, error) {
	r, err := log.Load(ctx, e.name, e.seq)
	if errors.Is(err, store.ErrConflict) { // the log was replaced by another one
		e.reset()
		r, err = log.Load(ctx, e.name, 0)
	}
	if errors.Is(err, store.ErrNotFound) {
		e.reset()
		return r, &study.Error{Code: protocol.CodeNotFound, Message: fmt.Sprintf("there is no study %q", e.name), Cause: store.ErrNotFound}
	}
	if err != nil {
		return r, err
	}
	if err := e.take(r); err != nil {
		e.reset()
		return r, fmt.Errorf("load study %s: %w", e.name, err)
	}
	e.mail.learn(r)
	return r, nil
}

// take brings the state to where the records lead. After an error it is of no use.
func (e *entry) take(r store.Records) error {
	var snapshot []byte
	if r.SnapshotSeq > 0 {
		snapshot = r.Snapshot
	}
	// An event that is empty only carried answers, see [batch.append].
	state, err := study.Load(e.state, snapshot, r.Events, r.Seq)
	if err != nil {
		return err
	}
	e.state = state
	e.seq = r.Seq
	return nil
}

const (
	// compactFirst is at which event a study's first snapshots are written.
	compactFirst = 64
	// compactGrowth divides: a snapshot is due when the log is longer by this part.
	compactGrowth = 4
)

// compactionDue reports whether the log gets a snapshot after an append that brought it
// from one length to another: at 64, 128, 192, 256 events, and then whenever it is a
// quarter longer. The lengths are fixed, so of all processes the one whose append crosses
// one compacts.
//
// A snapshot's size grows with the log's length, so the sizes of all of them are a
// geometric series that adds up to at most 1 / (1 - 1/1.25) = 5 times the last one. It is
// written and deleted once, which costs a write unit a KB each time: ten units for each KB
// of the last snapshot in all. A process that starts reads the newest snapshot and a tail
// of at most a quarter as many events (twice that when a compaction failed).
func compactionDue(before, after int64) bool {
	at := int64(compactFirst)
	for at <= before {
		at += max(compactFirst, at/compactGrowth)
	}
	return after >= at
}

// compact gives the log a snapshot when an append has brought it to a length where one is
// due. A failure is only logged: the request that came by is done, and the log stays whole.
func (e *entry) compact(ctx context.Context, s *Service, before int64) {
	if e.state == nil || !compactionDue(before, e.seq) {
		return
	}
	data, err := e.state.Snapshot()
	if err == nil {
		err = s.Log.Compact(ctx, e.name, e.seq, data)
	}
	if err != nil {
		s.logger().Warn("compaction failed", "study", e.name, "seq", e.seq, "error", err)
	}
}
