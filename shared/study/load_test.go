package study

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A log leads to the same state from its beginning, from a state on the way and from a
// snapshot there.
func TestLoad(t *testing.T) {
	m := large(t, "A", "random", 20)
	var log [][]byte
	for _, e := range m.events {
		data, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		log = append(log, data)
	}
	const half = 50
	want, last := snapshotOf(t, m.state), int64(len(log))
	whole, err := Load(nil, nil, log, last)
	if err != nil {
		t.Fatal(err)
	}
	middle, err := fold(m.events[:half])
	if err != nil {
		t.Fatal(err)
	}
	snapshot := []byte(snapshotOf(t, middle))
	tail := slices.Insert(slices.Clone(log[half:]), 3, []byte{}) // one that only carried answers
	restored, err := Load(nil, snapshot, tail, last)
	if err != nil {
		t.Fatal(err)
	}
	went, err := Load(middle, nil, tail, last)
	if err != nil {
		t.Fatal(err)
	}
	for name, s := range map[string]*State{"whole": whole, "from a snapshot": restored, "from a state": went} {
		if diff := cmp.Diff(want, snapshotOf(t, s)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}

	for name, c := range map[string]struct {
		snapshot []byte
		events   [][]byte
		want     string
	}{
		"snapshot":    {[]byte("{"), tail, "read snapshot: "},
		"no event":    {snapshot, [][]byte{log[half], []byte("[")}, "read event 9: "},
		"wrong event": {snapshot, [][]byte{log[0], log[half]}, "event 8: apply event"},
	} {
		if _, err := Load(nil, c.snapshot, c.events, 9); err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
}

func snapshotOf(t *testing.T, s *State) string {
	t.Helper()
	data, err := s.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
