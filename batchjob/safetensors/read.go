package safetensors

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
)

// A File is an open safetensors file. Data is read when it is asked for, so that a large
// file never lies in memory twice. It is safe for concurrent use if its reader is.
type File struct {
	Metadata map[string]string // the header's free strings; nil when there are none

	infos   []Info
	byName  map[string]int
	data    io.ReaderAt
	dataAt  int64 // where the data starts
	scratch int   // bytes converted at a time
}

// Read checks the header of a file of the given size and returns the file. Its errors
// are a [*FormatError] or the reader's own.
func Read(r io.ReaderAt, size int64) (*File, error) {
	if size < 8 {
		return nil, bad("it has %d bytes, fewer than the 8 of a header length; the file is damaged or cut short", size)
	}
	var lead [8]byte
	if _, err := r.ReadAt(lead[:], 0); err != nil {
		return nil, fmt.Errorf("read the header length: %w", err)
	}
	length := binary.LittleEndian.Uint64(lead[:])
	if length > maxHeader || int64(length) > size-8 {
		return nil, bad("its header claims %d bytes of a file of %d; the file is damaged or cut short", length, size)
	}
	header := make([]byte, length)
	if _, err := io.ReadFull(io.NewSectionReader(r, 8, int64(length)), header); err != nil {
		return nil, fmt.Errorf("read the header: %w", err)
	}
	f := &File{data: r, dataAt: 8 + int64(length), scratch: 1 << 20}
	if err := f.parse(header, size-f.dataAt); err != nil {
		return nil, err
	}
	return f, nil
}

// parse reads the header key by key, because a JSON map would hide a name that stands
// twice.
func (f *File) parse(header []byte, dataSize int64) error {
	d := json.NewDecoder(bytes.NewReader(header))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return bad("its header is not a JSON object")
	}
	f.byName = map[string]int{}
	seenMetadata := false
	for d.More() {
		t, err := d.Token()
		name, ok := t.(string)
		if err != nil || !ok {
			return bad("its header is not a JSON object")
		}
		if name == "__metadata__" {
			if seenMetadata {
				return bad("its header holds __metadata__ twice")
			}
			seenMetadata = true
			if err := d.Decode(&f.Metadata); err != nil {
				return bad("its __metadata__ is not an object of strings")
			}
			continue
		}
		var entry struct {
			DType   DType   `json:"dtype"`
			Shape   []int   `json:"shape"`
			Offsets []int64 `json:"data_offsets"`
		}
		if err := d.Decode(&entry); err != nil || len(entry.Offsets) != 2 {
			return bad("its entry for tensor %q is not {dtype, shape, data_offsets}", name)
		}
		if _, twice := f.byName[name]; twice {
			return bad("its header holds tensor %q twice", name)
		}
		info := Info{Name: name, DType: entry.DType, Shape: entry.Shape, begin: entry.Offsets[0], end: entry.Offsets[1]}
		if err := checkSpan(info, dataSize); err != nil {
			return err
		}
		f.byName[name] = 0
		f.infos = append(f.infos, info)
	}
	if _, err := d.Token(); err != nil {
		return bad("its header is not a complete JSON object")
	}
	if rest := bytes.TrimLeft(header[d.InputOffset():], " \n\r\t\x00"); len(rest) > 0 {
		return bad("its header holds more than one JSON object")
	}
	if err := checkCover(f.infos, dataSize); err != nil {
		return err
	}
	for i, info := range f.infos {
		f.byName[info.Name] = i
	}
	return nil
}

// Tensors lists the file's tensors in the order of their data.
func (f *File) Tensors() []Info { return f.infos }

// Lookup returns the tensor of that name.
func (f *File) Lookup(name string) (Info, bool) {
	i, ok := f.byName[name]
	if !ok {
		return Info{}, false
	}
	return f.infos[i], true
}

// Span returns where a tensor's elements lie in the file, little-endian and in row-major
// order: the first byte and the one behind the last.
func (f *File) Span(i Info) (from, to int64) { return f.dataAt + i.begin, f.dataAt + i.end }

// Float32s reads a tensor of F32, or of F16, BF16 or F64 converted.
func (f *File) Float32s(name string) ([]float32, error) {
	info, ok := f.Lookup(name)
	if !ok {
		return nil, fmt.Errorf("read tensor %q: there is none of that name", name)
	}
	switch info.DType {
	case F32, F16, BF16, F64:
	default:
		return nil, fmt.Errorf("read tensor %q: it holds %s, not floats", name, info.DType)
	}
	return readAs(f, info, func(dst []float32, src []byte) {
		_ = Widen(dst, src, info.DType) // one of those above
	})
}

// Int64s reads a tensor of I64, or of I32 widened.
func (f *File) Int64s(name string) ([]int64, error) {
	info, ok := f.Lookup(name)
	if !ok {
		return nil, fmt.Errorf("read tensor %q: there is none of that name", name)
	}
	var convert func(dst []int64, src []byte)
	switch info.DType {
	case I64:
		convert = func(dst []int64, src []byte) {
			for i := range dst {
				dst[i] = int64(binary.LittleEndian.Uint64(src[8*i:]))
			}
		}
	case I32:
		convert = func(dst []int64, src []byte) {
			for i := range dst {
				dst[i] = int64(int32(binary.LittleEndian.Uint32(src[4*i:])))
			}
		}
	default:
		return nil, fmt.Errorf("read tensor %q: it holds %s, not integers", name, info.DType)
	}
	return readAs(f, info, convert)
}

// readAs reads a tensor's bytes piece by piece and converts each.
func readAs[T any](f *File, info Info, convert func(dst []T, src []byte)) ([]T, error) {
	size := int(sizes[info.DType])
	out := make([]T, info.Len())
	piece := make([]byte, min(f.scratch/size*size, len(out)*size))
	for done := 0; done < len(out); {
		n := min(len(piece)/size, len(out)-done)
		at := f.dataAt + info.begin + int64(done*size)
		if _, err := io.ReadFull(io.NewSectionReader(f.data, at, int64(n*size)), piece[:n*size]); err != nil {
			return nil, fmt.Errorf("read tensor %q: %w", info.Name, err)
		}
		convert(out[done:done+n], piece)
		done += n
	}
	return out, nil
}
