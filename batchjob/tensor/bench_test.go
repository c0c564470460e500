package tensor

import (
	"testing"

	"github.com/sugarme/gotch"
	"github.com/sugarme/gotch/ts"
)

// What one small operation costs: through a scope, which frees 50 results together, and
// through gotch's own tensors, which allocate 100 KB of Go memory and a finalizer each.

func BenchmarkAddScope(b *testing.B) {
	w := startWorker(b, Kernels)
	b.ReportAllocs()
	for n := 0; n < b.N; {
		if err := w.Do(func(s *Scope) {
			x := s.Floats(make([]float32, 32*32), 32, 32)
			for range 50 {
				s.Add(x, x)
				n++
			}
		}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAddTS(b *testing.B) {
	x := ts.MustZeros([]int64{32, 32}, gotch.Float, gotch.CPU)
	b.ReportAllocs()
	for range b.N {
		y := x.MustAdd(x, false)
		y.MustDrop()
	}
}

// The fused steps on a batch of the tiny model: 16 rows of 51 tokens, 48 wide.
func BenchmarkFused(b *testing.B) {
	for name, path := range map[string]Path{"kernels": Kernels, "library": Library} {
		starts := make([]int, 17)
		for i := range starts {
			starts[i] = 51 * i
		}
		for step, f := range map[string]func(*Scope, T, *Packed, Drop){
			"dropout":   func(s *Scope, x T, _ *Packed, d Drop) { s.Dropout(x, d) },
			"attention": func(s *Scope, x T, p *Packed, d Drop) { s.Attention(x, x, x, p, 4, d) },
			"gelu":      func(s *Scope, x T, _ *Packed, _ Drop) { s.GELU(x) },
		} {
			b.Run(step+"/"+name, func(b *testing.B) {
				if err := startWorker(b, path).Do(func(s *Scope) {
					p := s.Pack(starts, true, 0)
					x := s.Floats(make([]float32, 816*48), 816, 48)
					d := Randomness{}.At(0, p.TokenKeys(), 0.1)
					f(s, x, p, d) // makes what the packing keeps
					inputs := len(s.made)
					for b.Loop() {
						f(s, x, p, d)
						freeAll(s.made[inputs:])
						s.made = s.made[:inputs]
					}
				}); err != nil {
					b.Fatal(err)
				}
			})
		}
	}
}
