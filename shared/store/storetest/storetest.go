// Package storetest is the conformance suite of [store.Log]: every backend runs it.
package storetest

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/supermax-hpo/supermax/shared/store"
)

// Run tests the Log that open returns, which is new and empty each time: twice, as two
// processes have it.
func Run(t *testing.T, open func(t *testing.T) (one, another store.Log)) {
	for name, test := range map[string]func(*testing.T, store.Log, store.Log){
		"TwoProcesses": testTwoProcesses,
		"TwoCreators":  testTwoCreators,
		"Follow":       testFollow,
	} {
		t.Run(name, func(t *testing.T) {
			one, another := open(t)
			test(t, one, another)
		})
	}
	for name, test := range map[string]func(*testing.T, store.Log){
		"AppendAndLoad":     testAppendAndLoad,
		"Conditions":        testConditions,
		"Compact":           testCompact,
		"SnapshotWhileHave": testSnapshotWhileHave,
		"Studies":           testStudies,
		"Names":             testNames,
		"BigEvents":         testBigEvents,
		"Race":              testRace,
		"CompactRace":       testCompactRace,
		"Model":             testModel,
	} {
		t.Run(name, func(t *testing.T) {
			one, _ := open(t)
			test(t, one)
		})
	}
}

func events(from, to int64) [][]byte {
	var list [][]byte
	for i := from; i <= to; i++ {
		list = append(list, fmt.Appendf(nil, "event %d", i))
	}
	return list
}

func mustAppend(t *testing.T, l store.Log, study string, after int64, list [][]byte) {
	t.Helper()
	if err := l.Append(t.Context(), study, after, list); err != nil {
		t.Fatalf("Append(%s, %d): %v", study, after, err)
	}
}

func wantLoad(t *testing.T, l store.Log, study string, have int64, want store.Records) {
	t.Helper()
	got, err := l.Load(t.Context(), study, have)
	if err != nil {
		t.Fatalf("Load(%s, %d): %v", study, have, err)
	}
	if !same(want, got) && !same(withoutSnapshot(have, want), got) {
		t.Fatalf("Load(%s, %d): -want +got\n%s", study, have, cmp.Diff(want, got))
	}
}

// withoutSnapshot returns what leads on from have as well as want does: a log may still
// hold events that a snapshot took in. Who has nothing gets the snapshot.
func withoutSnapshot(have int64, want store.Records) store.Records {
	if have == 0 || want.SnapshotSeq == 0 {
		return want
	}
	return store.Records{Seq: want.Seq, Events: events(have+1, want.Seq)}
}

// same compares records; no bytes and nil are the same to a caller.
func same(a, b store.Records) bool {
	return a.Seq == b.Seq && a.SnapshotSeq == b.SnapshotSeq && bytes.Equal(a.Snapshot, b.Snapshot) &&
		slices.EqualFunc(a.Events, b.Events, bytes.Equal)
}

func wantErr(t *testing.T, call string, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Fatalf("%s = %v, want %v", call, got, want)
	}
}

func testAppendAndLoad(t *testing.T, l store.Log) {
	mustAppend(t, l, "s", 0, events(1, 3))
	mustAppend(t, l, "s", 3, events(4, 4))
	mustAppend(t, l, "other", 0, [][]byte{nil, {0, 0xff, '\n'}}) // any bytes are an event
	for have := range int64(5) {
		wantLoad(t, l, "s", have, store.Records{Seq: 4, Events: events(have+1, 4)})
	}
	wantLoad(t, l, "other", 0, store.Records{Seq: 2, Events: [][]byte{{}, {0, 0xff, '\n'}}})
}

func testConditions(t *testing.T, l store.Log) {
	ctx := t.Context()
	_, err := l.Load(ctx, "s", 0)
	wantErr(t, "Load of no study", err, store.ErrNotFound)
	wantErr(t, "Append to no study", l.Append(ctx, "s", 1, events(2, 2)), store.ErrNotFound)
	wantErr(t, "Compact of no study", l.Compact(ctx, "s", 1, nil), store.ErrNotFound)
	mustAppend(t, l, "s", 0, events(1, 3))
	for _, after := range []int64{0, 2, 4} {
		wantErr(t, fmt.Sprintf("Append after %d of 3", after), l.Append(ctx, "s", after, events(9, 9)), store.ErrConflict)
	}
	_, err = l.Load(ctx, "s", 4)
	wantErr(t, "Load beyond the end", err, store.ErrConflict)
	wantErr(t, "Compact beyond the end", l.Compact(ctx, "s", 4, nil), store.ErrConflict)
	if err := l.Append(ctx, "s", 3, nil); err == nil {
		t.Fatal("Append of nothing succeeded")
	}
	if err := l.Append(ctx, "s", -1, events(1, 1)); err == nil {
		t.Fatal("Append after -1 succeeded")
	}
	wantLoad(t, l, "s", 0, store.Records{Seq: 3, Events: events(1, 3)}) // nothing of that left a trace
}

func testCompact(t *testing.T, l store.Log) {
	ctx := t.Context()
	mustAppend(t, l, "s", 0, events(1, 5))
	compact := func(seq int64, snapshot string) {
		t.Helper()
		if err := l.Compact(ctx, "s", seq, []byte(snapshot)); err != nil {
			t.Fatalf("Compact(%d): %v", seq, err)
		}
	}
	compact(3, "three")
	want := store.Records{Seq: 5, Snapshot: []byte("three"), SnapshotSeq: 3, Events: events(4, 5)}
	wantLoad(t, l, "s", 0, want)
	compact(3, "three again") // repeated
	compact(2, "two")         // lost a race
	wantLoad(t, l, "s", 0, want)
	compact(5, "five")
	wantLoad(t, l, "s", 0, store.Records{Seq: 5, Snapshot: []byte("five"), SnapshotSeq: 5})
	mustAppend(t, l, "s", 5, events(6, 6))
	wantErr(t, "Append after 0 of a compacted study", l.Append(ctx, "s", 0, events(1, 1)), store.ErrConflict)
	wantLoad(t, l, "s", 0, store.Records{Seq: 6, Snapshot: []byte("five"), SnapshotSeq: 5, Events: events(6, 6)})
}

// Who already has what the snapshot holds gets only the events; who has less gets it.
func testSnapshotWhileHave(t *testing.T, l store.Log) {
	mustAppend(t, l, "s", 0, events(1, 5))
	if err := l.Compact(t.Context(), "s", 3, []byte("three")); err != nil {
		t.Fatal(err)
	}
	wantLoad(t, l, "s", 2, store.Records{Seq: 5, Snapshot: []byte("three"), SnapshotSeq: 3, Events: events(4, 5)})
	for _, have := range []int64{3, 4, 5} {
		wantLoad(t, l, "s", have, store.Records{Seq: 5, Events: events(have+1, 5)})
	}
}

func testStudies(t *testing.T, l store.Log) {
	want := []string{"B", "a-1", "b"}
	got, err := l.Studies(t.Context())
	if err != nil || len(got) != 0 {
		t.Fatalf("Studies of an empty log = %v, %v", got, err)
	}
	for _, s := range []string{"b", "a-1", "B"} {
		mustAppend(t, l, s, 0, events(1, 1))
	}
	if got, err = l.Studies(t.Context()); err != nil || !cmp.Equal(got, want) {
		t.Fatalf("Studies = %v, %v; want %v", got, err, want)
	}
}

func testNames(t *testing.T, l store.Log) {
	ctx := t.Context()
	for _, bad := range []string{"", ".", "../x", "a/b", "a b", "a=b", "-a", "ä", strings.Repeat("a", 65)} {
		_, err := l.Load(ctx, bad, 0)
		for call, err := range map[string]error{
			"Load": err, "Append": l.Append(ctx, bad, 0, events(1, 1)), "Compact": l.Compact(ctx, bad, 1, nil),
		} {
			if err == nil || !strings.Contains(err.Error(), "study name") {
				t.Errorf("%s of study %q = %v, want the name refused", call, bad, err)
			}
		}
	}
	mustAppend(t, l, strings.Repeat("a", 64), 0, events(1, 1))
}

// A tell of stage C with the events around it stays well below these sizes.
func testBigEvents(t *testing.T, l store.Log) {
	big := []byte(strings.Repeat("x", 100<<10))
	mustAppend(t, l, "s", 0, [][]byte{big, big, big})
	snapshot := []byte(strings.Repeat("y", 2<<20))
	if err := l.Compact(t.Context(), "s", 2, snapshot); err != nil {
		t.Fatal(err)
	}
	wantLoad(t, l, "s", 0, store.Records{Seq: 3, Snapshot: snapshot, SnapshotSeq: 2, Events: [][]byte{big}})
}
