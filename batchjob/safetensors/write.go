package safetensors

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"
)

// A Tensor is one tensor to write. Exactly one of Float32s and Int64s holds its elements
// in row-major order.
type Tensor struct {
	Name     string
	Shape    []int
	Float32s []float32
	Int64s   []int64
}

// Write writes the tensors in the given order, with the free strings of metadata (nil:
// none). Equal arguments give equal bytes.
func Write(w io.Writer, metadata map[string]string, tensors []Tensor) error {
	header, err := makeHeader(metadata, tensors)
	if err != nil {
		return err
	}
	out := bufio.NewWriterSize(w, 1<<16)
	var word [8]byte
	binary.LittleEndian.PutUint64(word[:], uint64(len(header)))
	// bufio keeps the first error and Flush returns it.
	_, _ = out.Write(word[:])
	_, _ = out.Write(header)
	for _, t := range tensors {
		for _, v := range t.Float32s {
			binary.LittleEndian.PutUint32(word[:], math.Float32bits(v))
			_, _ = out.Write(word[:4])
		}
		for _, v := range t.Int64s {
			binary.LittleEndian.PutUint64(word[:], uint64(v))
			_, _ = out.Write(word[:])
		}
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write safetensors: %w", err)
	}
	return nil
}

// makeHeader builds the JSON header, padded with spaces to a multiple of eight bytes so
// that the data is aligned.
func makeHeader(metadata map[string]string, tensors []Tensor) ([]byte, error) {
	type entry struct {
		DType   DType    `json:"dtype"`
		Shape   []int    `json:"shape"`
		Offsets [2]int64 `json:"data_offsets"`
	}
	entries := make(map[string]any, len(tensors)+1)
	if len(metadata) > 0 {
		entries["__metadata__"] = metadata
	}
	var at int64
	for _, t := range tensors {
		dtype, n := F32, len(t.Float32s)
		if t.Int64s != nil {
			if t.Float32s != nil {
				return nil, fmt.Errorf("write tensor %q: it holds both floats and integers", t.Name)
			}
			dtype, n = I64, len(t.Int64s)
		}
		if want := (Info{Shape: t.Shape}).Len(); want != n {
			return nil, fmt.Errorf("write tensor %q: it has %d elements, its shape %v needs %d", t.Name, n, t.Shape, want)
		}
		if _, twice := entries[t.Name]; twice || t.Name == "__metadata__" {
			return nil, fmt.Errorf("write tensor %q: the name is taken", t.Name)
		}
		end := at + int64(n)*sizes[dtype]
		shape := t.Shape
		if shape == nil {
			shape = []int{}
		}
		entries[t.Name] = entry{dtype, shape, [2]int64{at, end}}
		at = end
	}
	header, err := json.Marshal(entries)
	if err != nil {
		return nil, fmt.Errorf("write the safetensors header: %w", err)
	}
	for len(header)%8 != 0 {
		header = append(header, ' ')
	}
	return header, nil
}
