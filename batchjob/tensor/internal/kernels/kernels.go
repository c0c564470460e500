// Package kernels is the Go face of its C++ files, which take minutes to compile: it holds
// nothing else, so that work on package tensor does not compile it again. Tensors are
// libtorch's torch::Tensor pointers. Functions return this thread's error.
package kernels

// #cgo CXXFLAGS: -std=gnu++17 -O2 -fopenmp-simd
// #cgo LDFLAGS: -lstdc++ -ltorch -lc10 -ltorch_cpu
// #include <stdlib.h>
// #include "kernels.h"
import "C"

import "unsafe"

// P is a torch::Tensor pointer.
type P = unsafe.Pointer

// An Error is what libtorch threw.
type Error struct {
	Message string
	Memory  bool // there was not enough
}

// Error returns libtorch's message, which may have several lines.
func (e *Error) Error() string { return e.Message }

func check(failed C.int) error {
	if failed == 0 {
		return nil
	}
	return &Error{C.GoString(C.sm_error()), C.sm_error_is_memory() != 0}
}

func made(t C.sm_tensor) (P, error) {
	if t == nil {
		return nil, check(1)
	}
	return P(t), nil
}

func array(list []P) *C.sm_tensor { return (*C.sm_tensor)(unsafe.Pointer(unsafe.SliceData(list))) }

// Drop is a dropout: see kernels.h.
type Drop struct {
	Keys P
	Seed uint32
	P    float64
}

func (d Drop) c() C.sm_drop {
	return C.sm_drop{keys: C.sm_tensor(d.Keys), seed: C.uint32_t(d.Seed), p: C.double(d.P)}
}

// TakeString copies a string that C allocated, and frees it.
func TakeString(s P) string {
	defer C.free(s)
	return C.GoString((*C.char)(s))
}

// The instruction sets that the loops are compiled for.
const (
	Generic = 0
	AVX2    = 1
)

// Supported reports whether the processor has an instruction set.
func Supported(level int) bool { return C.sm_loops_supported(C.int(level)) != 0 }

// Select sets the process's instruction set; the best one is selected from the start, so
// that only tests call it, and only while nothing else computes.
func Select(level int) error { return check(C.sm_loops_select(C.int(level))) }

// CUDAAvailable reports whether libtorch can compute on a GPU here.
func CUDAAvailable() bool { return C.sm_cuda_available() != 0 }

// SetThreads sets how many threads libtorch uses for calls from this thread.
func SetThreads(n int) error { return check(C.sm_set_threads(C.int(n))) }

// Free ends tensors.
func Free(list []P) { C.sm_free(array(list), C.int(len(list))) }

// Write overwrites a tensor's elements.
func Write(t P, data []float32) error {
	return check(C.sm_write(C.sm_tensor(t), (*C.float)(unsafe.SliceData(data)), C.int64_t(len(data))))
}

// Read copies a tensor's elements.
func Read(t P, data []float32) error {
	return check(C.sm_read(C.sm_tensor(t), (*C.float)(unsafe.SliceData(data)), C.int64_t(len(data))))
}

// KeepMemory has the process keep what it frees for the next tensor: a training step frees and
// takes the same pieces again, and to have each of their pages anew takes a twentieth of its time.
func KeepMemory() { C.sm_keep_memory() }

// TrimMemory gives what is kept back to the system.
func TrimMemory() { C.sm_trim_memory() }

// Backward adds to the gradients of the leaves what grad, that of y, makes of them; nil stands
// for a scalar's 1.
func Backward(y, grad P) error { return check(C.sm_backward(C.sm_tensor(y), C.sm_tensor(grad))) }

// Grad returns a leaf's gradient, nil where there is none.
func Grad(t P) (P, error) {
	var g C.sm_tensor
	err := check(C.sm_grad(C.sm_tensor(t), &g))
	return P(g), err
}

// ClearGrads forgets the leaves' gradients.
func ClearGrads(list []P) error { return check(C.sm_clear_grads(array(list), C.int(len(list)))) }

// Linear is x·weightᵀ + bias; bias may be nil.
func Linear(x, weight, bias P) (P, error) {
	return made(C.sm_linear(C.sm_tensor(x), C.sm_tensor(weight), C.sm_tensor(bias)))
}

// Dropout drops elements of x [n, columns].
func Dropout(x P, d Drop) (P, error) { return made(C.sm_dropout(C.sm_tensor(x), d.c())) }

// AddNorm is LayerNorm(dropout(x) + residual).
func AddNorm(x, residual, weight, bias P, eps float64, d Drop) (P, error) {
	return made(C.sm_add_norm(C.sm_tensor(x), C.sm_tensor(residual), C.sm_tensor(weight), C.sm_tensor(bias), C.double(eps), d.c()))
}

// Attention is scaled dot product attention within rows.
func Attention(q, k, v P, starts []int64, heads int, d Drop) (P, error) {
	return made(C.sm_attention(C.sm_tensor(q), C.sm_tensor(k), C.sm_tensor(v), (*C.int64_t)(unsafe.SliceData(starts)), C.int(len(starts)-1), C.int(heads), d.c()))
}

// FusedAttention is Attention by the library's kernel for a GPU, where starts, int32, lie too. The
// heads' size must be a multiple of 4.
func FusedAttention(q, k, v, starts P, longest, heads int, seed uint64, p float64) (P, error) {
	return made(C.sm_fused_attention(C.sm_tensor(q), C.sm_tensor(k), C.sm_tensor(v), C.sm_tensor(starts), C.int64_t(longest), C.int(heads), C.uint64_t(seed), C.double(p)))
}

// GELU is our kernel, with the error function.
func GELU(x P) (P, error) { return made(C.sm_gelu(C.sm_tensor(x))) }

// LibraryGELU is libtorch's, with the error function or its approximation; gotch's own
// binding leaks a string a call.
func LibraryGELU(x P, tanh bool) (P, error) {
	approximate := C.int(0)
	if tanh {
		approximate = 1
	}
	return made(C.sm_gelu_library(C.sm_tensor(x), approximate))
}

// AdamWOptions are the numbers of one step of AdamW.
type AdamWOptions struct{ LR, Beta1, Beta2, Eps, MaxNorm float64 }

// AdamW does one step in place, by our kernel or by libtorch's operations.
func AdamW(library bool, params, m, v []P, decay []float64, steps []int64, o AdamWOptions) (norm float64, err error) {
	byLibrary := C.int(0)
	if library {
		byLibrary = 1
	}
	err = check(C.sm_adamw(byLibrary, array(params), array(m), array(v),
		(*C.double)(unsafe.SliceData(decay)), (*C.int64_t)(unsafe.SliceData(steps)), C.int(len(params)),
		C.sm_adamw_options{lr: C.double(o.LR), beta1: C.double(o.Beta1), beta2: C.double(o.Beta2), eps: C.double(o.Eps), max_norm: C.double(o.MaxNorm)},
		(*C.double)(unsafe.Pointer(&norm))))
	return norm, err
}
