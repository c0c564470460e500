package analysis

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/supermax-hpo/supermax/shared/protocol"
	"github.com/supermax-hpo/supermax/shared/study"
)

// trials are n with values at the first epoch, of which every third has one at epoch 3 and
// every ninth one at 9.
func trials(n int) []study.Trial {
	var all []study.Trial
	for i := range n {
		t := study.Trial{Number: i, State: study.Paused}
		for _, epoch := range []int{1, 3, 9} {
			if i%epoch == 0 {
				t.Reports = append(t.Reports, told(i, epoch, 0.5, 0.1, 1, i))
			}
		}
		all = append(all, t)
	}
	return all
}

func TestComparedAt(t *testing.T) {
	for n, want := range map[int]int{
		0:   0,
		1:   9, // trial 0 alone, that has values at each epoch
		16:  1, // 16, 6 and 2
		49:  1, // 49, 17 and 6
		148: 3, // 50 at epoch 3
		500: 9, // 56 at epoch 9
	} {
		if got := comparedAt(trials(n)); got != want {
			t.Errorf("%d trials are compared at epoch %d, want %d", n, got, want)
		}
	}
	failed := trials(16)
	for i := range failed {
		if len(failed[i].Reports) == 1 {
			failed[i].State = study.Failed
		}
	}
	if got := comparedAt(failed); got != 3 {
		t.Errorf("compared at epoch %d, want 3: only trials that go on to it did not fail", got)
	}
}

// The learning rate decides F1-macro, and the head nothing; with both goals as with one.
func TestStageImportances(t *testing.T) {
	s := walk(t)
	for stage, want := range map[protocol.Stage][][]string{"A": {{"f1_macro"}}, "B": {{"f1_macro", "ece"}, {"f1_macro"}, {"ece"}}} {
		got, err := stageImportances(s, stage, s.Trials(stage))
		if err != nil {
			t.Fatal(err)
		}
		var names [][]string
		for _, one := range got {
			names = append(names, one.Objectives)
			results := map[protocol.Stage]int{"A": 30, "B": 20}[stage]
			if one.Epoch != 1 || one.Results != results || one.Region != results || one.Target != results/10 {
				t.Errorf("stage %s, %v: %d results, %d of %d at epoch %d", stage, one.Objectives, one.Results, one.Target, one.Region, one.Epoch)
			}
			if v := one.Params[0]; v.Param != "lr" || !(v.Share > 0.4) {
				t.Errorf("stage %s, %v: the first is %+v, want lr", stage, one.Objectives, v)
			}
			sum := 0.0
			for _, v := range one.Params {
				sum += v.Share
			}
			if !(math.Abs(sum-1) < 1e-12) || len(one.Params) != 4 {
				t.Errorf("stage %s: %d shares add up to %v", stage, len(one.Params), sum)
			}
		}
		if d := cmp.Diff(want, names); d != "" {
			t.Errorf("stage %s (-want +got):\n%s", stage, d)
		}
	}
}

// walk runs the search stages of a study with three slots by a formula.
func walk(t *testing.T) *study.State {
	t.Helper()
	now := start
	s, _, err := study.New(now, study.Settings{
		Study: "s", Seed: 1, Space: small(),
		A: study.SearchStage{Trials: 30, Rungs: study.Rungs{Min: 1, Max: 9, Factor: 3}, Seeds: []int64{1}, Sampler: "random"},
		B: study.SearchStage{Trials: 20, Rungs: study.Rungs{Min: 1, Max: 3, Factor: 3}, Seeds: []int64{1}, Sampler: "random", Enqueue: 4},
		C: study.ConfirmStage{Candidates: 1, Folds: 2, Seeds: []int64{1}, Epochs: 1},
	})
	if err != nil {
		t.Fatal(err)
	}
	take := func(events []study.Event, err error) {
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
	for _, stage := range []protocol.Stage{"A", "B"} {
		step := protocol.StageRequest{Study: "s", Stage: stage}
		_, events, err := s.Plan(now, step)
		take(events, err)
		for token := int64(1); ; token++ {
			now = now.Add(time.Second)
			reply, events, err := s.Ask(now, protocol.AskRequest{Study: "s", Stage: stage, Slot: string(stage), Token: token})
			take(events, err)
			if reply.Kind == protocol.AskDone {
				break
			}
			for work := reply.Work; work != nil; {
				lr, err := work.Params.Float("lr")
				if err != nil {
					t.Fatal(err)
				}
				tell := protocol.TellRequest{Study: "s", Trial: work.Trial, Attempt: work.Attempt, Rung: work.Rung, Outcome: protocol.Outcome{CostSeconds: 36}}
				for epoch := work.FromEpoch + 1; epoch <= work.ToEpoch; epoch++ {
					f1 := (0.9 - 0.1*math.Abs(math.Log10(lr)+4)) * (1 - math.Exp(-float64(epoch)/3))
					tell.Outcome.Epochs = append(tell.Outcome.Epochs, protocol.EpochMetrics{Seed: 1, Epoch: epoch, F1Macro: f1, ECE: 0.5 - 0.4*f1})
				}
				told, events, err := s.Tell(now, tell)
				take(events, err)
				if told.Kind != protocol.TellContinue {
					break
				}
				work.Rung, work.FromEpoch, work.ToEpoch = told.Rung, told.FromEpoch, told.ToEpoch
			}
		}
		_, events, err = s.Promote(now, step)
		take(events, err)
	}
	return s
}

// The data agrees with what the state itself says.
func TestOf(t *testing.T) {
	s := walk(t)
	got, err := Of(s)
	if err != nil {
		t.Fatal(err)
	}
	if got.SchemaVersion != 1 || got.Study != "s" || len(got.Stages) != 2 {
		t.Fatalf("version %d, study %q, %d stages", got.SchemaVersion, got.Study, len(got.Stages))
	}
	for _, stage := range got.Stages {
		name, best := stage.Stage, s.Best(stage.Stage)
		if n := len(stage.Parallel.Lines); n != len(best) || stage.Parallel.Lines[0].Trial != best[0].Number {
			t.Errorf("stage %s: %d lines, the first is trial %d; want %d and %d", name, n, stage.Parallel.Lines[0].Trial, len(best), best[0].Number)
		}
		if first, axis := stage.Importances[0].Params[0].Param, stage.Parallel.Axes[0].Param; first != axis {
			t.Errorf("stage %s: the first axis is %s, the most important parameter %s", name, axis, first)
		}
		rungs := s.Rungs(name)
		if len(stage.Survival) != len(rungs)+1 || stage.Survival[0].Reached != len(s.Trials(name)) {
			t.Errorf("stage %s: survival %+v with rungs %v", name, stage.Survival, rungs)
		}
		for i, r := range stage.Survival {
			next := 0
			if i+1 < len(stage.Survival) {
				next = stage.Survival[i+1].Reached
			}
			if r.Reached != next+r.Going+r.Paused+r.Failed+r.Completed {
				t.Errorf("stage %s: of %+v %d went on", name, r, next)
			}
		}
		last := stage.Progress[len(stage.Progress)-1]
		if hours := s.CostSeconds(name) / 3600; last.Reports != len(s.Accepted(name)) || math.Abs(last.SlotHours-hours) > 1e-12 {
			t.Errorf("stage %s: %d reports, %v hours; want %d and %v", name, last.Reports, last.SlotHours, len(s.Accepted(name)), hours)
		}
		for i := 1; i < len(stage.Progress); i++ {
			if a, b := stage.Progress[i-1], stage.Progress[i]; b.At.Before(a.At) || b.F1Macro < a.F1Macro || b.Hypervolume < a.Hypervolume {
				t.Errorf("stage %s: %+v after %+v", name, b, a)
			}
		}
	}
}

// Two walks, and a state that was stored, give the same bytes; they hold no null but for
// parameters that are off.
func TestJSON(t *testing.T) {
	s := walk(t)
	data, err := s.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	restored, err := study.Restore(data)
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	for _, s := range []*study.State{s, walk(t), restored} {
		got, err := Of(s)
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(got)
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, string(text))
	}
	if len(slices.Compact(texts)) != 1 {
		t.Errorf("the data differ: %s", cmp.Diff(texts[0], texts[len(texts)-1]))
	}
	for _, want := range []string{`{"schema_version":1,"study":"s","stages":[{"stage":"A","importances":[{"objectives":["f1_macro"],"epoch":1,"results":30,"region":30,"target":3,"params":[{"param":"lr","divergence":`,
		`"parallel_coordinates":{"axes":[{"param":"lr","kind":"float","low":0.000001,"high":0.01,"log":true}`, `"rung_survival":[{"epoch":0,"reached":30,`, `"progress":[{"at":"2025-05-01T12:00:01Z","reports":1,"slot_hours":0.01,`} {
		if !strings.Contains(texts[0], want) {
			t.Errorf("%s\nlacks %s", fmt.Sprintf("%.600s", texts[0]), want)
		}
	}
}

// A study whose stages are not open yet has nothing to show, and one whose trials have not
// reported has empty data, not none.
func TestOfNothing(t *testing.T) {
	s, _, err := study.New(start, walk(t).Settings())
	if err != nil {
		t.Fatal(err)
	}
	got, err := Of(s)
	if err != nil || got.Stages == nil || len(got.Stages) > 0 {
		t.Errorf("%+v, error %v", got, err)
	}
	for _, command := range []func() ([]study.Event, error){
		func() ([]study.Event, error) {
			_, events, err := s.Plan(start, protocol.StageRequest{Study: "s", Stage: "A"})
			return events, err
		},
		func() ([]study.Event, error) {
			_, events, err := s.Ask(start, protocol.AskRequest{Study: "s", Stage: "A", Slot: "x", Token: 1})
			return events, err
		},
	} {
		events, err := command()
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range events {
			if err := s.Apply(e); err != nil {
				t.Fatal(err)
			}
		}
	}
	if got, err = Of(s); err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	want := `"importances":[{"objectives":["f1_macro"],"epoch":0,"results":0,"region":0,"target":0,"params":[]}],`
	if s := string(text); !strings.Contains(s, want) || !strings.Contains(s, `"lines":[]},"rung_survival":[{"epoch":0,"reached":1,"going":1,"paused":0,"failed":0,"completed":0}],"progress":[]`) {
		t.Errorf("got %s", s)
	}
}
