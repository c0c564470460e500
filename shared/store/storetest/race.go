package storetest

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/supermax-hpo/supermax/shared/store"
)

// Writers that race through load, append and retry: every event is there once, in an
// order that each writer's own events keep.
func testRace(t *testing.T, l store.Log) {
	const writers, each = 8, 12
	mustAppend(t, l, "s", 0, [][]byte{[]byte("start")})
	var running sync.WaitGroup
	for w := range writers {
		running.Go(func() {
			for i := range each {
				pair := [][]byte{fmt.Appendf(nil, "%d/%d", w, 2*i), fmt.Appendf(nil, "%d/%d", w, 2*i+1)}
				if err := appendAtEnd(t, l, pair); err != nil {
					t.Errorf("writer %d: %v", w, err)
					return
				}
			}
		})
	}
	running.Wait()
	r, err := l.Load(t.Context(), "s", 1)
	if err != nil {
		t.Fatal(err)
	}
	next := make([]int, writers)
	for i, e := range r.Events {
		var w, n int
		if _, err := fmt.Sscanf(string(e), "%d/%d", &w, &n); err != nil {
			t.Fatalf("event %q: %v", e, err)
		}
		if n != next[w] || n%2 == 1 && string(r.Events[i-1]) != fmt.Sprintf("%d/%d", w, n-1) {
			t.Fatalf("event %d is %s: lost, doubled, or an append was split", i, e)
		}
		next[w]++
	}
	for w, n := range next {
		if n != 2*each {
			t.Errorf("writer %d has %d events, want %d", w, n, 2*each)
		}
	}
}

func appendAtEnd(t *testing.T, l store.Log, list [][]byte) error {
	for have := int64(1); ; {
		r, err := l.Load(t.Context(), "s", have)
		if err != nil {
			return err
		}
		have = r.Seq
		if err := l.Append(t.Context(), "s", have, list); !errors.Is(err, store.ErrConflict) {
			return err
		}
	}
}

// Compaction between appends and loads loses nothing and tears nothing: a snapshot that
// counts the events before it makes every load add up.
func testCompactRace(t *testing.T, l store.Log) {
	const total = 60
	mustAppend(t, l, "s", 0, events(1, 1))
	var running sync.WaitGroup
	running.Go(func() {
		for i := int64(1); i < total; i++ {
			if err := l.Append(t.Context(), "s", i, events(i+1, i+1)); err != nil {
				t.Errorf("Append after %d: %v", i, err)
				return
			}
		}
	})
	for range 2 {
		running.Go(func() {
			for seq := int64(0); seq < total; {
				r, err := l.Load(t.Context(), "s", 0)
				if err != nil {
					t.Errorf("Load: %v", err)
					return
				}
				if r.SnapshotSeq > 0 && string(r.Snapshot) != fmt.Sprint(r.SnapshotSeq) {
					t.Errorf("snapshot %q at %d", r.Snapshot, r.SnapshotSeq)
					return
				}
				if d := cmp.Diff(events(r.SnapshotSeq+1, r.Seq), r.Events, cmpopts.EquateEmpty()); d != "" {
					t.Errorf("events after snapshot %d: %s", r.SnapshotSeq, d)
					return
				}
				seq = r.Seq
				if err := l.Compact(t.Context(), "s", seq, fmt.Append(nil, seq)); err != nil {
					t.Errorf("Compact(%d): %v", seq, err)
					return
				}
			}
		})
	}
	running.Wait()
}
