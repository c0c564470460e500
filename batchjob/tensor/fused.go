package tensor

import (
	"math"

	"github.com/supermax-hpo/supermax/batchjob/tensor/internal/kernels"
)

// AddNorm returns LayerNorm(dropout(x) + residual): the end of each half of a transformer
// layer. x and residual are [n, hidden], weight and bias [hidden].
func (s *Scope) AddNorm(x, residual, weight, bias T, eps float64, d Drop) T {
	if s.path == Kernels {
		t, err := kernels.AddNorm(x.p(), residual.p(), weight.p(), bias.p(), eps, d.kernel())
		return s.result("dropout, residual and layer norm", t, err)
	}
	return s.LayerNorm(s.Add(s.Dropout(x, d), residual), weight, bias, weight.Shape()[0], eps)
}

// GELU is x·Φ(x) with the normal distribution Φ (Hendrycks and Gimpel 2016).
func (s *Scope) GELU(x T) T {
	if s.path == Kernels {
		t, err := kernels.GELU(x.p())
		return s.result("gelu", t, err)
	}
	return s.geluLibrary(x, false)
}

// GELUTanh is GELU's approximation by a hyperbolic tangent.
func (s *Scope) GELUTanh(x T) T { return s.geluLibrary(x, true) }

func (s *Scope) geluLibrary(x T, tanh bool) T {
	t, err := kernels.LibraryGELU(x.p(), tanh)
	return s.result("gelu", t, err)
}

// Attention lets every token of a row attend to its row (Vaswani et al. 2017): q, k, v
// and the result are [tokens, heads·size]; d drops attention probabilities.
func (s *Scope) Attention(q, k, v T, rows *Packed, heads int, d Drop) T {
	if s.path == Kernels {
		t, err := kernels.Attention(q.p(), k.p(), v.p(), rows.starts, heads, d.kernel())
		return s.result("attention", t, err)
	}
	hidden := q.Shape()[1]
	size := hidden / heads
	split := func(x T) T { // [rows, heads, longest, size]
		return s.Transpose(s.Reshape(rows.Pad(x), rows.Rows(), rows.longest, heads, size), 1, 2)
	}
	scores := s.Scale(s.MatMul(split(q), s.Transpose(split(k), 2, 3)), 1/math.Sqrt(float64(size)))
	mask := s.Reshape(rows.Mask(), rows.Rows(), 1, 1, rows.longest)
	p := s.Softmax(s.Add(scores, mask), 3)
	if d.p > 0 {
		p = s.drop(p, s.headKeys(rows, heads, d), rows.longest, d.p)
	}
	return rows.Unpad(s.Transpose(s.MatMul(p, split(v)), 1, 2), hidden)
}

// headKeys returns the mixed keys [rows, heads, longest] of attention's probabilities.
func (s *Scope) headKeys(rows *Packed, heads int, d Drop) T {
	keys := s.Rows(s.xor(rows.tokenKeys.wide, d.seed), s.Reshape(rows.place, rows.Rows()*rows.longest))
	offsets := make([]int64, heads)
	for h := range offsets {
		offsets[h] = int64(uint32(h+1) * 0x85EBCA6B)
	}
	sum := s.Add(s.Reshape(keys, rows.Rows(), 1, rows.longest), s.Int64s(offsets, 1, heads, 1))
	return s.mixed(s.low32(sum))
}
