package tensor

import (
	"math"

	lib "github.com/sugarme/gotch/libtch"
	"github.com/supermax-hpo/supermax/batchjob/tensor/internal/kernels"
)

// Linear returns x·weightᵀ + bias; x is [n, in], weight [out, in], bias [out] or none.
func (s *Scope) Linear(x, weight, bias T) T {
	if s.path == Kernels {
		t, err := kernels.Linear(x.p(), weight.p(), bias.p())
		return s.result("linear", t, err)
	}
	lib.AtgLinear(s.slot(), x.c, weight.c, bias.c)
	return s.take("linear")
}

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
// and the result are [tokens, heads·size]; d drops attention probabilities. On a GPU the
// library's fused kernel computes it without padding wherever a head's size allows (a multiple
// of 4); its dropout masks are its own, but as repeatable as ours.
func (s *Scope) Attention(q, k, v T, rows *Packed, heads int, d Drop) T {
	if s.path == Kernels {
		t, err := kernels.Attention(q.p(), k.p(), v.p(), rows.starts, heads, d.kernel())
		return s.result("attention", t, err)
	}
	if size := q.Shape()[1] / heads; s.device != cpuDevice && size%4 == 0 {
		t, err := kernels.FusedAttention(q.p(), k.p(), v.p(), rows.deviceStarts().p(), rows.longest, heads, splitMix(uint64(d.seed)<<32|uint64(rows.firstRow)), d.p)
		return s.result("attention", t, err)
	}
	scores := s.Scale(s.MatMul(rows.Heads(q, heads), s.Transpose(rows.Heads(k, heads), 2, 3)), 1/math.Sqrt(float64(q.Shape()[1]/heads)))
	return rows.Joined(s.Attend(scores, rows.Heads(v, heads), rows, d))
}

// Attend weighs the values v [rows, heads, longest, size] of every row by the softmax of its
// scores [rows, heads, longest, longest], in which padding counts for nothing. d drops weights;
// its keys are those of the rows' tokens.
func (s *Scope) Attend(scores, v T, rows *Packed, d Drop) T {
	mask := s.Reshape(rows.Mask(), rows.Rows(), 1, 1, rows.longest)
	p := s.Softmax(s.Add(scores, mask), 3)
	if d.p > 0 {
		p = s.dropScores(p, rows, v.Shape()[1], d)
	}
	return s.MatMul(p, v)
}

// dropScores drops attention weights [rows, heads, longest, longest].
func (s *Scope) dropScores(p T, rows *Packed, heads int, d Drop) T {
	if s.path == Library {
		return s.drop(p, s.headKeys(rows, heads, d), rows.longest, d.p)
	}
	n := rows.Rows() * heads * rows.longest
	t, err := kernels.Dropout(s.Reshape(p, n, rows.longest).p(), kernels.Drop{Keys: s.scoreKeys(rows, heads, d).p(), Seed: d.seed, P: d.p})
	return s.Reshape(s.result("dropout", t, err), rows.Rows(), heads, rows.longest, rows.longest)
}

// headStep tells the keys of a token's heads apart.
const headStep = 0x85EBCA6B

// scoreKeys returns keys [rows·heads·longest] that give the kernels the masks of
// [Scope.headKeys]: those are undone what the kernel does to a key.
func (s *Scope) scoreKeys(rows *Packed, heads int, d Drop) T {
	keys := make([]uint32, 0, rows.Rows()*heads*rows.longest)
	for r := range rows.Rows() {
		own := rows.keys[rows.starts[r]:rows.starts[r+1]]
		for h := range heads {
			for i := range rows.longest {
				key := rows.keys[0]
				if i < len(own) {
					key = own[i]
				}
				keys = append(keys, ((key^d.seed)+uint32(h+1)*headStep)^d.seed)
			}
		}
	}
	return s.uint32s(keys)
}

// headKeys returns the mixed keys [rows, heads, longest] of attention's probabilities.
func (s *Scope) headKeys(rows *Packed, heads int, d Drop) T {
	keys := s.Rows(s.xor(rows.tokenKeys.wide, d.seed), s.Reshape(rows.places(), rows.Rows()*rows.longest))
	offsets := make([]int64, heads)
	for h := range offsets {
		offsets[h] = int64(uint32(h+1) * headStep)
	}
	sum := s.Add(s.Reshape(keys, rows.Rows(), 1, rows.longest), s.Int64s(offsets, 1, heads, 1))
	return s.mixed(s.low32(sum))
}
