package study

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/supermax-hpo/supermax/shared/protocol"
)

// midway returns a study in which every kind of record exists: reports, an attempt that
// was lost, a lease, a wait and a slot that is gone.
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
		{`"schema_version":1`, `"schema_version":2`, "newer version"},
		{`"schema_version":1`, `"schema_version":0`, "schema version 0"},
		{`"schema_version":1`, `"schema_version":"1"`, "cannot unmarshal"},
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
		{`"slots":{"s1":{`, `"slots":{"s1":null,"s0":{`, "slot s1 is damaged"},
		{`"s2":{"token":1,"kind":"work","trial":1`, `"s2":{"token":1,"kind":"work","trial":5`, "slot s2 is damaged"},
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

// A full stage A (1,000 trials, 3 seeds) must stay small enough to be written often.
func TestSnapshotIsCompact(t *testing.T) {
	s := midway(t)
	small, err := s.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	per := len(small) / len(s.trials)
	if per > 1500 {
		t.Errorf("%d bytes a trial:\n%s", per, small)
	}
}

func TestApplyRefusesWhatCannotHaveHappened(t *testing.T) {
	one := 1
	created := midway(t).given
	failure := &protocol.Failure{Kind: protocol.FailedOOM}
	value := &Value{}
	seed := []SeedBest{{Seed: 1}}
	cases := []struct {
		name string
		e    Event
	}{
		{"created twice", Event{Type: EventCreated, Settings: created}},
		{"unknown type", Event{Type: "melted"}},
		{"newer version", Event{Type: EventLeased, Version: EventVersion + 1}},
		{"no such stage", Event{Type: EventStageOpened, Stage: "D"}},
		{"opened again", Event{Type: EventStageOpened, Stage: "A"}},
		{"opened too early", Event{Type: EventStageOpened, Stage: "B"}},
		{"closed before opened", Event{Type: EventStageClosed, Stage: "B"}},
		{"closed without a time", Event{Type: EventStageClosed, Stage: "A"}},
		{"no such stage to close", Event{Type: EventStageClosed, Stage: "D"}},
		{"hands on nothing known", Event{Type: EventStageClosed, Stage: "A", At: testStart, Trials: []int{3}}},
		{"chosen from nowhere", Event{Type: EventChosen, Trial: 99}},
		{"a gap in the trials", Event{Type: EventTrialCreated, Stage: "A", Trial: 9}},
		{"a trial of no stage", Event{Type: EventTrialCreated, Stage: "D", Trial: 3}},
		{"a trial of a stage that is not open", Event{Type: EventTrialCreated, Stage: "B", Trial: 3}},
		{"a trial without parameters", Event{Type: EventTrialCreated, Stage: "A", Trial: 3}},
		{"a trial from itself", Event{Type: EventTrialCreated, Stage: "A", Trial: 1, From: &one}},
		{"a trial that is not there", Event{Type: EventLeased, Trial: 3}},
		{"a second lease", Event{Type: EventLeased, Trial: 2, Attempt: 1}},
		{"a renewal without a lease", Event{Type: EventRenewed, Trial: 0}},
		{"a report without a value", Event{Type: EventReported, Trial: 2, Seeds: seed}},
		{"a report without seeds", Event{Type: EventReported, Trial: 2, Value: value}},
		{"a report of another attempt", Event{Type: EventReported, Trial: 2, Attempt: 1, Value: value, Seeds: seed}},
		{"a report of another rung", Event{Type: EventReported, Trial: 2, Rung: 1, Value: value, Seeds: seed}},
		{"a promotion of a running trial", Event{Type: EventPromoted, Trial: 2, Rung: 1}},
		{"a promotion over a rung", Event{Type: EventPromoted, Trial: 0, Rung: 2}},
		{"a carried trial that is not complete", Event{Type: EventCarried, Trial: 0, Rung: 1}},
		{"lost without a lease", Event{Type: EventLost, Trial: 0, Failure: failure}},
		{"lost without a reason", Event{Type: EventLost, Trial: 2}},
		{"requeued while running", Event{Type: EventRequeued, Trial: 2}},
		{"failed without a reason", Event{Type: EventFailed, Trial: 2}},
		{"failed while paused", Event{Type: EventFailed, Trial: 0, Failure: failure}},
	}
	for _, c := range cases {
		s := midway(t)
		before, _ := s.Snapshot()
		err := s.Apply(c.e)
		after, _ := s.Snapshot()
		if err == nil || string(before) != string(after) {
			t.Errorf("%s: error %v, changed %v", c.name, err, string(before) != string(after))
		}
		if errors.Is(err, ErrNewerSchema) != (c.e.Version > EventVersion) {
			t.Errorf("%s: got %v", c.name, err)
		}
		if err := new(State).Apply(c.e); err == nil && c.e.Type != EventCreated {
			t.Errorf("%s: accepted before the study was created", c.name)
		}
	}
	if err := new(State).Apply(Event{Type: EventCreated, Settings: json.RawMessage("{}")}); err == nil {
		t.Error("created with empty settings")
	}
}

// Whatever bytes a store returns, they are an error or a study that can be worked with.
func FuzzRestore(f *testing.F) {
	data, err := midway(f).Snapshot()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte(`{"schema_version":1}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := Restore(data)
		if err != nil {
			return
		}
		again, err := s.Snapshot()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Restore(again); err != nil {
			t.Fatalf("a snapshot's snapshot is refused: %v\n%s", err, again)
		}
		now := testStart.Add(time.Hour)
		study := s.settings.Study
		for _, stage := range stages {
			_, _, _ = s.Check(now, protocol.StageRequest{Study: study, Stage: stage})
			_, _, _ = s.Promote(now, protocol.StageRequest{Study: study, Stage: stage})
			for slot := range s.slots {
				_, _, _ = s.Ask(now, protocol.AskRequest{Study: study, Stage: stage, Slot: slot, Token: 1})
				_, _, _ = s.Ask(now, protocol.AskRequest{Study: study, Stage: stage, Slot: slot, Token: 2})
			}
			s.Best(stage)
			s.Pareto(stage)
			s.Accepted(stage)
		}
		for _, t := range s.trials {
			_, _, _ = s.Tell(now, protocol.TellRequest{Study: study, Trial: t.Number, Attempt: t.Attempt, Rung: t.Rung,
				Outcome: protocol.Outcome{Epochs: []protocol.EpochMetrics{epochOf(1, 1, 0.5, 0.1)}}})
			_, _, _ = s.Heartbeat(now, protocol.HeartbeatRequest{Study: study, Trial: t.Number, Attempt: t.Attempt})
		}
		s.Candidates()
		s.Chosen()
	})
}

// A log of events that nobody wrote is refused, not a crash.
func FuzzApply(f *testing.F) {
	f.Add(`[{"v":1,"type":"leased","trial":0,"attempt":1,"slot":"x"}]`)
	f.Add(`[{"v":1,"type":"promoted","trial":0,"rung":1},{"type":"stage_closed","stage":"A","at":"2025-05-01T12:00:00Z"}]`)
	f.Fuzz(func(t *testing.T, log string) {
		var events []Event
		if json.Unmarshal([]byte(log), &events) != nil {
			return
		}
		s := midway(t)
		for _, e := range events {
			if s.Apply(e) != nil {
				continue
			}
			if _, err := s.Snapshot(); err != nil && !strings.Contains(fmt.Sprint(err), "finite") {
				t.Fatal(err)
			}
		}
		for _, stage := range stages {
			s.Best(stage)
			s.Counts(stage)
		}
		s.Candidates()
	})
}
