package train

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/supermax-hpo/supermax/batchjob/classifier"
	"github.com/supermax-hpo/supermax/batchjob/slot"
	"github.com/supermax-hpo/supermax/batchjob/tensor"
	"github.com/supermax-hpo/supermax/shared/dataref"
	"github.com/supermax-hpo/supermax/shared/protocol"
	"github.com/supermax-hpo/supermax/shared/space"
)

// epochs lists the (seed, epoch) pairs of a result.
func epochs(r slot.Result) [][2]int {
	var out [][2]int
	for _, e := range r.Epochs {
		out = append(out, [2]int{int(e.Seed), e.Epoch})
	}
	return out
}

func TestStepsFollowTheParameters(t *testing.T) {
	f := newFixture(t)
	m := &fakeModel{accuracy: []float64{1}}
	r := f.fake(t, protocol.StageA, m)
	result := runWork(t, r, work(0, 2, 7))
	// 40 posts, ⌈0.25·40⌉ = 10 held out: 30 posts of 2 criteria are 60 rows, at batch 8 and
	// accumulation 2 four steps an epoch: 8+8, 8+8, 8+8 and 8+4 rows.
	var sizes [][]int
	var lr []float64
	for _, s := range m.steps {
		var step []int
		for _, b := range s.Micro {
			step = append(step, len(b.Labels))
		}
		sizes = append(sizes, step)
		lr = append(lr, s.LR)
	}
	one := [][]int{{8, 8}, {8, 8}, {8, 8}, {8, 4}}
	if diff := cmp.Diff(slices.Concat(one, one), sizes); diff != "" {
		t.Errorf("rows of the micro-batches (-want +got):\n%s", diff)
	}
	// 6 epochs of the stage are 24 steps, ⌈0.1·24⌉ = 3 of them warm up to 0.01, 21 fall.
	for i, got := range lr {
		want := 0.01 * float64(i) / 3
		if i >= 3 {
			want = 0.01 * float64(24-i) / 21
		}
		if math.Abs(got-want) > 1e-12 {
			t.Errorf("step %d has learning rate %v, want %v", i, got, want)
		}
		if m.steps[i].Number != int64(i) {
			t.Errorf("step %d has number %d", i, m.steps[i].Number)
		}
	}
	// The fake's losses count up: the epoch's mean weighs them by rows.
	if want := (1*16 + 2*16 + 3*16 + 4*12) / 60.0; math.Abs(result.Epochs[0].Loss-want) > 1e-12 {
		t.Errorf("loss %v, want %v", result.Epochs[0].Loss, want)
	}
	o := m.opened[0]
	if o.Seed != 7 || o.LabelSmoothing != 0.05 || o.MaxGradNorm != 1 || o.AdamW.WeightDecay != 0.001 || len(m.opened) != 1 {
		t.Errorf("opened %d times, first with %+v", len(m.opened), o)
	}
	labels := [2]float64{}
	for _, s := range m.steps[:4] {
		for _, b := range s.Micro {
			for _, y := range b.Labels {
				labels[y]++
			}
		}
	}
	for c, w := range o.ClassWeights[0] {
		if math.Abs(float64(w)-60/(2*labels[c])) > 1e-6 {
			t.Errorf("class %d weighs %v, want 60/(2·%v)", c, w, labels[c])
		}
	}
	if len(result.Rows) != 2 || result.Rows[1].Epoch != 2 || result.Rows[1].Params["model.name"] != space.String("tiny") {
		t.Errorf("rows %+v", result.Rows)
	}
	// 36 an hour are 0.01 a second.
	if row := result.Rows[0]; math.Abs(row.Cost-row.Seconds.Total/100) > 1e-12 || row.Seconds.Total <= 0 || row.PeakMemoryBytes <= 0 || row.Device != "cpu" {
		t.Errorf("cost %v for %v s, %d bytes on %q", row.Cost, row.Seconds.Total, row.PeakMemoryBytes, row.Device)
	}
}

func TestEarlyStopping(t *testing.T) {
	f := newFixture(t)
	f.study.Stages.A.Patience = 2
	// Epoch 2 is the best; 3 and 4 are not better, so that the seed stops after 4.
	m := &fakeModel{accuracy: []float64{0.6, 0.9, 0.8, 0.9, 1}}
	r := f.fake(t, protocol.StageA, m)
	first := runWork(t, r, work(0, 3, 1))
	second := runWork(t, r, work(3, 6, 1))
	if diff := cmp.Diff([][2]int{{1, 1}, {1, 2}, {1, 3}}, epochs(first)); diff != "" {
		t.Errorf("first rung (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([][2]int{{1, 4}}, epochs(second)); diff != "" {
		t.Errorf("second rung (-want +got):\n%s", diff)
	}
	if m.closed != 1 {
		t.Errorf("model closed %d times, want 1: nothing is left to train", m.closed)
	}
	// Another slot finds that the seed is finished and reports the same without a model.
	again := &fakeModel{}
	result := runWork(t, f.fake(t, protocol.StageA, again), work(3, 6, 1))
	if diff := cmp.Diff(second.Epochs, result.Epochs); diff != "" || len(again.opened) > 0 {
		t.Errorf("opened %d models; epochs (-want +got):\n%s", len(again.opened), diff)
	}
}

// Two seeds are trained one after the other; an interrupted attempt's epochs are
// reported by the next, which trains only what is missing.
func TestNextAttemptGoesOn(t *testing.T) {
	f := newFixture(t)
	ctx, cancel := context.WithCancel(t.Context())
	m := &fakeModel{accuracy: []float64{1}, train: func(n int) error {
		if n == 13 { // seed 1 takes steps 0–7, seed 2 is in its second epoch
			cancel()
		}
		return nil
	}}
	r := f.fake(t, protocol.StageA, m)
	if _, err := r.Run(ctx, work(0, 2, 1, 2)); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v, want the context's end", err)
	}
	r.Release()
	if m.closed != 2 || len(m.steps) != 14 {
		t.Errorf("%d models closed after %d steps, want both and 14: no step after the end", m.closed, len(m.steps))
	}
	next := &fakeModel{accuracy: []float64{1}}
	w := work(0, 2, 1, 2)
	w.Attempt = 1
	result := runWork(t, f.fake(t, protocol.StageA, next), w)
	if diff := cmp.Diff([][2]int{{1, 1}, {1, 2}, {2, 1}, {2, 2}}, epochs(result)); diff != "" {
		t.Errorf("epochs (-want +got):\n%s", diff)
	}
	if len(next.steps) != 4 || next.steps[0].Number != 4 {
		t.Errorf("trained %d steps from number %d, want the 4 of seed 2's second epoch", len(next.steps), next.steps[0].Number)
	}
	for _, row := range result.Rows {
		if row.Attempt != 1 {
			t.Errorf("row of attempt %d in the report of attempt 1", row.Attempt)
		}
	}
	keys, err := f.bucket.List(t.Context(), "checkpoints/")
	check(t, err)
	want := []string{"checkpoints/study=s/trial=5/seed=1/epoch=0002.safetensors", "checkpoints/study=s/trial=5/seed=2/epoch=0002.safetensors"}
	if diff := cmp.Diff(want, keys); diff != "" {
		t.Errorf("checkpoints (-want +got):\n%s", diff)
	}
}

func TestUnusableCheckpoints(t *testing.T) {
	tests := []struct {
		name  string
		spoil func(t *testing.T, f *fixture, key string)
	}{
		{"damaged", func(t *testing.T, f *fixture, key string) {
			data, err := f.bucket.Read(t.Context(), key)
			check(t, err)
			check(t, f.bucket.Write(t.Context(), key, data[:len(data)-1]))
		}},
		{"not a checkpoint", func(t *testing.T, f *fixture, key string) {
			check(t, f.bucket.Write(t.Context(), key, []byte("\x02\x00\x00\x00\x00\x00\x00\x00{}")))
		}},
		{"of another corpus", func(t *testing.T, f *fixture, _ string) {
			path := filepath.Join(f.study.Corpus.Dir, "posts.csv")
			data, err := os.ReadFile(path)
			check(t, err)
			check(t, os.WriteFile(path, append(data, "p99,quiet rain\n"...), 0o600))
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFixture(t)
			runWork(t, f.fake(t, protocol.StageA, &fakeModel{accuracy: []float64{1}}), work(0, 1, 1))
			tt.spoil(t, f, "checkpoints/study=s/trial=5/seed=1/epoch=0001.safetensors")
			var log strings.Builder
			f.log = &log
			m := &fakeModel{accuracy: []float64{1}}
			result := runWork(t, f.fake(t, protocol.StageA, m), work(0, 2, 1))
			if m.steps[0].Number != 0 || len(result.Epochs) != 2 {
				t.Errorf("began at step %d with %d epochs, want a start from nothing and 2", m.steps[0].Number, len(result.Epochs))
			}
			if !strings.Contains(log.String(), "checkpoint passed over") {
				t.Errorf("nothing said about the checkpoint: %s", log.String())
			}
		})
	}
}

func TestStageC(t *testing.T) {
	f := newFixture(t)
	m := &fakeModel{accuracy: []float64{0.3, 0.9, 0.8}} // untrained, epoch 1, epoch 2 …
	r := f.fake(t, protocol.StageC, m)
	w := work(0, 6, 1)
	fold := 0
	w.Fold = &fold
	result := runWork(t, r, w)
	if diff := cmp.Diff([][2]int{{1, 1}, {1, 2}, {1, 3}, {1, 4}, {1, 5}, {1, 6}}, epochs(result)); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
	if len(result.Rows) != 7 || result.Rows[0].Epoch != 0 || *result.Rows[0].Fold != 0 {
		t.Errorf("%d rows, want epoch 0 and six more", len(result.Rows))
	}
	b := result.Baseline
	if b == nil || b.UntrainedF1Macro != result.Rows[0].F1Macro || b.UntrainedF1Macro >= result.Epochs[0].F1Macro {
		t.Fatalf("baseline %+v, want the untrained model's %v", b, result.Rows[0].F1Macro)
	}
	// Always one class: F1 of that class is 2n/(2n+m), of the other 0; with n of n+m rows.
	valid := r.plan.parts[0].Valid
	if b.MajorityF1Macro <= 0 || b.MajorityF1Macro >= 0.5 || len(valid) != 20 {
		t.Errorf("majority F1-macro %v of %d rows", b.MajorityF1Macro, len(valid))
	}
	// The best epoch is 1, whose four steps make the fake's weight 4. Nothing is left to
	// train, so that the last state holds numbers alone.
	_, params := tensors(t, f, "checkpoints/study=s/trial=5/seed=1/best-epoch=0001.safetensors")
	if diff := cmp.Diff(map[string][]float32{"w": {4}}, params); diff != "" {
		t.Errorf("best weights (-want +got):\n%s", diff)
	}
	if _, last := tensors(t, f, "checkpoints/study=s/trial=5/seed=1/epoch=0006.safetensors"); len(last) != 0 {
		t.Errorf("a finished seed's state holds weights: %v", last)
	}
	for name, w := range map[string]protocol.Work{"no fold": work(0, 6, 1), "fold 4 of 4": w} {
		four := 4
		if w.Fold != nil {
			w.Fold = &four
		}
		w.Attempt = 9
		var failed *slot.TrialError
		if _, err := r.Run(t.Context(), w); !errors.As(err, &failed) || failed.Kind != protocol.FailedData {
			t.Errorf("%s: %v, want a failure of the data", name, err)
		}
	}
}

func TestFailureKinds(t *testing.T) {
	full := errors.New("disk full")
	tests := []struct {
		name   string
		model  *fakeModel
		edit   func(f *fixture, w *protocol.Work)
		kind   protocol.FailureKind // empty: not the trial's fault
		reason string
	}{
		{name: "not finite loss", kind: protocol.FailedNaN, reason: "loss",
			model: &fakeModel{train: func(int) error { return &classifier.NotFiniteError{What: "loss", Step: 3} }}},
		{name: "not finite logits", kind: protocol.FailedNaN, reason: "logits",
			model: &fakeModel{predict: func() ([]float32, error) { return []float32{0, float32(math.NaN())}, nil }}},
		{name: "memory", kind: protocol.FailedOOM, reason: "out of memory",
			model: &fakeModel{train: func(int) error { return errors.Join(errors.New("matmul"), tensor.ErrOutOfMemory) }}},
		{name: "memory while measuring", kind: protocol.FailedOOM, reason: "out of memory",
			model: &fakeModel{predict: func() ([]float32, error) { return nil, tensor.ErrOutOfMemory }}},
		{name: "memory at the start", kind: protocol.FailedOOM, reason: "out of memory", model: &fakeModel{openErr: tensor.ErrOutOfMemory}},
		{name: "an operation", kind: protocol.FailedCrash, reason: "matmul", model: &fakeModel{train: func(int) error { return &tensor.OpError{Op: "matmul", Message: "shapes"} }}},
		{name: "an operation at the start", kind: protocol.FailedCrash, reason: "matmul", model: &fakeModel{openErr: &tensor.OpError{Op: "matmul", Message: "shapes"}}},
		{name: "a head that cannot be", kind: protocol.FailedData, reason: "no such pooling", model: &fakeModel{openErr: errors.New("no such pooling")}},
		{name: "anything else", reason: "disk full", model: &fakeModel{train: func(int) error { return full }}},
		{name: "optimizer", kind: protocol.FailedData, reason: "optim.name: lion", model: &fakeModel{},
			edit: func(_ *fixture, w *protocol.Work) { w.Params["optim.name"] = space.String("lion") }},
		{name: "no learning rate", kind: protocol.FailedData, reason: "optim.lr", model: &fakeModel{},
			edit: func(_ *fixture, w *protocol.Work) { delete(w.Params, "optim.lr") }},
		{name: "no threshold", kind: protocol.FailedData, reason: "null.threshold", model: &fakeModel{},
			edit: func(_ *fixture, w *protocol.Work) { w.Params["null.strategy"] = space.String("threshold") }},
		{name: "a null policy that is none", kind: protocol.FailedData, reason: `null.strategy "never" is not allowed`, model: &fakeModel{},
			edit: func(_ *fixture, w *protocol.Work) { w.Params["null.strategy"] = space.String("never") }},
		{name: "a ratio above 1", kind: protocol.FailedData, reason: "null.ratio 2 is not allowed", model: &fakeModel{},
			edit: func(_ *fixture, w *protocol.Work) {
				w.Params["null.strategy"], w.Params["null.ratio"] = space.String("ratio"), space.Float(2)
			}},
		{name: "no rows in a batch", kind: protocol.FailedData, reason: "train.batch_size 0", model: &fakeModel{},
			edit: func(_ *fixture, w *protocol.Work) { w.Params["train.batch_size"] = space.Int(0) }},
		{name: "backbone without a folder", kind: protocol.FailedData, reason: `"bert-base-uncased"`, model: &fakeModel{},
			edit: func(_ *fixture, w *protocol.Work) { w.Params["model.name"] = space.String("bert-base-uncased") }},
		{name: "backbone without weights", kind: protocol.FailedData, reason: "model.safetensors does not exist", model: &fakeModel{},
			edit: func(f *fixture, _ *protocol.Work) {
				_ = os.Remove(filepath.Join(f.study.Models["tiny"], "model.safetensors"))
			}},
		{name: "too long", kind: protocol.FailedData, reason: "tok.max_length 128 is more than the 64 positions", model: &fakeModel{},
			edit: func(_ *fixture, w *protocol.Work) { w.Params["tok.max_length"] = space.Int(128) }},
		{name: "too short for the criterion", kind: protocol.FailedData, reason: "input 0: encode to 6 tokens by only_second", model: &fakeModel{},
			edit: func(_ *fixture, w *protocol.Work) { w.Params["tok.max_length"] = space.Int(6) }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFixture(t)
			w := work(0, 1, 1)
			if tt.edit != nil {
				tt.edit(f, &w)
			}
			_, err := f.fake(t, protocol.StageA, tt.model).Run(t.Context(), w)
			var failed *slot.TrialError
			if errors.As(err, &failed) != (tt.kind != "") || failed != nil && failed.Kind != tt.kind {
				t.Errorf("got %v, want kind %q", err, tt.kind)
			}
			if err == nil || !strings.Contains(err.Error(), tt.reason) {
				t.Errorf("got %v, want a reason with %q", err, tt.reason)
			}
			if err != nil && (strings.Contains(err.Error(), "garden") || strings.Contains(err.Error(), "tired")) {
				t.Errorf("the error holds a post's words: %v", err)
			}
		})
	}
}

func TestNewRefuses(t *testing.T) {
	f := newFixture(t)
	open := func(stage protocol.Stage) error {
		_, err := New(t.Context(), Options{Study: f.study, Stage: stage, Objects: f.bucket})
		return err
	}
	if err := open("D"); err == nil || !strings.Contains(err.Error(), `"D"`) {
		t.Errorf("stage D: %v", err)
	}
	f.study.Stages.C.Folds = 41
	if err := open(protocol.StageC); err == nil || !strings.Contains(err.Error(), "41 folds") {
		t.Errorf("41 folds of 40 posts: %v", err)
	}
	f.study.Training.ValidFraction = 1
	if err := open(protocol.StageB); err == nil {
		t.Error("everything held out: no error")
	}
	for agent, want := range map[string]string{"all": `agent "all" is not known`, "joint": "the table evidence is missing"} {
		f.study.Agent = agent
		if err := open(protocol.StageA); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("agent %s: %v", agent, err)
		}
	}
	f.study.Corpus.Dir += "-not"
	if err := open(protocol.StageA); err == nil {
		t.Error("no corpus: no error")
	}
}

// Corpus and backbone are looked for where the study says that they lie, the backbone when
// a trial first needs it; what cannot be brought here is told apart from what cannot be used.
func TestFolderOfPlaces(t *testing.T) {
	f := newFixture(t)
	folders := map[string]string{"s3://data/corpora/1/": f.study.Corpus.Dir, "s3://data/backbones/2/": f.study.Models["tiny"]}
	f.study.Corpus.Dir, f.study.Models = "s3://data/corpora/1/", map[string]string{"tiny": "s3://data/backbones/2/", "other": "s3://data/backbones/3/"}
	var asked []string
	var refuse error
	m := &fakeModel{accuracy: []float64{1}}
	r, err := New(t.Context(), Options{
		Study: f.study, Stage: protocol.StageA, Objects: f.bucket, Log: slog.New(slog.DiscardHandler),
		Folder: func(_ context.Context, place string) (string, error) {
			asked = append(asked, place)
			return folders[place], refuse
		},
	})
	check(t, err)
	m.rows = len(r.plan.parts[0].Valid)
	r.open = func(classifier.Options) (model, error) { return m, nil }
	if d := cmp.Diff([]string{"s3://data/corpora/1/"}, asked); d != "" {
		t.Errorf("before any trial: -want +got\n%s", d)
	}
	began := time.Now()
	result := runWork(t, r, work(0, 1, 1))
	if d := cmp.Diff([]string{"s3://data/corpora/1/", "s3://data/backbones/2/"}, asked); d != "" {
		t.Errorf("after a trial: -want +got\n%s", d)
	}
	if result.Began.Before(began) || result.Began.After(time.Now()) {
		t.Errorf("the first step was taken at %v, the run began at %v", result.Began, began)
	}
	r.Release()
	if again := runWork(t, r, work(0, 1, 1)); !again.Began.IsZero() || len(again.Epochs) != 1 {
		t.Errorf("with all epochs saved a step was taken at %v", again.Began)
	}
	r.Release()
	next := work(0, 1, 1)
	next.Trial, next.Checkpoint = 6, "checkpoints/6/"
	refuse = errors.New("the network is down")
	var failed *slot.TrialError
	if _, err := r.Run(t.Context(), next); !errors.Is(err, refuse) || errors.As(err, &failed) {
		t.Errorf("what passes: %v", err)
	}
	refuse = fmt.Errorf("fetch: %w", dataref.ErrUnusable)
	if _, err := r.Run(t.Context(), next); !errors.As(err, &failed) || failed.Kind != protocol.FailedData || !strings.Contains(err.Error(), `backbone "tiny"`) {
		t.Errorf("what does not pass: %v", err)
	}
	if _, err := New(t.Context(), Options{Study: f.study, Stage: protocol.StageA, Folder: func(context.Context, string) (string, error) { return "", refuse }}); !errors.Is(err, refuse) {
		t.Errorf("no corpus: %v", err)
	}
	// A run that fails says all the same when it began.
	refuse, m.train = nil, func(int) error { return errors.New("disk full") }
	if result, err := r.Run(t.Context(), next); err == nil || result.Began.IsZero() {
		t.Errorf("a run that failed began at %v, %v", result.Began, err)
	}
}
