// Package tensor computes with libtorch's tensors through gotch's libtch bindings. A
// [Scope] owns the tensors of one step and frees them together; parameters live longer
// and belong to [Params]. There are no finalizers and no locks: an operation costs its C
// call. The fused steps of a transformer are kernels of our own (internal/kernels), each with
// a path of library operations that computes the same.
package tensor

import (
	"slices"
	"sync/atomic"
	"unsafe"

	lib "github.com/sugarme/gotch/libtch"
	"github.com/supermax-hpo/supermax/batchjob/tensor/internal/kernels"
)

// A T is a handle of a tensor, valid until its scope (or, for a parameter, its owner)
// frees it. The zero T is no tensor.
type T struct{ c lib.Ctensor }

// live counts the tensors that this process holds.
var live atomic.Int64

// LiveTensors returns how many tensor handles this process holds: 0 outside of scopes
// when every owner has freed its own.
func LiveTensors() int64 { return live.Load() }

// A Scope makes tensors on a [Worker]'s thread and frees them when the worker's Do ends.
// Its methods are operations: they panic with an [*OpError], which Do returns.
type Scope struct {
	device device
	path   Path
	out    *[2]lib.Ctensor // where libtch writes results; on the heap and free of Go pointers, for cgo
	made   []lib.Ctensor
	pinned []lib.Ctensor // see [Scope.Pin]
}

func newScope(d device, p Path) *Scope { return &Scope{device: d, path: p, out: new([2]lib.Ctensor)} }

// do runs f and frees what it made, also after a panic.
func (s *Scope) do(f func(*Scope)) (o outcome) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case *OpError:
			o.err = r
		default:
			o.panic = r
		}
		s.free()
	}()
	f(s)
	return outcome{}
}

// free releases the scope's tensors in one call.
func (s *Scope) free() {
	freeAll(s.made)
	freeAll(s.pinned)
	clear(s.made)
	s.made, s.pinned = s.made[:0], nil
}

// Within runs f and frees what it made but what it returns, so that long steps do not hold
// all of their tensors to their end.
func (s *Scope) Within(f func() T) T {
	outer := s.made
	s.made = nil
	defer func() { s.made = append(outer, s.made...) }() // after a panic as well
	kept := f()
	inner := s.made
	s.made = nil
	if i := slices.Index(inner, kept.c); i >= 0 {
		s.made, inner = append(s.made, kept.c), slices.Delete(inner, i, i+1)
	}
	freeAll(inner)
	return kept
}

// Pin runs f, whose tensors live as long as the scope also where [Scope.Within] would free
// them: they are kept to be used again.
func (s *Scope) Pin(f func()) {
	outer := s.made
	s.made = nil
	defer func() {
		s.pinned = append(s.pinned, s.made...)
		s.made = outer
	}()
	f()
}

// slot returns the cleared out slot: libtch leaves it as it was when a call fails.
func (s *Scope) slot() *lib.Ctensor {
	s.out[0], s.out[1] = nil, nil
	return &s.out[0]
}

// take returns what the last call of libtch wrote.
func (s *Scope) take(op string) T {
	if s.out[0] == nil {
		panic(lastError(op))
	}
	return s.own(s.out[0])
}

// own makes the scope the owner of a new tensor.
func (s *Scope) own(c lib.Ctensor) T {
	s.made = append(s.made, c)
	live.Add(1)
	return T{c}
}

// lastError fetches and frees this thread's error of libtch.
func lastError(op string) *OpError {
	message := lib.GetAndResetLastErr()
	if message == nil {
		return newOpError(op, "", false)
	}
	return newOpError(op, kernels.TakeString(unsafe.Pointer(message)), false)
}

// NoGrad runs f without recording gradients.
func (s *Scope) NoGrad(f func()) {
	lib.AtGradSetEnabled(0)
	defer lib.AtGradSetEnabled(1)
	f()
}

// Path returns how the scope computes the fused steps: [Kernels] or [Library].
func (s *Scope) Path() Path { return s.path }
