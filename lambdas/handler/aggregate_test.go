package handler

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"

	"github.com/supermax-hpo/supermax/shared/config"
	"github.com/supermax-hpo/supermax/shared/exports"
	"github.com/supermax-hpo/supermax/shared/protocol"
	"github.com/supermax-hpo/supermax/shared/results"
	"github.com/supermax-hpo/supermax/shared/study"
)

// done returns a world whose stage A is trained but not aggregated.
func done(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	w.create()
	if _, err := w.Plan(t.Context(), w.request(protocol.StageA)); err != nil {
		t.Fatal(err)
	}
	w.work(protocol.StageA)
	return w
}

// accepted returns the key and rows of the stage's last accepted report.
func (w *world) accepted(stage protocol.Stage) (string, []results.Row) {
	w.t.Helper()
	st, err := w.State(w.t.Context(), "small")
	if err != nil {
		w.t.Fatal(err)
	}
	all := st.Accepted(stage)
	r := all[len(all)-1]
	key := results.Key("small", stage, r.Trial, r.Rung, r.Attempt)
	rows, err := results.Read(w.t.Context(), w.bucket, key)
	if err != nil {
		w.t.Fatal(err)
	}
	return key, rows
}

func TestAggregateNotDone(t *testing.T) {
	w := newWorld(t)
	w.create()
	req := w.request(protocol.StageA)
	_, err := w.Aggregate(t.Context(), req)
	wantCode(t, err, protocol.CodeConflict, "not planned")
	if _, err := w.Plan(t.Context(), req); err != nil {
		t.Fatal(err)
	}
	_, err = w.Aggregate(t.Context(), req)
	wantCode(t, err, protocol.CodeConflict, "aggregate stage A: it is not done")
	if !errors.Is(err, study.ErrNotDone) {
		t.Errorf("Aggregate = %v, want ErrNotDone", err)
	}
}

// Files of attempts that were not accepted go; what was accepted stays, and again makes no
// difference.
func TestAggregateRemovesOrphans(t *testing.T) {
	w := done(t)
	ctx := t.Context()
	key, rows := w.accepted(protocol.StageA)
	id, err := results.ParseKey(key)
	if err != nil {
		t.Fatal(err)
	}
	id.Attempt += 7
	for i := range rows {
		rows[i].Attempt = id.Attempt
	}
	if err := results.Write(ctx, w.bucket, id.Key(), w.config.Whole, rows); err != nil {
		t.Fatal(err)
	}
	other := results.Key("small", protocol.StageA, 99, 0, 0) // a trial that nobody created
	if err := w.bucket.Write(ctx, other, nil); err != nil {
		t.Fatal(err)
	}
	st, err := w.State(ctx, "small")
	if err != nil {
		t.Fatal(err)
	}
	want := len(st.Accepted(protocol.StageA))
	for _, removed := range []int{2, 0} {
		reply, err := w.Aggregate(ctx, w.request(protocol.StageA))
		if err != nil || reply.Files != want || reply.Removed != removed {
			t.Fatalf("Aggregate = %+v, %v; want %d files, %d removed", reply, err, want, removed)
		}
	}
	keys, err := w.bucket.List(ctx, "metrics/")
	if err != nil || len(keys) != want {
		t.Errorf("%d files are left, %v; want %d", len(keys), err, want)
	}
}

// What is wrong with the metrics is said, and then nothing is removed or exported.
func TestAggregateRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		damage func(w *world, key string, rows []results.Row) []results.Row // nil: nothing is written
		code   protocol.ErrorCode
		want   string
	}{
		"missing": {func(w *world, key string, _ []results.Row) []results.Row {
			if err := w.bucket.Delete(w.t.Context(), key); err != nil {
				w.t.Fatal(err)
			}
			return nil
		}, protocol.CodeConflict, "are missing though its report was accepted: metrics/study=small/stage=A/trial=000011"},
		"row lost":    {func(_ *world, _ string, rows []results.Row) []results.Row { return rows[:1] }, protocol.CodeConflict, "the metrics of trial 11, seed 1 lead to F1-macro"},
		"row doubled": {func(_ *world, _ string, rows []results.Row) []results.Row { return append(rows, rows[0]) }, protocol.CodeConflict, "the row of seed 1, epoch 3 follows epoch 4 in a rung of the epochs 3 to 4"},
		"value changed": {func(_ *world, _ string, rows []results.Row) []results.Row {
			rows[0].F1Macro = 0.99
			return rows
		}, protocol.CodeConflict, "lead to F1-macro 0.99"},
		"damaged": {func(w *world, key string, _ []results.Row) []results.Row {
			if err := w.bucket.Write(w.t.Context(), key, []byte("PAR1")); err != nil {
				w.t.Fatal(err)
			}
			return nil
		}, protocol.CodeUnavailable, "the file is damaged"},
		"foreign": {func(w *world, _ string, _ []results.Row) []results.Row {
			if err := w.bucket.Write(w.t.Context(), "metrics/study=small/stage=A/notes.txt", nil); err != nil {
				w.t.Fatal(err)
			}
			return nil
		}, protocol.CodeUnavailable, "notes.txt\" is not the key of a metrics file; move it elsewhere"},
		"no config": {func(w *world, _ string, _ []results.Row) []results.Row {
			if err := w.bucket.Delete(w.t.Context(), config.Key("small")); err != nil {
				w.t.Fatal(err)
			}
			return nil
		}, protocol.CodeUnavailable, "study.json: no such object"},
		"bad config": {func(w *world, _ string, _ []results.Row) []results.Row {
			if err := w.bucket.Write(w.t.Context(), config.Key("small"), []byte("{}")); err != nil {
				w.t.Fatal(err)
			}
			return nil
		}, protocol.CodeUnavailable, "read studies/small/study.json"},
	} {
		t.Run(name, func(t *testing.T) {
			w := done(t)
			orphan := results.Key("small", protocol.StageA, 99, 0, 0)
			if err := w.bucket.Write(t.Context(), orphan, nil); err != nil {
				t.Fatal(err)
			}
			key, rows := w.accepted(protocol.StageA)
			if rows = c.damage(w, key, rows); rows != nil {
				if err := results.Write(t.Context(), w.bucket, key, w.config.Whole, rows); err != nil {
					t.Fatal(err)
				}
			}
			_, err := w.Aggregate(t.Context(), w.request(protocol.StageA))
			wantCode(t, err, c.code, c.want)
			if ok, err := w.bucket.Exists(t.Context(), orphan); !ok || err != nil {
				t.Errorf("the orphan was removed all the same, %v", err)
			}
			if keys, err := w.bucket.List(t.Context(), "exports/"); err != nil || len(keys) != 0 {
				t.Errorf("exports %v, %v", keys, err)
			}
		})
	}
}

func TestExportsOfAWholeStudy(t *testing.T) {
	w := newWorld(t)
	w.create()
	w.walk("A", "B", "C")
	ctx := t.Context()
	finish := protocol.StudyRequest{SchemaVersion: 1, Study: "small"}
	reply, err := w.Finish(ctx, finish)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"exports/study=small/best.yaml", "exports/study=small/best.json"}, reply.Exports); d != "" {
		t.Error(d)
	}
	var top, pareto exports.Ranking
	var candidates exports.CandidateList
	var best exports.Best
	for key, to := range map[string]any{exports.TopKey("small"): &top, exports.ParetoKey("small"): &pareto, exports.CandidatesKey("small"): &candidates, exports.BestKey("small"): &best} {
		text, err := w.bucket.Read(ctx, key+".json")
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(text, to); err != nil {
			t.Fatal(err)
		}
		doc, err := w.bucket.Read(ctx, key+".yaml")
		if err != nil {
			t.Fatal(err)
		}
		asJSON, err := yaml.YAMLToJSON(doc)
		if err != nil {
			t.Fatal(err)
		}
		var a, b any
		if err := errors.Join(json.Unmarshal(text, &a), json.Unmarshal(asJSON, &b)); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(a, b); d != "" {
			t.Errorf("%s: -json +yaml\n%s", key, d)
		}
	}
	if len(top.Trials) != 5 || len(pareto.Trials) == 0 || len(pareto.Trials) > 4 || len(candidates.Candidates) != 2 {
		t.Errorf("%d in the top, %d on the front, %d candidates", len(top.Trials), len(pareto.Trials), len(candidates.Candidates))
	}
	for i, trial := range top.Trials[1:] {
		if trial.F1Macro > top.Trials[i].F1Macro {
			t.Errorf("rank %d of the top is better than the one before", i+1)
		}
	}
	first := candidates.Candidates[0]
	if best.Trial != first.Trial || best.CrossValidation.F1Macro.Mean < candidates.Candidates[1].CrossValidation.F1Macro.Mean || len(best.Models) != 6 {
		t.Errorf("best is %+v", best)
	}

	// A former life may have ended before the export was written; a model may be gone.
	if err := w.bucket.Delete(ctx, "exports/study=small/best.yaml"); err != nil {
		t.Fatal(err)
	}
	if _, err := w.another().Finish(ctx, finish); err != nil {
		t.Fatal(err)
	}
	if ok, err := w.bucket.Exists(ctx, "exports/study=small/best.yaml"); !ok || err != nil {
		t.Errorf("best.yaml was not written again, %v", err)
	}
	if err := w.bucket.Delete(ctx, best.Models[3].File); err != nil {
		t.Fatal(err)
	}
	_, err = w.Finish(ctx, finish)
	wantCode(t, err, protocol.CodeConflict, best.Models[3].File)
	if strings.Contains(err.Error(), "\n") {
		t.Errorf("%q is not one sentence", err)
	}
}
