package study

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/supermax-hpo/supermax/shared/protocol"
)

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
