package pretrained

import (
	"encoding/binary"
	"fmt"
	"math"
	"unsafe"

	"github.com/supermax-hpo/supermax/batchjob/mapped"
	"github.com/supermax-hpo/supermax/batchjob/safetensors"
)

// raw returns a tensor's bytes.
func (s stored) raw() ([]byte, error) {
	b, err := s.bytes()
	if err != nil {
		return nil, s.failed(err)
	}
	return b, nil
}

// failed names the file and the parameter.
func (s stored) failed(err error) error {
	return fmt.Errorf("read %s: parameter %s: %w", s.path, s.name, err)
}

// values returns a tensor's elements, checked to be finite: in the mapping where the file
// has them as this machine does, else converted. Nothing of the mapping stays in the
// process's memory.
func (s stored) values() ([]float32, error) {
	raw, err := s.raw()
	if err != nil {
		return nil, err
	}
	n := len(raw) / s.dtype.Size()
	var data []float32
	if n > 0 && s.dtype == safetensors.F32 && asHere(raw) && s.file.Holds(unsafe.Pointer(&raw[0])) {
		data = unsafe.Slice((*float32)(unsafe.Pointer(&raw[0])), n)
	} else {
		data = make([]float32, n)
		if err := safetensors.Widen(data, raw, s.dtype); err != nil {
			return nil, s.failed(err)
		}
	}
	if i := notFinite(data); i >= 0 {
		return nil, s.failed(fmt.Errorf("it holds %v at element %d; the file is damaged", data[i], i))
	}
	return data, release(s.file, raw)
}

// asHere reports whether the bytes, little-endian, are float32s of this machine as they lie.
func asHere(b []byte) bool {
	return binary.NativeEndian.Uint16([]byte{1, 0}) == 1 && uintptr(unsafe.Pointer(&b[0]))%unsafe.Alignof(float32(0)) == 0
}

// notFinite returns the index of the first NaN or infinity, or -1.
func notFinite(data []float32) int {
	const exponent = 0x7f800000 // all ones in both
	for i, v := range data {
		if math.Float32bits(v)&exponent == exponent {
			return i
		}
	}
	return -1
}

// release takes b out of the process's memory if it lies in the file's mapping.
func release(f *mapped.File, b []byte) error {
	if len(b) == 0 || !f.Holds(unsafe.Pointer(&b[0])) {
		return nil
	}
	from := int(uintptr(unsafe.Pointer(&b[0])) - uintptr(unsafe.Pointer(&f.Bytes()[0])))
	return f.Release(from, from+len(b))
}

// Release says that p's values were copied to where they are needed. Those that lie in a
// mapped file leave the process's memory; they stay readable, from the file again. So a model
// that is built parameter by parameter stands in memory once. Values that were converted stay.
func (w *Weights) Release(p Param) error {
	if len(p.Data) == 0 {
		return nil
	}
	b := unsafe.Slice((*byte)(unsafe.Pointer(&p.Data[0])), 4*len(p.Data))
	for _, f := range w.files {
		if err := release(f, b); err != nil {
			return fmt.Errorf("release parameter %s: %w", p.Name, err)
		}
	}
	return nil
}

// Close unmaps the files that the parameters lie in, and takes the parameters away: no slice
// of their data may be touched any more. Weights that are never closed stay readable until
// the process ends, at the cost of address space alone. It may be called twice.
func (w *Weights) Close() error {
	w.Params = nil
	err := closeAll(w.files)
	w.files = nil
	return err
}

func closeAll(files []*mapped.File) error {
	var first error
	for _, f := range files {
		if err := f.Close(); err != nil && first == nil {
			first = fmt.Errorf("unmap weights: %w", err)
		}
	}
	return first
}
