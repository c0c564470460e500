package storetest

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/supermax-hpo/supermax/shared/store"
)

// model is what a Log must look like from outside, without its storage.
type model struct {
	events      [][]byte // all of them, since the first
	snapshot    []byte
	snapshotSeq int64
}

// testModel runs random calls against the log and the model.
func testModel(t *testing.T, l store.Log) {
	run := 0
	rapid.Check(t, func(rt *rapid.T) {
		run++
		study := fmt.Sprintf("s%d", run)
		var m model
		rt.Repeat(map[string]func(*rapid.T){
			"append": func(rt *rapid.T) {
				after := rapid.Int64Range(0, int64(len(m.events))+1).Draw(rt, "after")
				list := rapid.SliceOfN(rapid.SliceOf(rapid.Byte()), 1, 3).Draw(rt, "events")
				wantSame(rt, "Append", l.Append(t.Context(), study, after, list), m.append(after, list))
			},
			"compact": func(rt *rapid.T) {
				seq := rapid.Int64Range(1, int64(len(m.events))+1).Draw(rt, "seq")
				snapshot := fmt.Append(nil, "up to ", seq)
				wantSame(rt, "Compact", l.Compact(t.Context(), study, seq, snapshot), m.compact(seq, snapshot))
			},
			"load": func(rt *rapid.T) {
				have := rapid.Int64Range(0, int64(len(m.events))+1).Draw(rt, "have")
				got, err := l.Load(t.Context(), study, have)
				want, wantErr := m.load(have)
				wantSame(rt, "Load", err, wantErr)
				if whole := m.events[min(have, want.Seq):]; !same(want, got) &&
					(have == 0 || !same(store.Records{Seq: want.Seq, Events: whole}, got)) {
					rt.Fatalf("Load(%d): -want +got\n%s", have, cmp.Diff(want, got))
				}
			},
		})
	})
}

func wantSame(t *rapid.T, call string, got, want error) {
	if !errors.Is(got, want) {
		t.Fatalf("%s = %v, want %v", call, got, want)
	}
}

func (m *model) append(after int64, list [][]byte) error {
	switch last := int64(len(m.events)); {
	case last == 0 && after > 0:
		return store.ErrNotFound
	case last != after:
		return store.ErrConflict
	}
	m.events = append(m.events, list...)
	return nil
}

func (m *model) compact(seq int64, snapshot []byte) error {
	switch last := int64(len(m.events)); {
	case last == 0:
		return store.ErrNotFound
	case seq > last:
		return store.ErrConflict
	case seq > m.snapshotSeq:
		m.snapshot, m.snapshotSeq = snapshot, seq
	}
	return nil
}

func (m *model) load(have int64) (store.Records, error) {
	last := int64(len(m.events))
	switch {
	case last == 0:
		return store.Records{}, store.ErrNotFound
	case have > last:
		return store.Records{}, store.ErrConflict
	}
	r := store.Records{Seq: last}
	if m.snapshotSeq > have {
		r.Snapshot, r.SnapshotSeq, have = m.snapshot, m.snapshotSeq, m.snapshotSeq
	}
	r.Events = m.events[have:]
	return r, nil
}
