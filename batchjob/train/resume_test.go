package train

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/supermax-hpo/supermax/batchjob/classifier"
	"github.com/supermax-hpo/supermax/batchjob/safetensors"
	"github.com/supermax-hpo/supermax/batchjob/tensor"
	"github.com/supermax-hpo/supermax/shared/objects"
	"github.com/supermax-hpo/supermax/shared/protocol"
)

// tensors reads an object's header and float tensors.
func tensors(t *testing.T, f *fixture, key string) (map[string]string, map[string][]float32) {
	t.Helper()
	data, err := f.bucket.Read(t.Context(), key)
	check(t, err)
	file, err := safetensors.Read(bytes.NewReader(data), int64(len(data)))
	check(t, err)
	out := map[string][]float32{}
	for _, info := range file.Tensors() {
		if info.DType == safetensors.F32 {
			out[info.Name], err = file.Float32s(info.Name)
			check(t, err)
		}
	}
	return file.Metadata, out
}

func realFixture(t *testing.T) *fixture {
	t.Helper()
	f := newFixture(t)
	w, err := tensor.Start(tensor.Options{Device: "cpu", Threads: 1})
	check(t, err)
	t.Cleanup(w.Close)
	f.worker = w
	return f
}

// Four epochs at a stretch, two and two by another process, two and two in the same
// attempt, and four with an interruption amid the third are bit for bit the same.
func TestResumeIsExact(t *testing.T) {
	f := realFixture(t)
	before := tensor.LiveTensors()
	const key = "checkpoints/study=s/trial=5/seed=2/epoch=0004.safetensors"
	again := func() {
		bucket, err := objects.Open(t.Context(), "mem://")
		check(t, err)
		f.bucket = bucket
	}
	first := f.trainer(t, protocol.StageA)
	straight := runWork(t, first, work(0, 4, 1, 2))
	first.Release()
	_, want := tensors(t, f, key)
	if len(want) == 0 {
		t.Fatal("the checkpoint holds no weights")
	}
	ways := map[string]func(t *testing.T) []protocol.EpochMetrics{
		"two and two": func(t *testing.T) []protocol.EpochMetrics {
			first := runWork(t, f.trainer(t, protocol.StageA), work(0, 2, 1, 2))
			second := runWork(t, f.trainer(t, protocol.StageA), work(2, 4, 1, 2))
			return append(first.Epochs, second.Epochs...)
		},
		"promoted on the spot": func(t *testing.T) []protocol.EpochMetrics {
			r := f.trainer(t, protocol.StageA)
			first := runWork(t, r, work(0, 2, 1, 2))
			second := runWork(t, r, work(2, 4, 1, 2))
			r.Release()
			return append(first.Epochs, second.Epochs...)
		},
		"promoted on the spot, too large to hold": func(t *testing.T) []protocol.EpochMetrics {
			r := f.trainer(t, protocol.StageA)
			r.holdLimit = 0
			first := runWork(t, r, work(0, 2, 1, 2))
			if live := tensor.LiveTensors(); live != before {
				t.Errorf("%d tensors live between rungs, want %d", live, before)
			}
			second := runWork(t, r, work(2, 4, 1, 2))
			return append(first.Epochs, second.Epochs...)
		},
		"interrupted": func(t *testing.T) []protocol.EpochMetrics {
			ctx, cancel := context.WithCancel(t.Context())
			r := f.trainer(t, protocol.StageA)
			open := r.open
			r.open = func(o classifier.Options) (model, error) {
				m, err := open(o)
				if o.Seed == 2 {
					m = &stopping{model: m, after: 10, stop: cancel} // of four steps an epoch
				}
				return m, err
			}
			if _, err := r.Run(ctx, work(0, 4, 1, 2)); !errors.Is(err, context.Canceled) {
				t.Fatalf("not interrupted: %v", err)
			}
			if ok, err := f.bucket.Exists(t.Context(), "checkpoints/study=s/trial=5/seed=2/epoch=0002.safetensors"); err != nil || !ok {
				t.Errorf("no checkpoint of the second epoch (%v)", err)
			}
			return runWork(t, f.trainer(t, protocol.StageA), work(0, 4, 1, 2)).Epochs
		},
	}
	bySeed := cmpopts.SortSlices(func(a, b protocol.EpochMetrics) bool {
		return a.Seed < b.Seed || a.Seed == b.Seed && a.Epoch < b.Epoch
	})
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			again()
			got := way(t)
			if diff := cmp.Diff(straight.Epochs, got, bySeed); diff != "" {
				t.Errorf("metrics (-want +got):\n%s", diff)
			}
			_, weights := tensors(t, f, key)
			if diff := cmp.Diff(want, weights); diff != "" {
				t.Errorf("weights and moments (-want +got):\n%.1000s", diff)
			}
		})
	}
}

// stopping ends a context after some steps of a model.
type stopping struct {
	model
	after int
	stop  func()
}

func (s *stopping) Train(step classifier.Step) (classifier.StepResult, error) {
	if s.after--; s.after == 0 {
		s.stop()
	}
	return s.model.Train(step)
}

// A real model learns what the fixture's cue words say, and frees what it used.
func TestLearns(t *testing.T) {
	f := realFixture(t)
	f.study.Stages.C.Epochs = 25
	before := tensor.LiveTensors()
	r := f.trainer(t, protocol.StageC)
	w := work(0, 25, 3)
	fold := 1
	w.Fold = &fold
	result := runWork(t, r, w)
	r.Release()
	last := result.Epochs[len(result.Epochs)-1]
	if b := result.Baseline; last.F1Macro < b.MajorityF1Macro+0.3 || last.F1Macro < b.UntrainedF1Macro+0.15 {
		t.Errorf("F1-macro %v after 25 epochs; majority %v, untrained %v", last.F1Macro, b.MajorityF1Macro, b.UntrainedF1Macro)
	}
	if last.Loss >= result.Epochs[0].Loss {
		t.Errorf("loss rose from %v to %v", result.Epochs[0].Loss, last.Loss)
	}
	if after := tensor.LiveTensors(); after != before {
		t.Errorf("%d tensors live after, %d before", after, before)
	}
}
