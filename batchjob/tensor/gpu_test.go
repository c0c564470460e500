package tensor

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/supermax-hpo/supermax/batchjob/tensor/internal/kernels"
)

// onGPU runs f on the first GPU, and skips the test where there is none.
func onGPU(t *testing.T, f func(s *Scope)) {
	t.Helper()
	if !kernels.CUDAAvailable() {
		t.Skip("there is no GPU")
	}
	w, err := Start(Options{Device: "cuda:0", Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if err := w.Do(f); err != nil {
		t.Fatal(err)
	}
}

// attend returns the outcome of an attention of the sizes of [networks]' first, and its queries'
// gradient.
func attend(s *Scope, step uint64, p float64) (out, grad []float32) {
	rng, rows := rand.New(rand.NewPCG(1, 2)), s.Pack([]int{0, 1, 8, 20}, true, 3)
	params := NewParams()
	defer params.Free()
	for _, name := range []string{"q", "k", "v"} {
		params.Add(s, Array{name, []int{20, 24}, normals(rng, 20*24, 1.5)})
	}
	x := params.Tensors()
	y := s.Attention(x[0], x[1], x[2], rows, 6, Randomness{Seed: 7, Step: step}.At(13, rows.TokenKeys(), p))
	out = s.Read(y)
	s.Backward(s.Sum(s.Mul(y, s.Floats(normals(rng, len(out), 1), 20, 24))))
	g, _ := s.Grad(x[0])
	return out, s.Read(g)
}

// The GPU's fused attention computes what library operations on padded rows compute, and drops the
// same when it is computed again.
func TestFusedAttention(t *testing.T) {
	var want, wantGrad []float32
	do(t, Library, func(s *Scope) { want, wantGrad = attend(s, 11, 0) })
	onGPU(t, func(s *Scope) {
		got, grad := attend(s, 11, 0)
		if d := max(worst(got, want), worst(grad, wantGrad)); !(d <= 1e-4) {
			t.Errorf("differs by %.2g from the CPU's", d)
		}
		dropped, _ := attend(s, 11, 0.3)
		if again, _ := attend(s, 11, 0.3); !slices.Equal(dropped, again) {
			t.Error("the same step drops something else when computed again")
		}
		if other, _ := attend(s, 12, 0.3); slices.Equal(dropped, other) || slices.Equal(dropped, got) {
			t.Error("another step drops the same, or nothing is dropped")
		}
	})
}

// The kernel is the library's own, which has it for GPUs alone.
func TestFusedAttentionNeedsGPU(t *testing.T) {
	do(t, Library, func(s *Scope) {
		x := s.Floats(make([]float32, 2*8), 2, 8)
		starts := s.Pack([]int{0, 2}, false, 0).deviceStarts()
		_, err := kernels.FusedAttention(x.p(), x.p(), x.p(), starts.p(), 2, 2, 1, 0)
		if err == nil || !strings.Contains(err.Error(), "_efficient_attention_forward") {
			t.Errorf("on the CPU: %v", err)
		}
	})
}
