package backbone_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/supermax-hpo/supermax/batchjob/backbone"
	"github.com/supermax-hpo/supermax/batchjob/internal/goldenmodel"
	"github.com/supermax-hpo/supermax/batchjob/pretrained"
	"github.com/supermax-hpo/supermax/batchjob/tensor"
	"github.com/supermax-hpo/supermax/tests/goldentest"
)

// tolerance is the golden README's for hidden states and logits.
const tolerance = 2e-5

var paths = map[string]tensor.Path{"kernels": tensor.Kernels, "library": tensor.Library}

// inModel runs f with a model on a worker and checks that every tensor is freed.
func inModel(t *testing.T, path tensor.Path, w *pretrained.Weights, f func(*tensor.Scope, *backbone.Encoder)) {
	t.Helper()
	before := tensor.LiveTensors()
	worker, err := tensor.Start(tensor.Options{Device: "cpu", Threads: 1, Path: path})
	if err != nil {
		t.Fatal(err)
	}
	defer worker.Close()
	params := tensor.NewParams()
	var failed error
	err = worker.Do(func(s *tensor.Scope) {
		m, err := backbone.New(s, w, params, w.Config.Prefix())
		if err != nil {
			failed = err
			return
		}
		f(s, m)
	})
	params.Free()
	if err != nil || failed != nil {
		t.Fatal(err, failed)
	}
	if n := tensor.LiveTensors(); n != before {
		t.Errorf("%d live tensors, %d before", n, before)
	}
}

func TestGoldenHiddenStates(t *testing.T) {
	for _, c := range goldenmodel.Cases(t) {
		for name, path := range paths {
			t.Run(c.Name()+"/"+name, func(t *testing.T) {
				inModel(t, path, c.Weights, func(s *tensor.Scope, m *backbone.Encoder) {
					if err := m.Check(c.Batch); err != nil {
						t.Fatal(err)
					}
					rows := s.Pack(c.Batch.Starts, false, 0)
					states := m.Forward(s, c.Batch, rows, nil)
					if want := c.Weights.Config.NumHiddenLayers + 1; len(states) != want {
						t.Fatalf("got %d hidden states, want %d", len(states), want)
					}
					for i, state := range states {
						if d := goldenmodel.MaxDiff(t, s.Read(state), c.Tokens(t, fmt.Sprintf("hidden_states.%d", i))); !(d <= tolerance) {
							t.Errorf("hidden state %d differs by %.2g", i, d)
						}
					}
					last := states[len(states)-1]
					if d := goldenmodel.MaxDiff(t, s.Read(last), c.Tokens(t, "last_hidden_state")); !(d <= tolerance) {
						t.Errorf("the last hidden state differs by %.2g", d)
					}
					if c.Has("pooler_output") {
						checkPooler(t, s, m, c, last, rows)
					}
				})
			})
		}
	}
}

// checkPooler compares the pooler, and the logits that the hub's own head makes of it.
func checkPooler(t *testing.T, s *tensor.Scope, m *backbone.Encoder, c *goldenmodel.Case, last tensor.T, rows *tensor.Packed) {
	t.Helper()
	pooled, err := m.Pool(s, last, rows)
	if err != nil {
		t.Error(err)
		return
	}
	if d := goldenmodel.MaxDiff(t, s.Read(pooled), c.Floats(t, "pooler_output")); !(d <= tolerance) {
		t.Errorf("the pooler differs by %.2g", d)
	}
	if c.Weights.Config.ModelType == pretrained.ModelTypeRoBERTa { // its classifier has layers of its own
		return
	}
	weight, bias := c.Stored(t, "classifier.weight"), c.Stored(t, "classifier.bias")
	logits := s.Linear(pooled, s.Floats(weight, len(bias), m.Hidden()), s.Floats(bias, len(bias)))
	if d := goldenmodel.MaxDiff(t, s.Read(logits), c.Floats(t, "seqcls_logits")); !(d <= tolerance) {
		t.Errorf("the hub's logits differ by %.2g", d)
	}
}

// A checkpoint without the head's prefix, and one with TensorFlow's LayerNorm names, make
// the same model.
func TestGoldenNames(t *testing.T) {
	variants := 0
	for _, c := range goldenmodel.Cases(t) {
		paths, err := filepath.Glob(filepath.Join(c.Dir, "*", "model.safetensors"))
		if err != nil {
			t.Fatal(err)
		}
		variants += len(paths)
		for _, path := range paths {
			t.Run(c.Name()+"/"+filepath.Base(filepath.Dir(path)), func(t *testing.T) {
				w, err := pretrained.LoadFile(path, c.Weights.Config)
				if err != nil {
					t.Fatal(err)
				}
				inModel(t, tensor.Kernels, w, func(s *tensor.Scope, m *backbone.Encoder) {
					states := m.Forward(s, c.Batch, s.Pack(c.Batch.Starts, false, 0), nil)
					if d := goldenmodel.MaxDiff(t, s.Read(states[len(states)-1]), c.Tokens(t, "last_hidden_state")); !(d <= tolerance) {
						t.Errorf("the last hidden state differs by %.2g", d)
					}
				})
			})
		}
	}
	if variants == 0 {
		goldentest.None(t, "no golden model comes in other names too")
	}
}
