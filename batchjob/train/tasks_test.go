package train

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/supermax-hpo/supermax/batchjob/classifier"
	"github.com/supermax-hpo/supermax/batchjob/dataset"
	"github.com/supermax-hpo/supermax/batchjob/pretrained"
	"github.com/supermax-hpo/supermax/batchjob/tensor"
	"github.com/supermax-hpo/supermax/shared/metrics"
	"github.com/supermax-hpo/supermax/shared/objects"
	"github.com/supermax-hpo/supermax/shared/protocol"
	"github.com/supermax-hpo/supermax/shared/space"
)

// withEvidence makes every post two sentences, the first of which holds the cue words, and
// names those as evidence.
func withEvidence(t *testing.T, f *fixture, agent string) *fixture {
	t.Helper()
	filler := strings.Fields("today my friend and the garden were quiet because rain fell on old stones near home")
	posts, evidence := "post_id,text\n", "post_id,criterion_id,evidence_text\n"
	for i := range 40 {
		word := func(k int) string { return filler[i*k%len(filler)] }
		first := word(1)
		if i%2 == 1 {
			first += " tired"
			evidence += fmt.Sprintf("p%02d,fatigue,tired\n", i)
		}
		if i/2%2 == 1 {
			first += " awake"
			evidence += fmt.Sprintf("p%02d,sleep_issues,awake\n", i)
		}
		posts += fmt.Sprintf("p%02d,\"%s %s.\n%s %s.\"\n", i, first, word(7), word(3), word(11))
	}
	for name, text := range map[string]string{"posts.csv": posts, "evidence.csv": evidence} {
		check(t, os.WriteFile(filepath.Join(f.study.Corpus.Dir, name), []byte(text), 0o600))
	}
	f.study.Agent = agent
	return f
}

// mix keeps every row once, each task's in its own order, and the tasks in proportion.
func TestMix(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		byTask := [][]int{nil, nil}
		n := rapid.IntRange(2, 200).Draw(t, "n")
		for row := range n {
			task := rapid.IntRange(0, 1).Draw(t, "task")
			byTask[task] = append(byTask[task], row)
		}
		seed, epoch := rapid.Int64().Draw(t, "seed"), rapid.IntRange(1, 40).Draw(t, "epoch")
		mixed := mix(seed, epoch, byTask)
		if !slices.Equal(mixed, mix(seed, epoch, byTask)) {
			t.Fatal("the same seed and epoch gave two orders")
		}
		all := slices.Sorted(slices.Values(mixed))
		for i, row := range all {
			if i != row {
				t.Fatalf("%v are not the rows", all)
			}
		}
		if len(all) != n {
			t.Fatalf("%d rows of %d", len(all), n)
		}
		for task, rows := range byTask {
			seen := 0
			for i, row := range mixed {
				if slices.Contains(rows, row) {
					seen++
				}
				if want := float64(i+1) * float64(len(rows)) / float64(n); math.Abs(float64(seen)-want) > 1 {
					t.Fatalf("after %d rows %d are of task %d, want about %.1f", i+1, seen, task, want)
				}
			}
		}
		// One task alone is trained in its seed's order, whatever another would be.
		var alone []int
		for _, at := range order(0, seed, epoch, len(byTask[0])) {
			alone = append(alone, byTask[0][at])
		}
		if got := mix(seed, epoch, byTask[:1]); !slices.Equal(got, alone) {
			t.Fatalf("one task: %v, want %v", got, alone)
		}
	})
}

// An epoch's shares add up to one a step's worth for each task: every row of a task weighs
// the same and the tasks weigh alike.
func TestTasksWeighAlike(t *testing.T) {
	for _, agent := range []string{dataset.Share, dataset.Joint} {
		f := withEvidence(t, newFixture(t), agent)
		m := &fakeModel{accuracy: []float64{1}}
		r := f.fake(t, protocol.StageA, m)
		runWork(t, r, work(0, 1, 7))
		// 30 posts of 2 criteria are 60 rows, of 2 sentences 120 more: at 16 a step 12 steps,
		// the last of 4 rows.
		if len(m.steps) != 12 {
			t.Fatalf("%d steps, want 12", len(m.steps))
		}
		var rows [2]int
		for n, s := range m.steps {
			total := 0.0
			inStep := [2]int{}
			for i, b := range s.Micro {
				rows[b.Task] += b.Rows()
				inStep[b.Task] += b.Rows()
				total += s.Shares[i]
			}
			if n < 11 && (math.Abs(total-1) > 0.2 || inStep[0] < 4 || inStep[0] > 7) {
				t.Errorf("%s: step %d has %v rows and shares that add up to %v", agent, n, inStep, total)
			}
		}
		if diff := cmp.Diff([2]int{60, 120}, rows); diff != "" {
			t.Errorf("rows by task (-want +got):\n%s", diff)
		}
		// Two micro-batches of 8: of 180 rows one of 60 weighs 180/(2·60) = 1.5, one of 120
		// 0.75; n of 8 rows in one of two batches are n/16 of the step.
		s := m.steps[0]
		for i, b := range s.Micro {
			want := float64(b.Rows()) / 16 * []float64{1.5, 0.75}[b.Task]
			if math.Abs(s.Shares[i]-want) > 1e-12 {
				t.Errorf("%s: %d rows of task %d weigh %v, want %v", agent, b.Rows(), b.Task, s.Shares[i], want)
			}
		}
		o := m.opened[0]
		if want := map[string]classifier.Network{dataset.Share: classifier.Shared, dataset.Joint: classifier.Joint}[agent]; o.Network != want || len(o.ClassWeights) != 2 {
			t.Errorf("%s opened %+v", agent, o)
		}
		if slices.Equal(o.ClassWeights[0], o.ClassWeights[1]) {
			t.Errorf("%s: both tasks have the class weights %v", agent, o.ClassWeights[0])
		}
	}
}

// The value of share and joint is the mean of the tasks', which are in the rows and the log.
func TestTaskMeasures(t *testing.T) {
	f := withEvidence(t, newFixture(t), dataset.Share)
	var log strings.Builder
	f.log = &log
	r := f.fake(t, protocol.StageC, &fakeModel{accuracy: []float64{0.3, 0.7}})
	w := confirm(0)
	w.ToEpoch = 1
	result := runWork(t, r, w)
	row := result.Rows[len(result.Rows)-1]
	if row.Criteria.F1Macro == nil || row.Evidence.ECE == nil || *row.Criteria.F1Macro == *row.Evidence.F1Macro {
		t.Fatalf("tasks measured %+v and %+v", row.Criteria, row.Evidence)
	}
	if mean := (*row.Criteria.F1Macro + *row.Evidence.F1Macro) / 2; math.Abs(row.F1Macro-mean) > 1e-12 || result.Epochs[0].F1Macro != row.F1Macro {
		t.Errorf("F1-macro %v, want the mean %v", row.F1Macro, mean)
	}
	if mean := (*row.Criteria.ECE + *row.Evidence.ECE) / 2; math.Abs(row.ECE-mean) > 1e-12 {
		t.Errorf("ECE %v, want the mean %v", row.ECE, mean)
	}
	if row.Criteria.NullThreshold != nil {
		t.Error("the policy none has a threshold")
	}
	for _, want := range []string{"criteria_f1_macro", "criteria_ece", "evidence_f1_macro", "evidence_ece"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log lacks %s", want)
		}
	}
	train, valid := r.tasks.divide(r.plan.parts[0].Train), r.tasks.divide(r.plan.parts[0].Valid)
	want := 0.0
	for task := range train {
		want += metrics.MajorityF1Macro(dataset.Labels(r.examples, train[task]), dataset.Labels(r.examples, valid[task]), 2) / 2
	}
	if b := result.Baseline; math.Abs(b.MajorityF1Macro-want) > 1e-12 {
		t.Errorf("majority %v, want %v", b.MajorityF1Macro, want)
	}
}

func TestMeanReport(t *testing.T) {
	a, b := 0.5, 1.0
	reports := []metrics.Report{{F1Macro: 0.2, ECE: 0.1, Accuracy: 0.5, AUROC: &a, NLL: 1, Brier: 0.25}, {F1Macro: 0.6, ECE: 0.3, Accuracy: 1, AUROC: &b, NLL: 2, Brier: 0.75}}
	mean := 0.75
	if diff := cmp.Diff(metrics.Report{F1Macro: 0.4, ECE: 0.2, Accuracy: 0.75, AUROC: &mean, NLL: 1.5, Brier: 0.5}, meanReport(reports)); diff != "" {
		t.Error(diff)
	}
	reports[1].AUROC = nil
	if meanReport(reports).AUROC != nil || meanReport(reports[:1]).AUROC != &a {
		t.Error("AUROC of a task that has none, or not of the only one")
	}
}

// What a policy decides is what is reported. The fake answers with logits (0, ±1) for class
// 1, which are p = 0.731 and 0.269.
func TestNullPolicyIsMeasured(t *testing.T) {
	f := withEvidence(t, newFixture(t), dataset.Evidence)
	measure := func(params map[string]space.Value) (protocol.EpochMetrics, *float64, *float64) {
		w := work(0, 1, 1)
		w.Checkpoint = fmt.Sprintf("checkpoints/%v/", params)
		for name, v := range params {
			w.Params[name] = v
		}
		result := runWork(t, f.fake(t, protocol.StageA, &fakeModel{accuracy: []float64{0.7}}), w)
		task := result.Rows[0].Evidence
		if result.Rows[0].Criteria.F1Macro != nil || *task.F1Macro != result.Rows[0].F1Macro {
			t.Errorf("the agent evidence measured %+v", result.Rows[0])
		}
		return result.Epochs[0], task.NullThreshold, task.BestTemperature
	}
	none, _, _ := measure(map[string]space.Value{"null.strategy": space.String("none")})
	same, _, _ := measure(map[string]space.Value{"null.strategy": space.String("threshold"), "null.threshold": space.Float(0.5)})
	if diff := cmp.Diff(none, same); diff != "" {
		t.Errorf("threshold 0.5 (-none +got):\n%s", diff)
	}
	never, threshold, _ := measure(map[string]space.Value{"null.strategy": space.String("threshold"), "null.threshold": space.Float(0.8)})
	if never.F1Macro >= none.F1Macro || never.ECE != none.ECE || never.NLL != none.NLL || threshold != nil {
		t.Errorf("threshold 0.8: %+v, want no yes and the ECE of none %+v", never, none)
	}
	ratio, _, _ := measure(map[string]space.Value{"null.strategy": space.String("ratio"), "null.ratio": space.Float(0.3)})
	if ratio.F1Macro == none.F1Macro {
		t.Errorf("ratio 0.3: %+v, want the second sentence of a pair with a yes to be one as well", ratio)
	}
	cool, threshold, temperature := measure(map[string]space.Value{"null.strategy": space.String("calibrated"), "null.temperature": space.Float(0.5)})
	if threshold == nil || temperature == nil || cool.ECE == none.ECE || cool.F1Macro < none.F1Macro {
		t.Errorf("calibrated: %+v with threshold %v and temperature %v", cool, threshold, temperature)
	}
	// Where 70 % are right, the likeliest probability of being right is 0.7: 1/T = log(0.7/0.3).
	if want := 1 / math.Log(0.7/0.3); temperature != nil && math.Abs(*temperature-want) > 0.1 {
		t.Errorf("best temperature %v, want about %v", *temperature, want)
	}
}

// share and joint learn both tasks from the fixture's cue words, and free what they used.
func TestBothTasksAreLearned(t *testing.T) {
	for _, agent := range []string{dataset.Share, dataset.Joint} {
		t.Run(agent, func(t *testing.T) {
			f := withEvidence(t, realFixture(t), agent)
			f.study.Stages.A.Epochs = 12
			before := tensor.LiveTensors()
			r := f.trainer(t, protocol.StageA)
			result := runWork(t, r, work(0, 12, 3))
			r.Release()
			first, last := result.Rows[0], result.Rows[len(result.Rows)-1]
			if last.Loss > first.Loss/2 {
				t.Errorf("loss went from %v to %v", first.Loss, last.Loss)
			}
			if *last.Criteria.F1Macro < 0.8 || *last.Evidence.F1Macro < 0.8 {
				t.Errorf("F1-macro %v of the criteria, %v of the evidence", *last.Criteria.F1Macro, *last.Evidence.F1Macro)
			}
			if after := tensor.LiveTensors(); after != before {
				t.Errorf("%d tensors live after, %d before", after, before)
			}
		})
	}
}

// Three epochs at a stretch, and with an interruption amid the second, are the same.
func TestBothTasksResumeExactly(t *testing.T) {
	for _, agent := range []string{dataset.Share, dataset.Joint} {
		t.Run(agent, func(t *testing.T) {
			f := withEvidence(t, realFixture(t), agent)
			const key = "checkpoints/study=s/trial=5/seed=1/epoch=0003.safetensors"
			straight := runWork(t, f.trainer(t, protocol.StageA), work(0, 3, 1))
			_, want := tensors(t, f, key)
			if len(want) == 0 {
				t.Fatal("the checkpoint holds no weights")
			}
			bucket, err := objects.Open(t.Context(), "mem://")
			check(t, err)
			f.bucket = bucket
			ctx, cancel := context.WithCancel(t.Context())
			r := f.trainer(t, protocol.StageA)
			open := r.open
			r.open = func(o classifier.Options) (model, error) {
				m, err := open(o)
				return &stopping{model: m, after: 17, stop: cancel}, err // of twelve steps an epoch
			}
			if _, err := r.Run(ctx, work(0, 3, 1)); !errors.Is(err, context.Canceled) {
				t.Fatalf("not interrupted: %v", err)
			}
			got := runWork(t, f.trainer(t, protocol.StageA), work(0, 3, 1))
			if diff := cmp.Diff(straight.Epochs, got.Epochs); diff != "" {
				t.Errorf("metrics (-want +got):\n%s", diff)
			}
			for i, row := range got.Rows {
				if diff := cmp.Diff(straight.Rows[i].Criteria, row.Criteria); diff != "" {
					t.Errorf("epoch %d's criteria (-want +got):\n%s", row.Epoch, diff)
				}
			}
			_, weights := tensors(t, f, key)
			if diff := cmp.Diff(want, weights); diff != "" {
				t.Errorf("weights and moments (-want +got):\n%.1000s", diff)
			}
		})
	}
}

// lengthsOf notes how many lengths the rows of each measured batch have.
type lengthsOf struct {
	model
	seen []int
}

func (m *lengthsOf) Predict(b classifier.Batch) (classifier.Prediction, error) {
	lengths := map[int]bool{}
	for r := range b.Rows() {
		lengths[b.Starts[r+1]-b.Starts[r]] = true
	}
	m.seen = append(m.seen, len(lengths))
	return m.model.Predict(b)
}

// ConvBERT is measured without any padding, and learns and resumes like the others.
func TestPaddingCounts(t *testing.T) {
	f := withEvidence(t, realFixture(t), dataset.Share)
	folder := f.study.Models["tiny"]
	vocab, err := os.ReadFile(filepath.Join(folder, "vocab.txt"))
	check(t, err)
	c := pretrained.Default(pretrained.ModelTypeConvBERT)
	c.VocabSize, c.HiddenSize, c.EmbeddingSize, c.NumHiddenLayers, c.NumAttentionHeads = strings.Count(string(vocab), "\n"), 16, 16, 1, 4
	c.IntermediateSize, c.MaxPositionEmbeddings = 32, 64
	check(t, os.RemoveAll(folder))
	check(t, pretrained.Init(folder, c, 1))
	check(t, os.WriteFile(filepath.Join(folder, "vocab.txt"), vocab, 0o600))
	straight := runWork(t, f.trainer(t, protocol.StageA), work(0, 3, 1))
	bucket, err := objects.Open(t.Context(), "mem://")
	check(t, err)
	f.bucket = bucket
	runWork(t, f.trainer(t, protocol.StageA), work(0, 2, 1))
	r := f.trainer(t, protocol.StageA)
	open := r.open
	var watched *lengthsOf
	r.open = func(o classifier.Options) (model, error) {
		m, err := open(o)
		watched = &lengthsOf{model: m}
		return watched, err
	}
	resumed := runWork(t, r, work(2, 3, 1))
	if diff := cmp.Diff(straight.Epochs[2], resumed.Epochs[0]); diff != "" {
		t.Errorf("after resuming (-want +got):\n%s", diff)
	}
	if straight.Epochs[2].Loss >= straight.Epochs[0].Loss {
		t.Errorf("the loss rose from %v to %v", straight.Epochs[0].Loss, straight.Epochs[2].Loss)
	}
	for _, n := range watched.seen {
		if n != 1 {
			t.Errorf("a measured batch has rows of %d lengths", n)
		}
	}
	if len(watched.seen) < 4 {
		t.Errorf("%d measured batches of several lengths of two tasks", len(watched.seen))
	}
}
