package backbone

import "github.com/supermax-hpo/supermax/batchjob/tensor"

// LastCheckpointed is [Encoder.Last] for training that keeps what the layers read and nothing
// within them (Chen et al., "Training deep nets with sublinear memory cost", 2016). What it
// returns does not lead back to the parameters: once the loss has
// gone backward to it, the caller calls backward, which computes each layer again, from the last
// to the first, and adds the parameters' gradients. They are the same to the last bit, as dropout
// depends on no state.
func (e *Encoder) LastCheckpointed(s *tensor.Scope, b Batch, rows *tensor.Packed, random *tensor.Randomness, w Want) (last tensor.T, backward func()) {
	steps := e.steps(e.pass(s, b, rows, random, w))
	reads := make([]tensor.T, len(steps)+1) // what each step reads; the first reads the batch
	s.NoGrad(func() {
		for i, step := range steps {
			reads[i+1] = s.Within(func() tensor.T { return step(reads[i]) })
		}
	})
	last = s.Leaf(reads[len(steps)])
	return last, func() {
		grad, _ := s.Grad(last)
		for i := len(steps) - 1; i >= 0; i-- {
			grad = s.Within(func() tensor.T {
				x := reads[i]
				if i > 0 {
					x = s.Leaf(x)
				}
				s.BackwardFrom(steps[i](x), grad)
				if i == 0 {
					return tensor.T{}
				}
				g, _ := s.Grad(x)
				return g
			})
		}
	}
}
