package tensor

import (
	"slices"

	lib "github.com/sugarme/gotch/libtch"
	"github.com/supermax-hpo/supermax/batchjob/tensor/internal/kernels"
)

// Keep takes a tensor out of the scope: the caller owns it and ends it with [Free].
func (s *Scope) Keep(t T) T {
	for i := len(s.made) - 1; i >= 0; i-- {
		if s.made[i] == t.c {
			s.made = slices.Delete(s.made, i, i+1)
			return t
		}
	}
	panic(newOpError("keep tensor", "the scope does not own it", false))
}

// Parameter makes a tensor that collects gradients and that the caller owns.
func (s *Scope) Parameter(data []float32, shape ...int) T {
	t := s.Floats(data, shape...)
	lib.AtgRequiresGrad_(s.slot(), t.c, 1)
	s.take("require gradient") // a second handle, freed with the scope
	return s.Keep(t)
}

// Zeros makes a tensor without gradient that the caller owns.
func (s *Scope) Zeros(shape ...int) T {
	return s.Keep(s.Floats(make([]float32, elements(shape)), shape...))
}

// Write overwrites a tensor's elements, gradient unrecorded.
func (s *Scope) Write(t T, data []float32) { must("write tensor", kernels.Write(t.p(), data)) }

// ClearGrads forgets the gradients of parameters.
func (s *Scope) ClearGrads(params []T) {
	must("clear gradients", kernels.ClearGrads(pointers(params)))
}

// Free ends tensors that the caller owns.
func Free(ts ...T) {
	list := make([]lib.Ctensor, 0, len(ts))
	for _, t := range ts {
		if t.c != nil {
			list = append(list, t.c)
		}
	}
	freeAll(list)
}
