package tensor

import (
	"errors"
	"unsafe"

	lib "github.com/sugarme/gotch/libtch"
	"github.com/supermax-hpo/supermax/batchjob/tensor/internal/kernels"
)

// This file joins the scope with our own C++ functions.

func (t T) p() kernels.P { return kernels.P(t.c) }

// pointers views a list of handles as the kernels' type; both hold one C pointer each.
func pointers[H T | lib.Ctensor](list []H) []kernels.P {
	return unsafe.Slice((*kernels.P)(unsafe.Pointer(unsafe.SliceData(list))), len(list))
}

// must panics with an [*OpError] when a kernel failed.
func must(op string, err error) {
	if err == nil {
		return
	}
	var e *kernels.Error
	errors.As(err, &e)
	panic(newOpError(op, e.Message, e.Memory))
}

// result owns what a kernel made.
func (s *Scope) result(op string, t kernels.P, err error) T {
	must(op, err)
	return s.own(lib.Ctensor(t))
}

func freeAll(list []lib.Ctensor) {
	if len(list) == 0 {
		return
	}
	kernels.Free(pointers(list))
	live.Add(-int64(len(list)))
}

// Backward adds the gradients of a scalar to those of the parameters that it depends on.
func (s *Scope) Backward(loss T) { must("backward", kernels.Backward(loss.p(), nil)) }

// BackwardFrom adds to the gradients of what y depends on what grad, the gradient of y, makes
// of them.
func (s *Scope) BackwardFrom(y, grad T) { must("backward", kernels.Backward(y.p(), grad.p())) }

// Detach returns x without what it depends on: no gradient goes past it.
func (s *Scope) Detach(x T) T {
	lib.AtgDetach(s.slot(), x.c)
	return s.take("detach")
}

// Leaf returns x as a tensor that depends on nothing and collects a gradient.
func (s *Scope) Leaf(x T) T {
	leaf := s.Detach(x)
	lib.AtgRequiresGrad_(s.slot(), leaf.c, 1)
	s.take("require gradient") // a second handle
	return leaf
}

// Grad returns a parameter's gradient, and false when it has none.
func (s *Scope) Grad(t T) (T, bool) {
	g, err := kernels.Grad(t.p())
	must("gradient", err)
	if g == nil {
		return T{}, false
	}
	return s.own(lib.Ctensor(g)), true
}

func (d Drop) kernel() kernels.Drop {
	if d.p == 0 {
		return kernels.Drop{}
	}
	return kernels.Drop{Keys: d.keys.narrow.p(), Seed: d.seed, P: d.p}
}

// AdamWOptions are the numbers of one step of AdamW. MaxNorm is the L2 norm over all
// gradients to which they are scaled down before; 0 leaves them.
type AdamWOptions = kernels.AdamWOptions

// AdamW does one step of AdamW (Loshchilov and Hutter 2019) over the parameters that have
// a gradient, in place: m and v are the moments, steps counts each parameter's steps,
// decay is each one's weight decay. It returns the gradients' norm before clipping; when
// that is not finite, nothing was changed.
func (s *Scope) AdamW(params, m, v []T, decay []float64, steps []int64, o AdamWOptions) float64 {
	norm, err := kernels.AdamW(s.path == Library, pointers(params), pointers(m), pointers(v), decay, steps, o)
	must("adamw", err)
	return norm
}
