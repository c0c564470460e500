package backbone_test

import (
	"slices"
	"testing"

	"github.com/supermax-hpo/supermax/batchjob/backbone"
	"github.com/supermax-hpo/supermax/batchjob/internal/goldenmodel"
	"github.com/supermax-hpo/supermax/batchjob/pretrained"
	"github.com/supermax-hpo/supermax/batchjob/tensor"
)

// Every architecture's gradients are the same, to the last bit, whether its layers are kept or
// computed again, dropout included; and both paths drop the same elements.
func TestCheckpointedGradients(t *testing.T) {
	for _, c := range goldenmodel.Cases(t) {
		w := dropping(c)
		states := map[tensor.Path][]float32{}
		for name, path := range paths {
			t.Run(c.Name()+"/"+name, func(t *testing.T) {
				kept, last := gradients(t, path, w, c.Batch, func(s *tensor.Scope, m *backbone.Encoder, rows *tensor.Packed, random *tensor.Randomness) (tensor.T, func()) {
					states := m.Forward(s, c.Batch, rows, random)
					return states[len(states)-1], func() {}
				})
				again, lastAgain := gradients(t, path, w, c.Batch, func(s *tensor.Scope, m *backbone.Encoder, rows *tensor.Packed, random *tensor.Randomness) (tensor.T, func()) {
					return m.LastCheckpointed(s, c.Batch, rows, random, backbone.Tokens)
				})
				if !slices.Equal(last, lastAgain) {
					t.Error("the last hidden states differ")
				}
				states[path] = last
				compared := 0
				for name, g := range kept {
					compared += len(g)
					if !slices.Equal(g, again[name]) {
						t.Errorf("the gradient of %s differs by %.2g", name, goldenmodel.MaxDiff(t, again[name], g))
					}
				}
				if len(kept) != len(again) || compared == 0 {
					t.Errorf("%d gradients, %d when computed again", len(kept), len(again))
				}
			})
		}
		if d := goldenmodel.MaxDiff(t, states[tensor.Kernels], states[tensor.Library]); !(d <= 1e-4) {
			t.Errorf("%s: the paths' last hidden states with dropout differ by %.2g", c.Name(), d)
		}
	}
}

// dropping returns a golden model that drops much.
func dropping(c *goldenmodel.Case) *pretrained.Weights {
	w := *c.Weights
	w.Config.HiddenDropoutProb, w.Config.AttentionProbsDropoutProb = 0.2, 0.1
	if w.Config.ModelType == pretrained.ModelTypeXLNet {
		w.Config.AttentionProbsDropoutProb = 0
	}
	return &w
}

// The rows' summaries and their gradients are those of the whole last layer, dropout included,
// with layers kept or computed again.
func TestSummary(t *testing.T) {
	for _, c := range goldenmodel.Cases(t) {
		w := dropping(c)
		for name, path := range paths {
			t.Run(c.Name()+"/"+name, func(t *testing.T) {
				want, states := gradients(t, path, w, c.Batch, func(s *tensor.Scope, m *backbone.Encoder, rows *tensor.Packed, random *tensor.Randomness) (tensor.T, func()) {
					return rows.End(m.Last(s, c.Batch, rows, random, backbone.Tokens), m.SummaryLast()), func() {}
				})
				got, summaries := gradients(t, path, w, c.Batch, func(s *tensor.Scope, m *backbone.Encoder, rows *tensor.Packed, random *tensor.Randomness) (tensor.T, func()) {
					return m.Last(s, c.Batch, rows, random, backbone.Summaries), func() {}
				})
				again, summariesAgain := gradients(t, path, w, c.Batch, func(s *tensor.Scope, m *backbone.Encoder, rows *tensor.Packed, random *tensor.Randomness) (tensor.T, func()) {
					return m.LastCheckpointed(s, c.Batch, rows, random, backbone.Summaries)
				})
				if d := goldenmodel.MaxDiff(t, summaries, states); !(d <= tolerance) {
					t.Errorf("the summaries differ by %.2g", d)
				}
				if !slices.Equal(summaries, summariesAgain) {
					t.Error("the summaries differ when layers are computed again")
				}
				if len(got) != len(want) || len(again) != len(want) || len(want) == 0 {
					t.Fatalf("%d gradients, %d when computed again, want %d", len(got), len(again), len(want))
				}
				largest := 0.0
				for _, g := range want {
					largest = max(largest, goldenmodel.MaxDiff(t, g, make([]float32, len(g))))
				}
				for name, g := range want {
					if d := goldenmodel.MaxDiff(t, got[name], g); !(d <= 1e-5*max(1, largest)) {
						t.Errorf("the gradient of %s differs by %.2g", name, d)
					}
					if !slices.Equal(got[name], again[name]) {
						t.Errorf("the gradient of %s differs when computed again", name)
					}
				}
			})
		}
	}
}

// gradients returns those of a fixed function of the last hidden states, and the states.
func gradients(t *testing.T, path tensor.Path, w *pretrained.Weights, b backbone.Batch,
	forward func(*tensor.Scope, *backbone.Encoder, *tensor.Packed, *tensor.Randomness) (tensor.T, func())) (map[string][]float32, []float32) {
	t.Helper()
	before := tensor.LiveTensors()
	worker, err := tensor.Start(tensor.Options{Device: "cpu", Threads: 1, Path: path})
	if err != nil {
		t.Fatal(err)
	}
	defer worker.Close()
	params := tensor.NewParams()
	var m *backbone.Encoder
	grads, states := map[string][]float32{}, []float32(nil)
	for _, f := range []func(s *tensor.Scope){func(s *tensor.Scope) {
		if m, err = backbone.New(s, w, params, ""); err != nil {
			t.Error(err)
		}
	}, func(s *tensor.Scope) {
		random := &tensor.Randomness{Seed: 3, Step: 5}
		last, backward := forward(s, m, s.Pack(b.Starts, true, 0), random)
		states = s.Read(last)
		weights := make([]float32, len(states))
		for i := range weights {
			weights[i] = float32(i%7) - 3
		}
		s.Backward(s.Sum(s.Mul(last, s.Floats(weights, last.Shape()...))))
		backward()
		for i, name := range params.Names() {
			if g, ok := s.Grad(params.Tensors()[i]); ok {
				grads[name] = s.Read(g)
			}
		}
	}} {
		if err := worker.Do(f); err != nil {
			t.Fatal(err)
		}
	}
	params.Free()
	if n := tensor.LiveTensors(); n != before {
		t.Errorf("%d live tensors, %d before", n, before)
	}
	return grads, states
}
