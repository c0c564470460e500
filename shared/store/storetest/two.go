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

// What one process appends the other loads, and who is behind collides, also when a
// snapshot has taken in the events that it lacks.
func testTwoProcesses(t *testing.T, one, another store.Log) {
	ctx := t.Context()
	mustAppend(t, one, "s", 0, events(1, 2))
	wantLoad(t, another, "s", 0, store.Records{Seq: 2, Events: events(1, 2)})
	mustAppend(t, one, "s", 2, events(3, 5))
	wantErr(t, "Append behind another's", another.Append(ctx, "s", 2, events(3, 3)), store.ErrConflict)
	wantErr(t, "Append within another's", another.Append(ctx, "s", 4, events(5, 5)), store.ErrConflict)
	wantLoad(t, another, "s", 2, store.Records{Seq: 5, Events: events(3, 5)})
	mustAppend(t, another, "s", 5, events(6, 6))
	wantErr(t, "Append behind another's", one.Append(ctx, "s", 5, events(6, 6)), store.ErrConflict)

	if err := another.Compact(ctx, "s", 6, []byte("six")); err != nil {
		t.Fatal(err)
	}
	wantErr(t, "Append behind a snapshot", one.Append(ctx, "s", 5, events(6, 6)), store.ErrConflict)
	wantLoad(t, one, "s", 5, store.Records{Seq: 6, Snapshot: []byte("six"), SnapshotSeq: 6})
	mustAppend(t, one, "s", 6, events(7, 8))
	if err := one.Compact(ctx, "s", 6, []byte("six again")); err != nil {
		t.Fatal(err)
	}
	wantLoad(t, another, "s", 0, store.Records{Seq: 8, Snapshot: []byte("six"), SnapshotSeq: 6, Events: events(7, 8)})
}

// Of two that make the same study at once, one does.
func testTwoCreators(t *testing.T, one, another store.Log) {
	for round := range 5 {
		name := fmt.Sprint("s", round)
		var errs [2]error
		var making sync.WaitGroup
		for i, l := range []store.Log{one, another} {
			making.Go(func() { errs[i] = l.Append(t.Context(), name, 0, events(1, 1)) })
		}
		making.Wait()
		if (errs[0] == nil) == (errs[1] == nil) {
			t.Fatalf("two creators got %v and %v", errs[0], errs[1])
		}
		wantErr(t, "the other creator's Append", errors.Join(errs[0], errs[1]), store.ErrConflict)
		wantLoad(t, one, name, 0, store.Records{Seq: 1, Events: events(1, 1)})
	}
}

// Who follows a log that another process writes and compacts sees every event once, in
// order: as an event, or counted by a snapshot.
func testFollow(t *testing.T, one, another store.Log) {
	const total = 120
	ctx := t.Context()
	mustAppend(t, one, "s", 0, events(1, 1))
	var writing sync.WaitGroup
	writing.Go(func() {
		for i := int64(1); i < total; i++ {
			if err := one.Append(ctx, "s", i, events(i+1, i+1)); err != nil {
				t.Errorf("Append after %d: %v", i, err)
				return
			}
			if i%7 == 0 {
				if err := one.Compact(ctx, "s", i+1, fmt.Append(nil, i+1)); err != nil {
					t.Errorf("Compact(%d): %v", i+1, err)
				}
			}
		}
	})
	for have := int64(0); have < total && !t.Failed(); {
		r, err := another.Load(ctx, "s", have)
		if err != nil {
			t.Fatalf("Load(%d): %v", have, err)
		}
		if r.SnapshotSeq > 0 {
			if r.SnapshotSeq <= have || string(r.Snapshot) != fmt.Sprint(r.SnapshotSeq) {
				t.Fatalf("Load(%d): snapshot %q at %d", have, r.Snapshot, r.SnapshotSeq)
			}
			have = r.SnapshotSeq
		}
		if d := cmp.Diff(events(have+1, r.Seq), r.Events, cmpopts.EquateEmpty()); d != "" {
			t.Fatalf("events after %d: %s", have, d)
		}
		have = r.Seq
	}
	writing.Wait()
}
