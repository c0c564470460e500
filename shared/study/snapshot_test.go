package study

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

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
	var tree any
	if err := json.Unmarshal(data, &tree); err != nil {
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
	s, err := Restore(more)
	if err != nil {
		t.Fatal(err)
	}
	got, err := s.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	var back any
	if err := json.Unmarshal(got, &back); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(tree, back); diff != "" {
		t.Error(diff)
	}
}

// addUnknown puts a member of a newer version into every object of this package and
// returns how many there were. What belongs to others is left alone: parameters and a
// failure are the protocol's, slots a map by name.
func addUnknown(node any, key string) int {
	n := 0
	switch node := node.(type) {
	case map[string]any:
		for key, child := range node {
			if key != "params" && key != "failure" && key != "value" {
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
		{`"schema_version":2`, `"schema_version":3`, "newer version"},
		{`"schema_version":2`, `"schema_version":0`, "schema version 0"},
		{`"schema_version":2`, `"schema_version":"2"`, "cannot unmarshal"},
		{`"trials":3`, `"trials":-3`, "a.trials"},
		{`"settings":{`, `"settings":3,"was":{`, "read settings"},
		{`"stages":[`, `"stages":[{},`, "4 stages"},
		{`"stages":[{"first":0`, `"stages":[{"first":9`, "begins at trial 9"},
		{`"stages":[{"first":0,"limit":3,"opened"`, `"stages":[{"first":0,"limit":3,"closed"`, "not opened in its turn"},
		{`"stages":[{"first":0,"limit":3`, `"stages":[{"first":0,"handed":[7],"limit":3`, "trial 7 does not exist"},
		{`"stages":[{"first":0`, `"stages":[{"first":1`, "in no stage"},
		{`"stage":"A"`, `"stage":"B"`, "of another stage"},
		{`"number":1`, `"number":2`, "its number is 2"},
		{`"state":"PAUSED"`, `"state":"PAUSED`, "invalid character"},
		{`"state":"PAUSED"`, `"state":"STALE"`, `state "STALE" is unknown`},
		{`"state":"PAUSED"`, `"state":"RUNNING"`, "it is RUNNING for rung 0 with 1 reports"},
		{`"state":"RUNNING"`, `"state":"PAUSED"`, "it is PAUSED at rung 0 with 0 reports"},
		{`"state":"RUNNING"`, `"state":"QUEUED"`, "its lease is"},
		{`"params":{`, `"was":{`, "no parameters"},
		{`"attempt":0`, `"attempt":-1`, "in attempt -1"},
		{`"seeds":[{"seed":1,"last":1`, `"seeds":[{"seed":5,"last":1`, "seeds"},
		{`"seeds":[{"seed":1,"last":1`, `"was":[{"seed":1,"last":1`, "seeds"},
		{`"reports":[{"trial":0`, `"reports":[{"trial":1`, "report 0 is of trial 1"},
		{`"slots":{"s1":{`, `"slots":{"s1":null,"s0":{`, "slot s1 has no record"},
		{`"s2":{"token":1,"trial":1`, `"s2":{"token":1,"trial":5`, "slot s2 got trial 5"},
		{`"s2":{"token":1,`, `"s2":{"token":1,"rung":1,`, "slot s2 got trial 1, attempt 0, rung 1, which do not exist"},
		{`"s2":{"token":1,`, `"s2":{"token":1,"attempt":9,`, "slot s2 got trial 1, attempt 9"},
		{`"reports":[{`, `"reports":[{"continue_until":"2025-05-01T12:00:00Z",`, "report 0 was promoted"},
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
