package optim

import (
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/supermax-hpo/supermax/batchjob/internal/modeltest"
	"github.com/supermax-hpo/supermax/batchjob/safetensors"
	"github.com/supermax-hpo/supermax/batchjob/tensor"
	"github.com/supermax-hpo/supermax/tests/goldentest"
)

// golden reads a tensor of a golden file with its shape.
func golden(t *testing.T, file, name string) tensor.Array {
	t.Helper()
	r, err := os.Open(filepath.Join(goldentest.Dir(t, "optim"), file))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }() // opened for reading only
	stat, err := r.Stat()
	if err != nil {
		t.Fatal(err)
	}
	f, err := safetensors.Read(r, stat.Size())
	if err != nil {
		t.Fatal(err)
	}
	data, err := f.Float32s(name)
	if err != nil {
		t.Fatal(err)
	}
	info, _ := f.Lookup(name)
	return tensor.Array{Name: name, Shape: info.Shape, Data: data}
}

// at returns the step's part of an array whose first dimension is the step.
func at(a tensor.Array, step int) []float32 {
	n := len(a.Data) / a.Shape[0]
	return a.Data[step*n : (step+1)*n]
}

// setGrads gives params these gradients, as those of a sum of products.
func setGrads(s *tensor.Scope, params []tensor.T, grads ...[]float32) {
	for i, g := range grads {
		s.Backward(s.Sum(s.Mul(params[i], s.Floats(g, params[i].Shape()...))))
	}
}

func TestGoldenAdamW(t *testing.T) {
	w0, b0 := golden(t, "problem.safetensors", "W0"), golden(t, "problem.safetensors", "b0")
	gw, gb := golden(t, "problem.safetensors", "grad_W"), golden(t, "problem.safetensors", "grad_b")
	for name, path := range map[string]tensor.Path{"kernels": tensor.Kernels, "library": tensor.Library} {
		t.Run(name, func(t *testing.T) {
			const tolerance = 3e-6 // the golden README's for 32 bits
			for _, suffix := range []string{"_f32", "_f64"} {
				wantW, wantB := golden(t, "adamw.safetensors", "W"+suffix), golden(t, "adamw.safetensors", "b"+suffix)
				params := tensor.NewParams()
				defer params.Free()
				err := modeltest.Worker(t, path).Do(func(s *tensor.Scope) {
					w, b := params.Add(s, w0), params.Add(s, b0)
					o, err := NewAdamW(s, params, AdamWConfig{WeightDecay: 0.01})
					if err != nil {
						t.Fatal(err)
					}
					defer o.Free()
					for step := range gw.Shape[0] {
						setGrads(s, params.Tensors(), at(gw, step), at(gb, step))
						o.Step(s, 1e-3, 0)
						s.ClearGrads(params.Tensors())
						for _, c := range []struct{ got, want []float32 }{{s.Read(w), at(wantW, step)}, {s.Read(b), at(wantB, step)}} {
							for i := range c.got {
								if d := math.Abs(float64(c.got[i]) - float64(c.want[i])); !(d <= tolerance) {
									t.Fatalf("step %d, element %d: got %v, want %v", step, i, c.got[i], c.want[i])
								}
							}
						}
					}
				})
				if err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}
