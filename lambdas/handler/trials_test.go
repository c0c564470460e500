package handler

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/supermax-hpo/supermax/shared/objects"
	"github.com/supermax-hpo/supermax/shared/protocol"
	"github.com/supermax-hpo/supermax/shared/results"
	"github.com/supermax-hpo/supermax/shared/study"
)

// Every stage's table holds what the study knows of each of its trials.
func TestTrials(t *testing.T) {
	w := newWorld(t)
	w.create()
	w.config.PricePerHour = 7.2 // a second costs 0.002
	w.walk(protocol.StageA, protocol.StageB, protocol.StageC)
	st, err := w.State(t.Context(), "small")
	if err != nil {
		t.Fatal(err)
	}
	for _, stage := range protocol.Stages() {
		if ok, err := w.bucket.Exists(t.Context(), results.TrialsKey("small", stage)); err != nil || !ok {
			t.Errorf("stage %s has no table of trials: %v", stage, err)
		}
		rows := trials(st, w.config, stage)
		if want := map[protocol.Stage]int{"A": 12, "B": 8, "C": 6}[stage]; len(rows) != want {
			t.Fatalf("stage %s has %d rows, want %d", stage, len(rows), want)
		}
		for i, trial := range st.Trials(stage) {
			value, _ := trial.Value()
			seconds := float64(len(trial.Reports)) // each rung took one
			want := results.Trial{Trial: trial.Number, Agent: "criteria", State: string(trial.State), Fold: trial.Fold, Rung: trial.Rung,
				Epochs: trial.Reports[trial.Reported()].ToEpoch, F1Macro: &value.F1Macro, ECE: &value.ECE, Violation: &trial.Violation, CostSeconds: seconds,
				Cost: seconds / 3600 * 7.2, Attempts: trial.Attempt + 1, Created: trial.Created}
			if stage == protocol.StageC {
				want.Candidate = trial.From
				if want.Candidate == nil || want.Fold == nil {
					t.Errorf("trial %d of stage C has no candidate or no fold", trial.Number)
				}
			}
			got := rows[i]
			got.Params = nil
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("stage %s, trial %d: -want +got\n%s", stage, trial.Number, d)
			}
		}
	}
}

func TestTrialsOfAFailure(t *testing.T) {
	w := newWorld(t)
	w.create()
	if _, err := w.Plan(t.Context(), w.request(protocol.StageA)); err != nil {
		t.Fatal(err)
	}
	reply, err := w.Ask(t.Context(), protocol.AskRequest{SchemaVersion: 1, Study: "small", Stage: protocol.StageA, Slot: "s", Token: 1})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Tell(t.Context(), tell(*reply.Work, protocol.Outcome{CostSeconds: 3, Failed: &protocol.Failure{Kind: protocol.FailedOOM}})); err != nil {
		t.Fatal(err)
	}
	st, err := w.State(t.Context(), "small")
	if err != nil {
		t.Fatal(err)
	}
	rows := trials(st, w.config, protocol.StageA)
	if len(rows) != 1 || rows[0].State != "FAILED" || rows[0].FailureKind == nil || *rows[0].FailureKind != "oom" ||
		rows[0].CostSeconds != 3 || rows[0].F1Macro != nil || rows[0].Epochs != 0 || rows[0].Attempts != 1 {
		t.Errorf("rows %+v", rows)
	}
}

// A stopped study's stage has its table of trials as far as they came, and nothing else.
func TestAggregateStopped(t *testing.T) {
	w := newWorld(t)
	w.create()
	if _, err := w.Plan(t.Context(), w.request(protocol.StageA)); err != nil {
		t.Fatal(err)
	}
	ask := protocol.AskRequest{SchemaVersion: 1, Study: "small", Stage: protocol.StageA, Slot: "s", Token: 1}
	reply, err := w.Ask(t.Context(), ask)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Stop(t.Context(), protocol.StopRequest{SchemaVersion: 1, Study: "small", Reason: study.StoppedByUser}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Aggregate(t.Context(), w.request(protocol.StageA)); !errors.Is(err, study.ErrNotDone) {
		t.Errorf("Aggregate while a trial runs = %v, want ErrNotDone", err)
	}
	outcome, rows := w.train(protocol.StageA, *reply.Work)
	if err := w.keep(t.Context(), protocol.StageA, *reply.Work, rows); err != nil {
		t.Fatal(err)
	}
	orphan := results.Key("small", protocol.StageA, 0, 0, 9)
	if err := w.bucket.Write(t.Context(), orphan, []byte("x")); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Tell(t.Context(), tell(*reply.Work, outcome)); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		got, err := w.Aggregate(t.Context(), w.request(protocol.StageA))
		if err != nil || len(got.Exports) != 0 || got.Files != 0 || got.Removed != 0 {
			t.Errorf("Aggregate = %+v, %v", got, err)
		}
	}
	if ok, err := w.bucket.Exists(t.Context(), results.TrialsKey("small", protocol.StageA)); err != nil || !ok {
		t.Errorf("there is no table of trials: %v", err)
	}
	if _, err := w.bucket.Read(t.Context(), orphan); errors.Is(err, objects.ErrNotFound) {
		t.Error("a file of a stage with work left was removed")
	}
}
