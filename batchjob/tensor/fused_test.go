package tensor

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/supermax-hpo/supermax/batchjob/tensor/internal/kernels"
)

// network is one fused step: from parameters to an output.
type network struct {
	name    string
	inputs  [][]int // shapes
	rows    []int   // starts
	forward func(s *Scope, x []T, p *Packed, d Drop) T
	terms   int // of the longest sum, where that is above 37
}

var networks = []network{
	{"dropout", [][]int{{9, 37}}, []int{0, 4, 5, 9}, func(s *Scope, x []T, _ *Packed, d Drop) T { return s.Dropout(x[0], d) }, 0},
	{"add norm", [][]int{{9, 37}, {9, 37}, {37}, {37}}, []int{0, 4, 5, 9}, func(s *Scope, x []T, _ *Packed, d Drop) T {
		return s.AddNorm(x[0], x[1], x[2], x[3], 1e-12, d)
	}, 0},
	{"attention", [][]int{{20, 24}, {20, 24}, {20, 24}}, []int{0, 1, 8, 20}, func(s *Scope, x []T, p *Packed, d Drop) T {
		return s.Attention(x[0], x[1], x[2], p, 4, d)
	}, 0},
	{"attention of one head", [][]int{{5, 3}, {5, 3}, {5, 3}}, []int{0, 5}, func(s *Scope, x []T, p *Packed, d Drop) T {
		return s.Attention(x[0], x[1], x[2], p, 1, d)
	}, 0},
	{"linear", [][]int{{9, 37}, {24, 37}, {24}}, []int{0, 9}, linear, 0},
	{"linear without bias", [][]int{{9, 37}, {24, 37}}, []int{0, 9}, linear, 0},
	{"linear, large enough for oneDNN, with a rest", [][]int{{200, 100}, {150, 100}, {150}}, []int{0, 200}, linear, 200},
	{"gelu", [][]int{{9, 37}}, []int{0, 9}, func(s *Scope, x []T, _ *Packed, _ Drop) T { return s.GELU(x[0]) }, 0},
	{"non-contiguous", [][]int{{37, 9}, {9, 37}, {37}, {37}}, []int{0, 4, 5, 9}, func(s *Scope, x []T, p *Packed, d Drop) T {
		y := s.Transpose(x[0], 0, 1)
		return s.AddNorm(s.Dropout(s.GELU(y), d), x[1], x[2], x[3], 1e-5, d)
	}, 0},
}

// linear has a bias where there is a third input.
func linear(s *Scope, x []T, _ *Packed, _ Drop) T {
	bias := T{}
	if len(x) > 2 {
		bias = x[2]
	}
	return s.Linear(x[0], x[1], bias)
}

func normals(rng *rand.Rand, n int, scale float64) []float32 {
	data := make([]float32, n)
	for i := range data {
		data[i] = float32(scale * rng.NormFloat64())
	}
	return data
}

// run returns a network's output and the gradients of a random projection of it.
func run(t *testing.T, n network, path Path, p float64) (out []float32, grads [][]float32) {
	t.Helper()
	params := NewParams()
	do(t, path, func(s *Scope) {
		defer params.Free()
		rng := rand.New(rand.NewPCG(1, 2))
		for i, shape := range n.inputs {
			params.Add(s, Array{string(rune('a' + i)), shape, normals(rng, elements(shape), 1.5)})
		}
		rows := s.Pack(n.rows, true, 3)
		drop := Randomness{Seed: 7, Step: 11}.At(13, rows.TokenKeys(), p)
		y := n.forward(s, params.Tensors(), rows, drop)
		out = s.Read(y)
		s.Backward(s.Sum(s.Mul(y, s.Floats(normals(rng, len(out), 1), y.Shape()...))))
		for _, x := range params.Tensors() {
			g, ok := s.Grad(x)
			if !ok {
				t.Fatal("no gradient")
			}
			grads = append(grads, s.Read(g))
		}
	})
	return out, grads
}

func worst(a, b []float32) float64 {
	w := 0.0
	for i := range a {
		if d := math.Abs(float64(a[i]) - float64(b[i])); !(d <= w) {
			w = d
		}
	}
	return w
}

// The kernels compute what the library's operations compute, masks and gradients
// included, with every instruction set that this processor has.
func TestKernelsMatchLibrary(t *testing.T) {
	for level, set := range map[int]string{kernels.Generic: "generic", kernels.AVX2: "avx2"} {
		if !kernels.Supported(level) {
			t.Logf("this processor lacks %s", set)
			continue
		}
		if err := kernels.Select(level); err != nil {
			t.Fatal(err)
		}
		for _, n := range networks {
			for _, p := range []float64{0, 0.1, 0.6} {
				t.Run(set+"/"+n.name, func(t *testing.T) {
					out, grads := run(t, n, Kernels, p)
					wantOut, wantGrads := run(t, n, Library, p)
					// Values are of order 1 to 10: of sums of 37 terms 32 bits leave 1e-5.
					longer := max(1, float64(n.terms)/37)
					if d := worst(out, wantOut); !(d <= 1e-5*longer) {
						t.Errorf("p = %v: the output differs by %.2g", p, d)
					}
					for i := range grads {
						if d := worst(grads[i], wantGrads[i]); !(d <= 3e-5*longer) {
							t.Errorf("p = %v: gradient %d differs by %.2g", p, i, d)
						}
					}
				})
			}
		}
	}
	if err := kernels.Select(99); err == nil {
		t.Error("an unknown instruction set was accepted")
	}
	if kernels.Supported(kernels.AVX2) {
		if err := kernels.Select(kernels.AVX2); err != nil {
			t.Fatal(err)
		}
	}
}

// GELU and its gradient against the error function, over the range where they bend.
func TestGELU(t *testing.T) {
	var x []float32
	for v := -12.0; v <= 12; v += 1.0 / 64 {
		x = append(x, float32(v))
	}
	x = append(x, float32(math.Inf(1)), float32(math.NaN()))
	var y, g []float32
	params := NewParams()
	do(t, Kernels, func(s *Scope) {
		defer params.Free()
		p := params.Add(s, Array{"x", []int{len(x)}, x})
		out := s.GELU(p)
		y = s.Read(out)
		s.Backward(s.Sum(out))
		grad, _ := s.Grad(p)
		g = s.Read(grad)
	})
	for i, v := range x[:len(x)-2] {
		v := float64(v)
		cdf, density := 0.5*math.Erfc(-v/math.Sqrt2), math.Exp(-v*v/2)/math.Sqrt(2*math.Pi)
		if d := math.Abs(float64(y[i]) - v*cdf); d > 1e-6 {
			t.Errorf("GELU(%v) is off by %.2g", v, d)
		}
		if d := math.Abs(float64(g[i]) - cdf - v*density); d > 1e-6 {
			t.Errorf("the gradient at %v is off by %.2g", v, d)
		}
	}
	if last := y[len(y)-2:]; !math.IsInf(float64(last[0]), 1) || !math.IsNaN(float64(last[1])) {
		t.Errorf("GELU(+Inf, NaN) is %v", last)
	}
}

// A NaN in the input is a NaN in the output: divergence must be seen.
func TestNotFinitePassesThrough(t *testing.T) {
	do(t, Kernels, func(s *Scope) {
		x := s.Floats([]float32{1, float32(math.NaN()), 2, 3}, 2, 2)
		ones := s.Floats([]float32{1, 1}, 2)
		rows := s.Pack([]int{0, 2}, true, 0)
		for name, y := range map[string]T{
			"attention": s.Attention(x, x, x, rows, 1, Drop{}),
			"add norm":  s.AddNorm(x, x, ones, ones, 1e-12, Drop{}),
		} {
			if !slices.ContainsFunc(s.Read(y), func(v float32) bool { return v != v }) {
				t.Errorf("%s hides a NaN", name)
			}
		}
	})
}

func TestOtherOperations(t *testing.T) {
	for _, path := range []Path{Kernels, Library} {
		do(t, path, func(s *Scope) {
			x := s.Floats([]float32{-2, 0, 2, 4}, 2, 2)
			rows := s.Pack([]int{0, 1, 2}, false, 0)
			for _, c := range []struct {
				name string
				got  T
				want []float32
			}{
				{"relu", s.ReLU(x), []float32{0, 0, 2, 4}},
				{"silu", s.SiLU(x), []float32{-0.23840584, 0, 1.7615942, 3.928055}},      // x / (1 + e^-x)
				{"tanh", s.Tanh(x), []float32{-0.9640276, 0, 0.9640276, 0.9993293}},      // math.Tanh
				{"tanh gelu", s.GELUTanh(x), []float32{-0.045402, 0, 1.954598, 3.99993}}, // 0.5x(1+tanh(0.79788(x+0.044715x³)))
				{"scale", s.Scale(x, -0.5), []float32{1, 0, -1, -2}},
				{"max", s.Max(x, 0), []float32{2, 4}},
				{"mean of rows of one", rows.Mean(x), []float32{-2, 0, 2, 4}},
				{"pad and unpad", rows.Unpad(rows.Pad(x), 2), []float32{-2, 0, 2, 4}},
				{"no dropout", s.Dropout(x, Drop{}), []float32{-2, 0, 2, 4}},
			} {
				if d := worst(s.Read(c.got), c.want); !(d <= 2e-5) {
					t.Errorf("%s: got %v, want %v", c.name, s.Read(c.got), c.want)
				}
			}
			s.NoGrad(func() {
				if s.Path() != path {
					t.Errorf("path %v", s.Path())
				}
			})
		})
	}
}

// A large linear map gives the same bits each time, wherever its tensors come to lie.
func TestLinearRepeats(t *testing.T) {
	large := networks[slices.IndexFunc(networks, func(n network) bool { return n.terms == 200 })]
	out, grads := run(t, large, Kernels, 0)
	for i := range 5 {
		do(t, Kernels, func(s *Scope) {
			s.Floats(make([]float32, 7+i*1000), 7+i*1000) // shifts what is taken next
			again, gradsAgain := run(t, large, Kernels, 0)
			if !slices.Equal(out, again) || !slices.EqualFunc(grads, gradsAgain, slices.Equal[[]float32]) {
				t.Error("a second run differs")
			}
		})
	}
}
