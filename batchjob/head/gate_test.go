package head

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/supermax-hpo/supermax/batchjob/tensor"
)

// The gate computes g·a + (1 − g)·b with g = 1/(1 + exp(−(W[a; b] + bias))).
func TestGate(t *testing.T) {
	const rows, hidden = 3, 4
	rng := rand.New(rand.NewPCG(1, 1))
	draw := func(n int, size float64) []float32 {
		x := make([]float32, n)
		for i := range x {
			x[i] = float32(size * rng.NormFloat64())
		}
		return x
	}
	a, b := draw(rows*hidden, 1), draw(rows*hidden, 1)
	left, right, bias := draw(hidden*hidden, 2), draw(hidden*hidden, 2), draw(hidden, 1)
	w, err := tensor.Start(tensor.Options{Device: "cpu", Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	params := tensor.NewParams()
	defer params.Free()
	if err := w.Do(func(s *tensor.Scope) {
		g := NewGate(s, hidden, 1, params, "gate.")
		if diff := cmp.Diff([]string{"gate.left.weight", "gate.right.weight", "gate.bias"}, params.Names()); diff != "" {
			t.Error(diff)
		}
		start := params.Export(s)
		if slices.Equal(start[0].Data, start[1].Data) || !slices.Equal(start[2].Data, make([]float32, hidden)) {
			t.Error("the halves start equal, or the bias not at zero")
		}
		s.Write(g.left, left)
		s.Write(g.right, right)
		s.Write(g.bias, bias)
		got := s.Read(g.Fuse(s, s.Floats(a, rows, hidden), s.Floats(b, rows, hidden)))
		for r := range rows {
			for k := range hidden {
				z := float64(bias[k])
				for j := range hidden {
					z += float64(left[k*hidden+j])*float64(a[r*hidden+j]) + float64(right[k*hidden+j])*float64(b[r*hidden+j])
				}
				gate := 1 / (1 + math.Exp(-z))
				want := gate*float64(a[r*hidden+k]) + (1-gate)*float64(b[r*hidden+k])
				if d := math.Abs(float64(got[r*hidden+k]) - want); !(d <= 1e-5) {
					t.Errorf("row %d, element %d is %v instead of %v", r, k, got[r*hidden+k], want)
				}
			}
		}
	}); err != nil {
		t.Fatal(err)
	}
}
