package tensor

import (
	"fmt"
	"unsafe"

	lib "github.com/sugarme/gotch/libtch"
	"github.com/supermax-hpo/supermax/batchjob/tensor/internal/kernels"
)

// An Array is a tensor's copy in Go memory.
type Array struct {
	Name  string
	Shape []int
	Data  []float32 // row-major
}

// The library's numbers of element types.
const (
	int32Kind   = 3
	int64Kind   = 4
	float32Kind = 6
)

// elements multiplies a shape.
func elements(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

func toInt64(shape []int) []int64 {
	dims := make([]int64, len(shape))
	for i, d := range shape {
		dims[i] = int64(d)
	}
	return dims
}

// fromMemory copies elements of size bytes to a new tensor on the scope's device.
func (s *Scope) fromMemory(data unsafe.Pointer, n int, shape []int, size uint, kind int) T {
	if n != elements(shape) || n == 0 || len(shape) == 0 {
		panic(newOpError("make tensor", fmt.Sprintf("%d values for shape %v", n, shape), false))
	}
	dims := toInt64(shape)
	*s.slot() = lib.AtTensorOfData(data, dims, uint(len(dims)), size, kind)
	t := s.take("make tensor")
	if s.device == cpuDevice {
		return t
	}
	lib.AtgTo(s.slot(), t.c, int32(s.device))
	return s.take("copy to " + s.device.String())
}

// Floats makes a tensor of that shape; data is copied.
func (s *Scope) Floats(data []float32, shape ...int) T {
	return s.fromMemory(unsafe.Pointer(unsafe.SliceData(data)), len(data), shape, 4, float32Kind)
}

// Int64s makes a tensor of indices; data is copied.
func (s *Scope) Int64s(data []int64, shape ...int) T {
	return s.fromMemory(unsafe.Pointer(unsafe.SliceData(data)), len(data), shape, 8, int64Kind)
}

// Indices makes an int64 tensor [len(data)].
func (s *Scope) Indices(data []int32) T {
	wide := make([]int64, len(data))
	for i, v := range data {
		wide[i] = int64(v)
	}
	return s.Int64s(wide, len(wide))
}

// uint32s makes an int32 tensor of the same bits.
func (s *Scope) uint32s(data []uint32) T {
	return s.fromMemory(unsafe.Pointer(unsafe.SliceData(data)), len(data), []int{len(data)}, 4, int32Kind)
}

// Shape returns a tensor's dimensions.
func (t T) Shape() []int {
	n := int(lib.AtDim(t.c))
	shape := make([]int, n)
	if n == 0 {
		return shape
	}
	dims := make([]int64, n)
	lib.AtShape(t.c, unsafe.Pointer(&dims[0]))
	for i, d := range dims {
		shape[i] = int(d)
	}
	return shape
}

// Elements counts a tensor's elements.
func (t T) Elements() int { return elements(t.Shape()) }

// Read copies a float tensor's elements to Go, row-major.
func (s *Scope) Read(t T) []float32 {
	data := make([]float32, t.Elements())
	must("read tensor", kernels.Read(t.p(), data))
	return data
}

// Item returns a float tensor's only element.
func (s *Scope) Item(t T) float64 {
	var data [1]float32
	must("read tensor", kernels.Read(t.p(), data[:]))
	return float64(data[0])
}
