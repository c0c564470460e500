package head

import "github.com/supermax-hpo/supermax/batchjob/tensor"

// A Gate fuses two pooled vectors a and b to g·a + (1 − g)·b, element by element, where
// g = sigmoid(W[a; b] + bias) is learned (the gated unit of Arevalo et al. 2017, without
// its inner layer). W is kept as its two halves, one for each vector.
type Gate struct {
	left, right tensor.T // [hidden, hidden] each
	bias        tensor.T // [hidden]
}

// NewGate adds the gate's parameters to params, named prefix + "left.weight",
// "right.weight" and "bias", and returns the gate. They start as the heads' do, so that a
// new gate halves nearly everywhere.
func NewGate(s *tensor.Scope, hidden int, seed uint64, params *tensor.Params, prefix string) *Gate {
	return &Gate{
		left:  params.Add(s, normal(seed, prefix+"left.weight", hidden, hidden)),
		right: params.Add(s, normal(seed, prefix+"right.weight", hidden, hidden)),
		bias:  params.Add(s, zero(prefix+"bias", hidden)),
	}
}

// Fuse returns the fused vectors of a and b, all [rows, hidden].
func (g *Gate) Fuse(s *tensor.Scope, a, b tensor.T) tensor.T {
	z := s.Add(s.Linear(a, g.left, g.bias), s.Linear(b, g.right, tensor.T{}))
	// sigmoid(z) = (1 + tanh(z/2))/2, so that the sum is ((a + b) + tanh(z/2)·(a − b))/2.
	difference := s.Add(a, s.Scale(b, -1))
	return s.Scale(s.Add(s.Add(a, b), s.Mul(s.Tanh(s.Scale(z, 0.5)), difference)), 0.5)
}
