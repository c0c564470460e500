package workflow

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/supermax-hpo/supermax/shared/protocol"
)

// outcome is what an execution says of one study.
type outcome struct {
	Study   string `json:"study"`
	Agent   string `json:"agent"`
	Stage   string `json:"stage"`
	Outcome string `json:"outcome"`
	Reason  string `json:"reason,omitempty"`
}

func outcomes(t *testing.T, output string) []outcome {
	t.Helper()
	var got struct {
		Studies []outcome `json:"studies"`
	}
	if err := json.Unmarshal([]byte(output), &got); err != nil {
		t.Fatalf("%v in %q", err, output)
	}
	return got.Studies
}

// A study goes through the stages, one agent alone as well as several.
func TestStages(t *testing.T) {
	run := newRunner(t)
	end := run.execute(t, map[string]any{"studies": []protocol.StartedStudy{{Study: "plain", Agent: "criteria", Slots: 1}}})
	if d := cmp.Diff([]outcome{{Study: "plain", Agent: "criteria", Stage: "C", Outcome: "done"}}, outcomes(t, end.output)); end.status != "SUCCEEDED" || d != "" {
		t.Fatalf("%+v\n%s", end, d)
	}
	want := []string{
		"Plan A", "Check A", "Check A", "Aggregate A", "Promote A",
		"Plan B", "Check B", "Check B", "Aggregate B", "Promote B",
		"Plan C", "Check C", "Check C", "Aggregate C", "Promote C", "Finish",
	}
	if d := cmp.Diff(want, run.calls("plain")); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
	end = run.execute(t, map[string]any{"studies": []protocol.StartedStudy{
		{Study: "first.one", Agent: "criteria", Slots: 2}, {Study: "second", Agent: "evidence", Slots: 3},
	}})
	if got := outcomes(t, end.output); end.status != "SUCCEEDED" || len(got) != 2 {
		t.Fatalf("%+v", end)
	}
	jobs := run.jobs(t)
	for name, size := range map[string]int{"supermax-plain-A": 0, "supermax-plain-C": 0, "supermax-first-one-B": 2, "supermax-second-C": 3} {
		if got, ok := jobs[name]; !ok || got != size {
			t.Errorf("%s is a job of %d children, %v; want %d", name, got, ok, size)
		}
	}
}

// Slots that end badly are looked after and started again; a study whose slots do nothing
// ten times in a row fails, and another one beside it still ends well.
func TestLostSlots(t *testing.T) {
	run := newRunner(t)
	end := run.execute(t, map[string]any{"studies": []protocol.StartedStudy{
		{Study: "crashing", Agent: "criteria", Slots: 1}, {Study: "stuck", Agent: "evidence", Slots: 1}, {Study: "plain", Agent: "share", Slots: 1},
	}})
	want := "stuck, stage A: 10 rounds of slots in a row did no work; the last trouble was: States.TaskFailed: Essential container in task exited"
	if end.status != "FAILED" || end.err != "NoProgress" || end.cause != want {
		t.Errorf("got  %s %s %q\nwant FAILED NoProgress %q", end.status, end.err, end.cause, want)
	}
	for study, want := range map[string]int{"crashing": 16, "plain": 16} {
		if got := run.calls(study); len(got) != want || got[want-1] != "Finish" {
			t.Errorf("%s: %v", study, got)
		}
	}
	if got := run.calls("stuck"); len(got) != 1+1+10 { // plan, and a check before and after each round
		t.Errorf("stuck: %v", got)
	}
}

// A stopped study starts no slots, waits for those that still work, and is no failure.
func TestStop(t *testing.T) {
	run := newRunner(t)
	end := run.execute(t, map[string]any{"studies": []protocol.StartedStudy{{Study: "stopped", Agent: "criteria", Slots: 1}}})
	want := []outcome{{Study: "stopped", Agent: "criteria", Stage: "A", Outcome: "stopped", Reason: "budget"}}
	if d := cmp.Diff(want, outcomes(t, end.output)); end.status != "SUCCEEDED" || d != "" {
		t.Errorf("%+v\n%s", end, d)
	}
	if d := cmp.Diff([]string{"Plan A", "Check A", "Check A", "Check A", "Aggregate A"}, run.calls("stopped")); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
	if jobs := run.jobs(t); len(jobs) > 0 {
		t.Errorf("jobs: %v", jobs)
	}
}

// What a function refuses for good is not repeated, and its sentence is the execution's
// cause. What may pass is repeated.
func TestErrors(t *testing.T) {
	run := newRunner(t)
	end := run.execute(t, map[string]any{"refuse": "slots is -1; allowed: 1 to 10000"})
	if end.status != "FAILED" || end.err != "Invalid" || end.cause != "slots is -1; allowed: 1 to 10000" {
		t.Errorf("%+v", end)
	}
	if got := run.calls(""); len(got) != 1 {
		t.Errorf("a refused start was repeated: %v", got)
	}
	end = run.execute(t, map[string]any{"studies": []protocol.StartedStudy{{Study: "conflicting", Agent: "criteria", Slots: 1}}})
	if end.status != "FAILED" || end.err != "Conflict" || end.cause != "conflicting, stage A: the stage is not done" {
		t.Errorf("%+v", end)
	}
	if got := run.calls("conflicting"); len(got) != 4 || got[3] != "Aggregate A" {
		t.Errorf("conflicting: %v", got)
	}
	end = run.execute(t, map[string]any{"studies": []protocol.StartedStudy{{Study: "busy", Agent: "criteria", Slots: 1}}})
	if got := run.calls("busy"); end.status != "SUCCEEDED" || len(got) != 18 || got[1] != "Plan A" || got[4] != "Check A" {
		t.Errorf("%+v, calls %v", end, got)
	}
}
