// Package safetensors reads and writes tensors in the safetensors format: eight bytes of
// header length, a JSON header of names, types, shapes and offsets, then the raw
// little-endian data. Nothing in a file is executed, and nothing in its header is
// believed before it was checked against the file's size.
//
// Format: https://github.com/huggingface/safetensors#format
package safetensors

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// A DType is a tensor's element type, by the format's name.
type DType string

// The types that this package converts. Others are kept by name and can be listed, not
// read.
const (
	F64  DType = "F64"
	F32  DType = "F32"
	F16  DType = "F16"
	BF16 DType = "BF16"
	I64  DType = "I64"
	I32  DType = "I32"
)

// sizes holds the bytes of an element of every type that the format knows.
var sizes = map[DType]int64{
	"BOOL": 1, "U8": 1, "I8": 1, "F8_E4M3": 1, "F8_E5M2": 1,
	"U16": 2, "I16": 2, F16: 2, BF16: 2,
	"U32": 4, I32: 4, F32: 4,
	"U64": 8, I64: 8, F64: 8,
}

// maxHeader is the header size beyond which the format's own reader refuses a file.
const maxHeader = 100_000_000

// Info describes one tensor of a file.
type Info struct {
	Name  string
	DType DType
	Shape []int
	begin int64 // offsets into the data that follows the header
	end   int64
}

// Len is the number of elements.
func (i Info) Len() int {
	n := 1
	for _, d := range i.Shape {
		n *= d
	}
	return n
}

// A FormatError says why a file is not a readable safetensors file.
type FormatError struct{ Reason string }

// Error is the reason alone: the caller knows the file's name.
func (e *FormatError) Error() string { return "not a valid safetensors file: " + e.Reason }

func bad(format string, args ...any) error {
	return &FormatError{Reason: fmt.Sprintf(format, args...)}
}

// checkSpan verifies that a tensor's shape, type and offsets agree with each other and
// lie within dataSize bytes.
func checkSpan(i Info, dataSize int64) error {
	size, ok := sizes[i.DType]
	if !ok {
		return bad("tensor %q has the unknown type %q", i.Name, i.DType)
	}
	bytes := size
	for _, d := range i.Shape {
		if d < 0 {
			return bad("tensor %q has the negative dimension %d", i.Name, d)
		}
		if d > 0 && bytes > math.MaxInt64/int64(d) {
			return bad("tensor %q has a shape beyond any memory", i.Name)
		}
		bytes *= int64(d)
	}
	if i.begin < 0 || i.end < i.begin || i.end > dataSize {
		return bad("tensor %q lies at bytes %d to %d of %d bytes of data; the file is damaged or cut short", i.Name, i.begin, i.end, dataSize)
	}
	if i.end-i.begin != bytes {
		return bad("tensor %q has %d bytes, its shape %v of %s needs %d", i.Name, i.end-i.begin, i.Shape, i.DType, bytes)
	}
	return nil
}

// checkCover sorts the tensors into the order of their data and verifies that they tile it
// without a gap or an overlap, as the format demands.
func checkCover(infos []Info, dataSize int64) error {
	slices.SortFunc(infos, func(a, b Info) int {
		return cmp.Or(cmp.Compare(a.begin, b.begin), cmp.Compare(a.end, b.end), cmp.Compare(a.Name, b.Name))
	})
	var at int64
	for _, i := range infos {
		if i.begin != at {
			return bad("tensor %q starts at byte %d where %d was expected: tensors overlap or leave a gap", i.Name, i.begin, at)
		}
		at = i.end
	}
	if at != dataSize {
		return bad("its tensors end at byte %d of %d bytes of data; the file is damaged or cut short", at, dataSize)
	}
	return nil
}
