package exports

import (
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/supermax-hpo/supermax/shared/protocol"
	"github.com/supermax-hpo/supermax/shared/space"
	"github.com/supermax-hpo/supermax/shared/study"
)

// walk runs a whole small study: A has 4 trials, B 3, C two candidates on two folds with
// two seeds. value says what a trial reaches; every outcome has one epoch a seed.
func walk(t *testing.T, value func(w protocol.Work) (f1, ece float64), limits ...study.Limits) *study.State {
	t.Helper()
	stage := study.SearchStage{Rungs: study.Rungs{Min: 1, Max: 1, Factor: 2}, Seeds: []int64{1, 2}, Sampler: "random"}
	a, b := stage, stage
	a.Trials, b.Trials, b.Enqueue = 4, 3, 2
	for _, l := range limits {
		a.Limits = l
	}
	now := time.Date(2025, 5, 1, 12, 0, 0, 0, time.UTC)
	s, _, err := study.New(now, study.Settings{
		Study: "s", Agent: "criteria", Seed: 1, A: a, B: b,
		C: study.ConfirmStage{Candidates: 2, Folds: 2, Seeds: []int64{1, 2}, Epochs: 1},
		Space: &space.Space{Params: []space.Param{
			{Name: "optim.lr", Kind: space.FloatRange, Low: 1e-7, High: 1e-2, Log: true},
			{Name: "aug.antonym_guard", Kind: space.Categorical, Choices: []space.Value{space.String("off"), space.String("on_low_weight")}},
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	apply := func(events []study.Event, err error) {
		t.Helper()
		for _, e := range events {
			err = errors.Join(err, s.Apply(e))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, stage := range []protocol.Stage{protocol.StageA, protocol.StageB, protocol.StageC} {
		req := protocol.StageRequest{Study: "s", Stage: stage}
		_, events, err := s.Plan(now, req)
		apply(events, err)
		for token := int64(1); ; token++ {
			reply, events, err := s.Ask(now, protocol.AskRequest{Study: "s", Stage: stage, Slot: "slot-" + string(stage), Token: token})
			apply(events, err)
			if reply.Kind != protocol.AskWork {
				break
			}
			w := reply.Work
			tell := protocol.TellRequest{Study: "s", Trial: w.Trial, Attempt: w.Attempt, Rung: w.Rung}
			f1, ece := value(*w)
			for i, seed := range w.Seeds {
				tell.Outcome.Epochs = append(tell.Outcome.Epochs, protocol.EpochMetrics{Seed: seed, Epoch: 1,
					F1Macro: f1 + 0.01*float64(i), ECE: ece})
			}
			tell.Outcome.CostSeconds = 2
			if stage == protocol.StageC {
				tell.Outcome.Baseline = &protocol.Baseline{MajorityF1Macro: 0.4, UntrainedF1Macro: 0.3}
			}
			if f1 < 0 {
				tell.Outcome = protocol.Outcome{Failed: &protocol.Failure{Kind: protocol.FailedOOM, Message: "too large"}}
			}
			_, events, err = s.Tell(now, tell)
			apply(events, err)
		}
		_, events, err = s.Promote(now, req)
		apply(events, err)
	}
	_, events, err := s.Finish(now, protocol.StudyRequest{Study: "s"})
	apply(events, err)
	return s
}

// close to: the mean of two seeds is computed in floating point.
func near(t *testing.T, what string, got, want float64) {
	t.Helper()
	if math.Abs(got-want) > 1e-12 {
		t.Errorf("%s = %v, want %v", what, got, want)
	}
}

// What breaks a limit of stage A stands last, and says by how much: (0.3 - 0.2) / 0.2 is a half.
func TestExportsOfInfeasibleTrials(t *testing.T) {
	s := walk(t, func(w protocol.Work) (float64, float64) {
		if w.Trial == 3 {
			return 0.9, 0.3
		}
		return 0.1 * float64(w.Trial%5+1), 0.1
	}, study.Limits{ECE: 0.2})
	top := Top(s, 4).Trials
	if got := numbers(top); !cmp.Equal(got, []int{2, 1, 0, 3}) {
		t.Errorf("the top 4 are %v", got)
	}
	near(t, "violation", top[3].Violation, 0.5)
	if top[0].Violation != 0 {
		t.Errorf("the best trial has the violation %v", top[0].Violation)
	}
	text, _, err := Encode(Top(s, 4))
	if err != nil || strings.Count(string(text), "violation:") != 1 {
		t.Errorf("error %v, want one violation in\n%s", err, text)
	}
}

func TestExports(t *testing.T) {
	// Stage A's trials 0–3 reach 0.1, 0.2, 0.3, 0.4; B's 4–6 trade F1-macro for ECE but 6,
	// which is worst in both; C's folds differ by 0.2 in F1-macro and 0.1 in ECE.
	s := walk(t, func(w protocol.Work) (float64, float64) {
		switch {
		case w.Fold != nil:
			base := map[bool]float64{true: 0.5, false: 0.6}[w.Trial < 9]
			return base + 0.2*float64(*w.Fold), 0.1 + 0.1*float64(*w.Fold)
		case w.Trial == 6:
			return 0.1, 0.9
		case w.Trial > 3:
			return 0.1 * float64(w.Trial), 0.1 * float64(w.Trial)
		}
		return 0.1 * float64(w.Trial+1), 0.5
	})

	top := Top(s, 3)
	wantHead := Head{SchemaVersion: 1, Study: "s", Agent: "criteria", Stage: "A"}
	if d := cmp.Diff(wantHead, top.Head); d != "" {
		t.Error(d)
	}
	if got := numbers(top.Trials); !cmp.Equal(got, []int{3, 2, 1}) {
		t.Errorf("the top 3 are %v", got)
	}
	first := top.Trials[0]
	near(t, "top F1-macro", first.F1Macro, 0.4+0.005)
	if first.Epochs != 1 || first.Rung != 0 || first.CostSeconds != 2 || len(first.Params) != 2 ||
		len(first.Seeds) != 2 || first.Seeds[1].Seed != 2 || first.Seeds[1].Epoch != 1 {
		t.Errorf("the best trial is exported as %+v", first)
	}
	if n := len(Top(s, 50).Trials); n != 4 {
		t.Errorf("the top 50 of 4 are %d", n)
	}
	if got := numbers(Pareto(s, 20).Trials); !cmp.Equal(got, []int{5, 4}) {
		t.Errorf("the Pareto front is %v, want 5, 4", got)
	}

	list := Candidates(s).Candidates
	if len(list) != 2 || list[0].Trial != 4 || list[1].Trial != 5 {
		t.Fatalf("candidates %+v", list)
	}
	// Trial 4 is handed on second, so its folds are the trials 9 and 10: 0.605 and 0.805.
	cv := list[0].CrossValidation
	near(t, "mean F1-macro", cv.F1Macro.Mean, 0.705)
	near(t, "sd of F1-macro", cv.F1Macro.SD, 0.2/math.Sqrt2) // |a−b|/√2 for two values
	near(t, "mean ECE", cv.ECE.Mean, 0.15)
	near(t, "sd of ECE", cv.ECE.SD, 0.1/math.Sqrt2)

	best, err := Chosen(s)
	if err != nil || best.Trial != 4 || best.Stage != "C" {
		t.Fatalf("chosen %+v, %v", best, err)
	}
	near(t, "majority baseline", best.Baselines.MajorityF1Macro, 0.4)
	near(t, "untrained baseline", best.Baselines.UntrainedF1Macro, 0.3)
	want := []Model{
		{0, 1, 1, "checkpoints/stage=C/study=s/trial=000009/seed=1/best-epoch=0001.safetensors"},
		{0, 2, 1, "checkpoints/stage=C/study=s/trial=000009/seed=2/best-epoch=0001.safetensors"},
		{1, 1, 1, "checkpoints/stage=C/study=s/trial=000010/seed=1/best-epoch=0001.safetensors"},
		{1, 2, 1, "checkpoints/stage=C/study=s/trial=000010/seed=2/best-epoch=0001.safetensors"},
	}
	if d := cmp.Diff(want, best.Models); d != "" {
		t.Error(d)
	}

	// One flat object: the embedded parts leave no level of their own.
	_, data, err := Encode(best)
	if err != nil {
		t.Fatal(err)
	}
	var fields map[string]any
	if err := json.Unmarshal(data, &fields); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"schema_version", "study", "agent", "stage", "trial", "cross_validation", "baselines", "params", "folds", "models"} {
		if _, ok := fields[key]; !ok {
			t.Errorf("best has no %s:\n%s", key, data)
		}
	}
}

func numbers(trials []Trial) (list []int) {
	for _, t := range trials {
		list = append(list, t.Trial)
	}
	return list
}

// A candidate whose fold failed is exported with the reason and without a mean.
func TestFailedFold(t *testing.T) {
	s := walk(t, func(w protocol.Work) (float64, float64) {
		if w.Trial == 8 {
			return -1, 0
		}
		return 0.1 * float64(w.Trial%4), 0.2
	})
	list := Candidates(s).Candidates
	last := list[len(list)-1]
	if last.CrossValidation != nil || last.Baselines != nil {
		t.Errorf("a candidate with a failed fold has %+v", last)
	}
	failed := last.Folds[1]
	if failed.Trial != 8 || failed.F1Macro != nil || failed.Failure == nil || failed.Failure.Kind != protocol.FailedOOM {
		t.Errorf("the failed fold is %+v", failed)
	}
	yaml, _, err := Encode(Candidates(s))
	if err != nil || !strings.Contains(string(yaml), "cross_validation: null\n") {
		t.Errorf("YAML: %v\n%s", err, yaml)
	}
}

func TestNothingYet(t *testing.T) {
	s, _, err := study.New(time.Now(), study.Settings{
		Study: "s", Agent: "criteria",
		A:     study.SearchStage{Trials: 1, Rungs: study.Rungs{Min: 1, Max: 1, Factor: 2}, Seeds: []int64{1}, Sampler: "random"},
		B:     study.SearchStage{Trials: 1, Rungs: study.Rungs{Min: 1, Max: 1, Factor: 2}, Seeds: []int64{1}, Sampler: "random"},
		C:     study.ConfirmStage{Candidates: 1, Folds: 2, Seeds: []int64{1}, Epochs: 1},
		Space: &space.Space{Params: []space.Param{{Name: "optim.lr", Kind: space.FloatRange, High: 1}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Chosen(s); err == nil {
		t.Error("Chosen of a new study succeeded")
	}
	for _, export := range []any{Top(s, 50), Pareto(s, 20), Candidates(s)} {
		yaml, text, err := Encode(export)
		if err != nil || !strings.HasSuffix(string(yaml), ": []\n") || !strings.Contains(string(text), ": []\n") {
			t.Errorf("%T: %v\n%s", export, err, yaml)
		}
	}
}
