package optim

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/supermax-hpo/supermax/batchjob/internal/modeltest"
	"github.com/supermax-hpo/supermax/batchjob/tensor"
)

// problem runs f with two parameters, x of 3 and y of 2 elements, and their optimizer.
func problem(t *testing.T, path tensor.Path, c AdamWConfig, f func(s *tensor.Scope, p *tensor.Params, o *AdamW)) {
	t.Helper()
	params := tensor.NewParams()
	defer params.Free()
	err := modeltest.Worker(t, path).Do(func(s *tensor.Scope) {
		params.Add(s, tensor.Array{Name: "x.weight", Shape: []int{3}, Data: []float32{1, -2, 3}})
		params.Add(s, tensor.Array{Name: "y.bias", Shape: []int{2}, Data: []float32{4, 5}})
		o, err := NewAdamW(s, params, c)
		if err != nil {
			t.Fatal(err)
		}
		defer o.Free()
		f(s, params, o)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// A first step goes lr against each gradient's sign, whatever its size; what has no
// gradient stays and is not counted.
func TestAdamWFirstStep(t *testing.T) {
	for _, path := range []tensor.Path{tensor.Kernels, tensor.Library} {
		problem(t, path, AdamWConfig{WeightDecay: 0.5}, func(s *tensor.Scope, p *tensor.Params, o *AdamW) {
			setGrads(s, p.Tensors(), []float32{10, -0.1, 2})
			if n := o.Step(s, 0.1, 0); math.Abs(n-math.Sqrt(100+0.01+4)) > 1e-5 {
				t.Errorf("norm %v", n)
			}
			// p·(1 - 0.1·0.5) ∓ 0.1
			for i, want := range []float64{0.95 - 0.1, -1.9 + 0.1, 2.85 - 0.1} {
				if got := s.Read(p.Tensors()[0])[i]; math.Abs(float64(got)-want) > 1e-6 {
					t.Errorf("element %d is %v instead of %v", i, got, want)
				}
			}
			if got := s.Read(p.Tensors()[1]); !slices.Equal(got, []float32{4, 5}) {
				t.Errorf("the parameter without gradient is %v", got)
			}
			if states := o.Export(s); len(states) != 1 || states[0].Name != "x.weight" || states[0].Step != 1 {
				t.Errorf("got states %v", states)
			}
		})
	}
}

// Gradients above the largest norm count as if scaled down to it, in the moments too.
func TestAdamWClips(t *testing.T) {
	for _, path := range []tensor.Path{tensor.Kernels, tensor.Library} {
		problem(t, path, AdamWConfig{}, func(s *tensor.Scope, p *tensor.Params, o *AdamW) {
			setGrads(s, p.Tensors(), []float32{3, 0, 0}, []float32{0, 4})
			if n := o.Step(s, 0.1, 0.5); n != 5 {
				t.Errorf("norm %v instead of 5", n)
			}
			clip := 0.5 / (5 + 1e-6)
			state := o.Export(s)
			if m := float64(state[1].M[1]); math.Abs(m-0.1*4*clip) > 1e-7 {
				t.Errorf("m is %v", m)
			}
			if v := float64(state[1].V[1]); math.Abs(v-0.001*16*clip*clip) > 1e-9 {
				t.Errorf("v is %v", v)
			}
		})
	}
}

// A gradient that is not finite changes nothing.
func TestAdamWNotFinite(t *testing.T) {
	for _, path := range []tensor.Path{tensor.Kernels, tensor.Library} {
		problem(t, path, AdamWConfig{WeightDecay: 0.5}, func(s *tensor.Scope, p *tensor.Params, o *AdamW) {
			setGrads(s, p.Tensors(), []float32{1, float32(math.NaN()), 1}, []float32{1, 1})
			if n := o.Step(s, 0.1, 1); !math.IsNaN(n) {
				t.Errorf("norm %v", n)
			}
			if got := s.Read(p.Tensors()[0]); !slices.Equal(got, []float32{1, -2, 3}) {
				t.Errorf("the parameter is %v", got)
			}
			if states := o.Export(s); states != nil {
				t.Errorf("got states %v", states)
			}
		})
	}
}

func TestAdamWDecayGroups(t *testing.T) {
	problem(t, tensor.Kernels, AdamWConfig{WeightDecay: 0.5, Decay: DecayWeights}, func(s *tensor.Scope, p *tensor.Params, o *AdamW) {
		setGrads(s, p.Tensors(), []float32{0, 0, 0}, []float32{0, 0})
		o.Step(s, 0.1, 0)
		if x, y := s.Read(p.Tensors()[0])[2], s.Read(p.Tensors()[1])[1]; math.Abs(float64(x)-2.85) > 1e-6 || y != 5 {
			t.Errorf("decayed to %v and %v", x, y)
		}
	})
	for name, want := range map[string]bool{"a.weight": true, "a.bias": false, "a.LayerNorm.weight": false, "attn_pool.weight": true} {
		if DecayWeights(name) != want {
			t.Errorf("DecayWeights(%q) = %v", name, !want)
		}
	}
}

// Going on from an exported state equals not having stopped.
func TestStateRoundTrip(t *testing.T) {
	grads := [][]float32{{1, 2, 3}, {-1, 0.5, 0}, {0.1, 0.2, -3}}
	var want, state []ParamState
	problem(t, tensor.Kernels, AdamWConfig{}, func(s *tensor.Scope, p *tensor.Params, o *AdamW) {
		for i, g := range grads {
			setGrads(s, p.Tensors(), g)
			o.Step(s, 0.1, 0)
			s.ClearGrads(p.Tensors())
			if i == 1 {
				state = o.Export(s)
			}
		}
		want = o.Export(s)
	})
	problem(t, tensor.Kernels, AdamWConfig{}, func(s *tensor.Scope, p *tensor.Params, o *AdamW) {
		setGrads(s, p.Tensors(), []float32{9, 9, 9}, []float32{9, 9})
		o.Step(s, 0.1, 0) // to be forgotten
		s.ClearGrads(p.Tensors())
		if err := o.Import(s, state); err != nil {
			t.Fatal(err)
		}
		setGrads(s, p.Tensors(), grads[2])
		o.Step(s, 0.1, 0)
		if diff := cmp.Diff(want, o.Export(s)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

func TestImportRefuses(t *testing.T) {
	good := ParamState{Name: "x.weight", Step: 1, M: make([]float32, 3), V: make([]float32, 3)}
	for _, c := range []struct {
		name  string
		state []ParamState
		want  string
	}{
		{"unknown", []ParamState{good, {Name: "z"}}, "the model has no z"},
		{"twice", []ParamState{good, good}, "given twice"},
		{"step", []ParamState{{Name: "y.bias", M: good.M[:2], V: good.V[:2]}}, "step 0"},
		{"size", []ParamState{good, {Name: "y.bias", Step: 1, M: good.M, V: good.V}}, "3 and 3 values instead of 2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			problem(t, tensor.Kernels, AdamWConfig{}, func(s *tensor.Scope, _ *tensor.Params, o *AdamW) {
				err := o.Import(s, c.state)
				if err == nil || !strings.Contains(err.Error(), c.want) {
					t.Errorf("got %v, want …%s…", err, c.want)
				}
				if states := o.Export(s); states != nil {
					t.Errorf("it left %v", states)
				}
			})
		})
	}
}

func TestAdamWConfigRefused(t *testing.T) {
	for _, c := range []AdamWConfig{{Beta1: 1}, {Beta2: -1}, {Eps: -1}, {WeightDecay: -1}, {WeightDecay: math.NaN()}} {
		if err := modeltest.Worker(t, tensor.Kernels).Do(func(s *tensor.Scope) {
			if _, err := NewAdamW(s, tensor.NewParams(), c); err == nil {
				t.Errorf("%+v was accepted", c)
			}
		}); err != nil {
			t.Fatal(err)
		}
	}
}
