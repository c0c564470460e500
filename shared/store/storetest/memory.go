package storetest

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"unicode"

	"github.com/supermax-hpo/supermax/shared/store"
)

// Memory is a [store.Mailbox] for tests of its callers. It passes this package's suites.
type Memory struct {
	mu      sync.Mutex
	studies map[string]*kept
}

var _ store.Mailbox = (*Memory)(nil)

type kept struct {
	events   [][]byte
	answers  []keptAnswer
	requests map[string]store.Request
	snapshot []byte
	seq      int64 // of the snapshot
}

type keptAnswer struct {
	store.Answer
	at int64
}

// Load implements [store.Log].
func (m *Memory) Load(_ context.Context, study string, have int64) (store.Records, error) {
	if err := store.CheckStudy(study); err != nil {
		return store.Records{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	k := m.studies[study]
	switch {
	case k == nil:
		return store.Records{}, store.ErrNotFound
	case have > int64(len(k.events)):
		return store.Records{}, store.ErrConflict
	}
	r := store.Records{Seq: int64(len(k.events)), AnswersFrom: have}
	start := have
	if k.seq > have {
		r.Snapshot, r.SnapshotSeq, start = k.snapshot, k.seq, k.seq
		if have == 0 {
			r.AnswersFrom = k.seq
		}
	}
	r.Events = slices.Clone(k.events[start:])
	for _, a := range k.answers {
		if a.at > r.AnswersFrom {
			r.Answers = append(r.Answers, a.Answer)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(k.requests)) {
		r.Requests = append(r.Requests, k.requests[id])
	}
	return r, nil
}

// Append implements [store.Log].
func (m *Memory) Append(_ context.Context, study string, after int64, events [][]byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.append(study, after, events)
}

func (m *Memory) append(study string, after int64, events [][]byte) error {
	if err := store.CheckAppend(study, after, events); err != nil {
		return err
	}
	if m.studies == nil {
		m.studies = make(map[string]*kept)
	}
	k := m.studies[study]
	switch {
	case k == nil && after == 0:
		k = &kept{requests: make(map[string]store.Request)}
		m.studies[study] = k
	case k == nil:
		return store.ErrNotFound
	case after != int64(len(k.events)):
		return store.ErrConflict
	}
	k.events = append(k.events, events...)
	return nil
}

// Compact implements [store.Log].
func (m *Memory) Compact(_ context.Context, study string, seq int64, snapshot []byte) error {
	if err := store.CheckStudy(study); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	k := m.studies[study]
	switch {
	case k == nil:
		return store.ErrNotFound
	case seq > int64(len(k.events)):
		return store.ErrConflict
	case seq > k.seq:
		k.snapshot, k.seq = snapshot, seq
	}
	return nil
}

// Studies implements [store.Log].
func (m *Memory) Studies(context.Context) ([]string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Sorted(maps.Keys(m.studies)), nil
}

// Post implements [store.Mailbox].
func (m *Memory) Post(_ context.Context, study string, r store.Request) error {
	if err := store.CheckStudy(study); err != nil {
		return err
	}
	plain := func(c rune) bool { return c < unicode.MaxASCII && (unicode.IsLetter(c) || unicode.IsDigit(c)) }
	if r.ID == "" || len(r.ID) > 64 || strings.IndexFunc(r.ID, func(c rune) bool { return !plain(c) }) >= 0 {
		return fmt.Errorf("request ID %q is not allowed", r.ID)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	k := m.studies[study]
	if k == nil {
		return store.ErrNotFound
	}
	k.requests[r.ID] = r
	return nil
}

// Answer implements [store.Mailbox].
func (m *Memory) Answer(_ context.Context, study string, after int64, events [][]byte, answers []store.Answer) error {
	if err := store.CheckStudy(study); err != nil {
		return err
	}
	if after == 0 {
		return fmt.Errorf("answer requests of study %s: it has no event yet", study)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.append(study, after, events); err != nil {
		return err
	}
	k := m.studies[study]
	for _, a := range answers {
		k.answers = append(k.answers, keptAnswer{a, after + int64(len(events))})
	}
	return nil
}

// Remove implements [store.Mailbox].
func (m *Memory) Remove(_ context.Context, study string, ids []string) error {
	if err := store.CheckStudy(study); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if k := m.studies[study]; k != nil {
		for _, id := range ids {
			delete(k.requests, id)
		}
	}
	return nil
}
