// Package torchfile reads state dicts that torch.save wrote, in the zip format of PyTorch
// 1.6 and later and in the one before it. Both describe the tensors in a pickle, a program
// for a small stack machine; the one here knows the few instructions and classes of a state
// dict and refuses every other by name. It runs nothing: no class of a file is ever looked
// up or called.
//
// Formats: torch/serialization.py of PyTorch, Lib/pickletools.py of Python.
package torchfile

import (
	"bytes"
	"fmt"
	"math"

	"github.com/supermax-hpo/supermax/batchjob/safetensors"
)

// A FormatError says why a file is not a readable state dict, and where.
type FormatError struct{ Reason string }

// Error is the reason alone: the caller knows the file's name.
func (e *FormatError) Error() string { return "not a readable PyTorch state dict: " + e.Reason }

func bad(format string, args ...any) error {
	return &FormatError{Reason: fmt.Sprintf(format, args...)}
}

// A Tensor is one entry of a state dict.
type Tensor struct {
	Name  string
	DType safetensors.DType
	Shape []int

	strides []int // elements from one index of a dimension to the next
	offset  int   // elements before the first
	storage *storage
}

// A storage is a run of elements that one tensor or several look at.
type storage struct {
	key   string
	dtype safetensors.DType
	count int    // elements
	data  []byte // in the file
	check func() error
}

// Read reads a whole file and returns its tensors in the file's order. They refer to the
// file's bytes and are read when they are asked for. Its errors are a [*FormatError].
func Read(file []byte) ([]*Tensor, error) {
	switch {
	case bytes.HasPrefix(file, []byte("PK\x03\x04")):
		return readZip(file)
	case isLegacy(file):
		return readLegacy(file)
	case len(file) > 262 && string(file[257:262]) == "ustar":
		return nil, bad("it is a tar archive as PyTorch wrote before version 0.1.10; save it again with a later one")
	}
	return nil, bad("byte 0: it begins neither as a zip archive nor as the pickle that torch.save wrote before version 1.6; the file is damaged or something else")
}

// Len is the number of elements.
func (t *Tensor) Len() int {
	n := 1
	for _, d := range t.Shape {
		n *= d
	}
	return n
}

// Bytes returns the elements in row-major order, little-endian. They lie in the file's own
// bytes where they are so there, else in a copy. The error is a [*FormatError] when the
// archive's checksum says that the file is damaged.
func (t *Tensor) Bytes() ([]byte, error) {
	if t.storage.check != nil {
		if err := t.storage.check(); err != nil {
			return nil, err
		}
		t.storage.check = nil
	}
	size := t.DType.Size()
	if t.contiguous() {
		return t.storage.data[t.offset*size:][:t.Len()*size], nil
	}
	out := make([]byte, 0, t.Len()*size)
	index := make([]int, len(t.Shape))
	for at := t.offset; ; {
		out = append(out, t.storage.data[at*size:][:size]...)
		d := len(index) - 1
		for ; d >= 0; d-- { // count up from the last dimension
			index[d]++
			at += t.strides[d]
			if index[d] < t.Shape[d] {
				break
			}
			at -= index[d] * t.strides[d]
			index[d] = 0
		}
		if d < 0 {
			return out, nil
		}
	}
}

// contiguous reports whether the elements stand in row-major order without gaps.
func (t *Tensor) contiguous() bool {
	want := 1
	for d := len(t.Shape) - 1; d >= 0; d-- {
		if t.Shape[d] != 1 && t.strides[d] != want {
			return t.Len() == 0
		}
		want *= t.Shape[d]
	}
	return true
}

// fit verifies that a tensor lies within its storage and has no more elements than it.
func (t *Tensor) fit() error {
	if len(t.Shape) != len(t.strides) {
		return fmt.Errorf("its shape %v has %d dimensions and its strides %v have %d", t.Shape, len(t.Shape), t.strides, len(t.strides))
	}
	elements, end := 1, t.offset // end is behind the last element
	for d, n := range t.Shape {
		if n < 0 || t.strides[d] < 0 {
			return fmt.Errorf("its shape %v or its strides %v are negative", t.Shape, t.strides)
		}
		if n > 0 && elements > math.MaxInt/n {
			return fmt.Errorf("its shape %v is beyond any memory", t.Shape)
		}
		elements *= n
	}
	if elements > 0 {
		for d, n := range t.Shape {
			if n > 1 && t.strides[d] > (math.MaxInt-1-end)/(n-1) {
				return fmt.Errorf("its strides %v are beyond any memory", t.strides)
			}
			end += (n - 1) * t.strides[d]
		}
		end++
	}
	if end > t.storage.count || elements > t.storage.count {
		return fmt.Errorf("its shape %v from element %d with strides %v does not fit the %d elements of storage %.40q",
			t.Shape, t.offset, t.strides, t.storage.count, t.storage.key)
	}
	return nil
}
