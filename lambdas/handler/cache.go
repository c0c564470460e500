package handler

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/supermax-hpo/supermax/shared/protocol"
	"github.com/supermax-hpo/supermax/shared/store"
	"github.com/supermax-hpo/supermax/shared/study"
)

// compactEvery is after how many events the log gets a snapshot.
const compactEvery = 50

// entry is a study as this process last saw it. Its lock makes the requests of one process
// wait for each other instead of racing for the log.
type entry struct {
	name     string
	held     chan struct{} // full while locked: a lock that a waiter's context can leave
	state    *study.State  // nil: nothing loaded; never changed, only replaced
	seq      int64         // the last event in state
	snapshot int64         // the last event in the newest snapshot that was seen
}

// lock returns the study's entry, locked.
func (s *Service) lock(ctx context.Context, name string) (*entry, error) {
	if err := store.CheckStudy(name); err != nil {
		return nil, &study.Error{Code: protocol.CodeInvalid, Message: err.Error()}
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

// refresh brings the state up to the log's end.
func (e *entry) refresh(ctx context.Context, log store.Log) error {
	r, err := log.Load(ctx, e.name, e.seq)
	if errors.Is(err, store.ErrConflict) { // the log was replaced by a shorter one
		*e = entry{name: e.name, held: e.held}
		r, err = log.Load(ctx, e.name, 0)
	}
	if errors.Is(err, store.ErrNotFound) {
		*e = entry{name: e.name, held: e.held}
		return &study.Error{Code: protocol.CodeNotFound, Message: fmt.Sprintf("there is no study %q", e.name), Cause: store.ErrNotFound}
	}
	if err != nil {
		return err
	}
	if r.Seq == e.seq {
		return nil
	}
	next, err := restored(e.state, r)
	if err != nil {
		return fmt.Errorf("load study %s: %w", e.name, err)
	}
	e.state, e.seq, e.snapshot = next, r.Seq, max(e.snapshot, r.SnapshotSeq)
	return nil
}

// restored returns the state that records lead to from another one, which it leaves as it
// is.
func restored(from *study.State, r store.Records) (*study.State, error) {
	next := new(study.State)
	switch {
	case r.SnapshotSeq > 0:
		var err error
		if next, err = study.Restore(r.Snapshot); err != nil {
			return nil, err
		}
	case from != nil:
		next = from.Clone()
	}
	for i, data := range r.Events {
		n := r.Seq - int64(len(r.Events)-1-i)
		var event study.Event
		if err := json.Unmarshal(data, &event); err != nil {
			return nil, fmt.Errorf("read event %d: %w", n, err)
		}
		if err := next.Apply(event); err != nil {
			return nil, fmt.Errorf("event %d: %w", n, err)
		}
	}
	return next, nil
}

// compact gives the log a snapshot when it has grown. A failure is only logged: the
// request that came by is done, and the next one tries again.
func (e *entry) compact(ctx context.Context, s *Service) {
	if e.seq-e.snapshot < compactEvery {
		return
	}
	data, err := e.state.Snapshot()
	if err == nil {
		err = s.Log.Compact(ctx, e.name, e.seq, data)
	}
	if err != nil {
		s.logger().Warn("compaction failed", "study", e.name, "seq", e.seq, "error", err)
		return
	}
	e.snapshot = e.seq
}
