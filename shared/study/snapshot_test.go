package study

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/supermax-hpo/supermax/shared/protocol"
)

// midway returns a study in which every kind of record exists: reports, an attempt that
// was lost, a lease and a slot that is gone.
func midway(t testing.TB) *State {
	t.Helper()
	settings := testSettings()
	settings.A.Trials = 3
	s, _, err := New(testStart, settings)
	if err != nil {
		t.Fatal(err)
	}
	apply := func(events []Event, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range events {
			if err := s.Apply(e); err != nil {
				t.Fatal(err)
			}
		}
	}
	ask := func(slot string) {
		_, events, err := s.Ask(testStart, protocol.AskRequest{Study: "s", Stage: "A", Slot: slot, Token: 1})
		apply(events, err)
	}
	tell := func(trial int, o protocol.Outcome) {
		_, events, err := s.Tell(testStart, protocol.TellRequest{Study: "s", Trial: trial, Outcome: o})
		apply(events, err)
	}
	_, events, err := s.Plan(testStart, protocol.StageRequest{Study: "s", Stage: "A"})
	apply(events, err)
	ask("s1")
	ask("s2")
	ask("s3")
	tell(0, protocol.Outcome{Epochs: []protocol.EpochMetrics{epochOf(1, 1, 0.5, 0.1)}})
	tell(1, protocol.Outcome{Failed: &protocol.Failure{Kind: protocol.FailedCrash, Message: "segfault"}})
	ask("s4")
	ask("s5")
	_, events, err = s.ReleaseSlot(testStart, protocol.ReleaseSlotRequest{Study: "s", Slot: "s5", Cause: protocol.FailedCrash})
	apply(events, err)
	return s
}

func TestSnapshotKeepsUnknownFields(t *testing.T) {
	data, err := midway(t).Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	head, lines, _ := bytes.Cut(data, []byte("\n"))
	var tree any
	if err := json.Unmarshal(head, &tree); err != nil {
		t.Fatal(err)
	}
	objects := addUnknown(tree, "")
	if objects < 15 {
		t.Fatalf("only %d objects in %s", objects, data)
	}
	more, err := json.Marshal(tree)
	if err != nil {
		t.Fatal(err)
	}
	s, err := Restore(slices.Concat(more, []byte("\n"), lines))
	if err != nil {
		t.Fatal(err)
	}
	got, err := s.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	head, again, _ := bytes.Cut(got, []byte("\n"))
	var back any
	if err := json.Unmarshal(head, &back); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(tree, back); diff != "" {
		t.Error(diff)
	}
	if string(again) != string(lines) {
		t.Errorf("columns\n%s\nwere\n%s", again, lines)
	}
}

// addUnknown puts a member of a newer version into every object of this package and
// returns how many there were. What belongs to others is left alone: a failure is the
// protocol's, slots a map by name.
func addUnknown(node any, key string) int {
	n := 0
	switch node := node.(type) {
	case map[string]any:
		for key, child := range node {
			if key != "failure" {
				n += addUnknown(child, key)
			}
		}
		if key != "slots" {
			node["added_later"] = map[string]any{"by": []any{"a", "newer", "version"}}
			n++
		}
	case []any:
		for _, child := range node {
			n += addUnknown(child, key)
		}
	}
	return n
}

// The settings' own unknown fields come from the first event and stay where they are.
func TestSettingsKeepUnknownFields(t *testing.T) {
	_, events, err := New(testStart, testSettings())
	if err != nil {
		t.Fatal(err)
	}
	created := events[0]
	created.Settings = json.RawMessage(strings.Replace(string(created.Settings), `"a":{`, `"a":{"added_later":1,`, 1))
	s := new(State)
	if err := s.Apply(created); err != nil {
		t.Fatal(err)
	}
	data, err := s.Snapshot()
	if err != nil || !strings.Contains(string(data), `"a":{"added_later":1,`) {
		t.Errorf("error %v, snapshot %s", err, data)
	}
}

func TestSnapshotErrors(t *testing.T) {
	if _, err := new(State).Snapshot(); err == nil {
		t.Error("a study that was not created has a snapshot")
	}
	data, err := midway(t).Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	valid := string(data)
	cases := []struct{ old, new, want string }{
		{`"schema_version":4`, `"schema_version":5`, "newer version"},
		{`"schema_version":4`, `"schema_version":0`, "schema version 0"},
		{`"schema_version":4`, `"schema_version":"2"`, "cannot unmarshal"},
		{`"trials":3`, `"trials":-3`, "a.trials"},
		{`"settings":{`, `"settings":3,"was":{`, "read settings"},
		{`"stages":[`, `"stages":[{},`, "4 stages"},
		{`"stages":[{"first":0`, `"stages":[{"first":9`, "begins at trial 9"},
		{`"stages":[{"first":0,"limit":3,"opened"`, `"stages":[{"first":0,"limit":3,"closed"`, "not opened in its turn"},
		{`"stages":[{"first":0,"limit":3`, `"stages":[{"first":0,"handed":[7],"limit":3`, "trial 7 does not exist"},
		{`"stages":[{"first":0`, `"stages":[{"first":1`, "in no stage"},
		{`"schema_version":4`, `"schema_version":1`, "invalid character"},
		{`["state",2,1,1]`, `["state",2,5,1]`, `state "STALE" is unknown`},
		{`["state",2,1,1]`, `["state",2,6,1]`, `state "" is unknown`},
		{`["state",2,1,1]`, `["state",1,1,1]`, "column seed.last has 1 rows, not 0"},
		{`["state",2,1,1]`, `["state",2,2,1]`, "column seed.last has 1 rows, not 2"},
		{`["state",2,1,1]`, `["state",2,1,0]`, "its lease is"},
		{`["state",2,1,1]`, `["state",2,1]`, "column state has 2 rows, not 3"},
		{`["state",2,1,1]`, `["state",2,1,1],`, "it is cut off or damaged"},
		{`["state",2,1,1]`, `[state,2,1,1]`, "it is cut off or damaged"},
		{`["state",2,1,1]`, `["state",2,1,one]`, `column state, row 2: ",one" is no number`},
		{`["state",2,1,1]`, `["state",2,1,1e400]`, "is no number"},
		{`["state",2,1,1]`, `["state"2,1,1]`, `column state, row 0: "2" is no number`},
		{`["state",2,1,1]`, `["status",2,1,1]`, "column seed.last has 1 rows, not 0"},
		{`["seed.last",1]`, `["seed.ece",1]`, "column seed.ece is there twice"},
		{`["seed.last",1]`, `["seed.later",1]`, "column seed.later is not known"},
		{"\n" + `["state",2,1,1]`, ``, "it is cut off or damaged"}, // what is packed stands in its place
		{`["attempt",0,1,0]`, `["rung",7,0,0]` + "\n" + `["attempt",0,1,0]`, "bytes follow its 9 columns"},
		{`["attempt",0,1,0]`, `["rung",7,0,0]`, "trial 0: rung 7 does not exist"},
		{`["attempt",0,1,0]`, `["rung",null,0,0]`, "does not exist"},
		{`["attempt",0,1,0]`, `["attempt",-1,1,0]`, "in attempt -1"},
		{`["param.1",0,1,0]`, `["param.1",0,2,0]`, "trial 1: head.pooling: is 2 in a point; allowed: cls, mean"},
		{`["param.1",0,1,0]`, `["report.continue",120000]`, "report 0 was promoted"},
		{`"details":[{`, `"details":[{"trial":4},{`, "a detail is of none of the 3 trials"},
		{`"details":[{`, `"details":[null,{`, "a detail is of none of the 3 trials"},
		{`{"trial":1,"requeues"`, `{"trial":1,"from":1,"requeues"`, "where it comes from is damaged"},
		{`"slots":{"s1":{`, `"slots":{"s1":null,"s0":{`, "slot s1 has no record"},
		{`"s2":{"token":1,"trial":1`, `"s2":{"token":1,"trial":5`, "slot s2 got trial 5"},
		{`"s2":{"token":1,`, `"s2":{"token":1,"rung":1,`, "slot s2 got trial 1, attempt 0, rung 1, which do not exist"},
		{`"s2":{"token":1,`, `"s2":{"token":1,"attempt":9,`, "slot s2 got trial 1, attempt 9"},
	}
	for _, c := range cases {
		damaged := strings.Replace(valid, c.old, c.new, 1)
		if damaged == valid {
			t.Errorf("%s is not in %s", c.old, valid)
		}
		_, err := Restore([]byte(damaged))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s → %s: got %v, want %q", c.old, c.new, err, c.want)
		}
		if newer := strings.Contains(c.want, "newer"); errors.Is(err, ErrNewerSchema) != newer {
			t.Errorf("%s → %s: newer schema %v", c.old, c.new, !newer)
		}
	}
	for n := range len(valid) {
		if n%97 == 0 {
			if _, err := Restore(data[:n]); err == nil {
				t.Fatalf("the first %d bytes are a snapshot", n)
			}
		}
	}
}

// readVersion reads the log and the snapshot that a former version wrote, which are one study.
func readVersion(t *testing.T, version int) (snapshot []byte, restored *State) {
	t.Helper()
	data, err := os.ReadFile(fmt.Sprintf("testdata/events_v%d.json", version))
	if err != nil {
		t.Fatal(err)
	}
	var events []Event
	if err := json.Unmarshal(data, &events); err != nil {
		t.Fatal(err)
	}
	folded, err := fold(events)
	if err != nil {
		t.Fatal(err)
	}
	want, err := folded.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	snapshot, err = os.ReadFile(fmt.Sprintf("testdata/snapshot_v%d.json", version))
	if err != nil {
		t.Fatal(err)
	}
	restored, err = Restore(snapshot)
	if err != nil {
		t.Fatal(err)
	}
	got, err := restored.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Fatal(diff)
	}
	return snapshot, restored
}

// Version 3 wrote what is packed as base64. Its study has limits, which trials break.
func TestVersion3IsRead(t *testing.T) {
	old, s := readVersion(t, 3)
	if !strings.Contains(string(old), `["seed.f1","`) {
		t.Error("nothing is packed: the test shows nothing")
	}
	if best := s.Best(protocol.StageA); len(best) == 0 || best[0].Violation > 0 == (best[len(best)-1].Violation > 0) {
		t.Errorf("trials by limits: %+v", best)
	}
}

// Version 2 had no limits and no objectives to choose. Its study has a trial that was lost
// once, one that failed, seeds that stopped early, a result that was carried, and a budget.
func TestVersion2IsRead(t *testing.T) {
	_, s := readVersion(t, 2)
	if budget, ok := s.BudgetDollars(); !ok || budget != 12.5 {
		t.Errorf("budget %v, %v", budget, ok)
	}
	reply, _, err := s.Ask(testStart.Add(30*time.Second), protocol.AskRequest{Study: "s", Stage: "B", Slot: "new", Token: 1})
	if err != nil || reply.Work == nil || reply.Work.Trial != 16 {
		t.Errorf("ask: %+v, %v", reply, err)
	}
}

// A log and a snapshot that version 1 wrote, with asks that waited among the events, are one
// study, which goes on as any other.
func TestVersion1IsRead(t *testing.T) {
	old, restored := readVersion(t, 1)
	reply, _, err := restored.Ask(testStart.Add(time.Minute), protocol.AskRequest{Study: "s", Stage: "B", Slot: "b8", Token: 3})
	if err != nil || reply.Kind != protocol.AskWait { // four of its six trials run
		t.Errorf("ask: %+v, %v", reply, err)
	}
	for _, c := range []struct{ old, new, want string }{
		{`"optim.lr":`, `"was":`, "trial 0: optim.lr: is missing"},
		{`"trials":[`, `"trials":[null,`, "trial 0 is missing"},
		{`"stage":"A"`, `"stage":"B"`, "trial 0 is of stage B, not A"},
		{`"number":1`, `"number":2`, "its number is 2"},
		{`"reports":[{"trial":0`, `"reports":[{"trial":1`, "report 0 is of trial 1"},
		{`"seeds":[{"seed":1,"last"`, `"seeds":[{"seed":5,"last"`, "its seeds are"},
		{`"stages":[`, `"stages":[{},`, "4 stages"},
		{`"state":"PAUSED"`, `"state":"MELTED"`, `state "MELTED" is unknown`},
	} {
		damaged := strings.Replace(string(old), c.old, c.new, 1)
		if _, err := Restore([]byte(damaged)); damaged == string(old) || err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s → %s: got %v, want %q", c.old, c.new, err, c.want)
		}
	}
}
