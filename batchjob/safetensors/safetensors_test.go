package safetensors

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// file puts a header and data together as the format says.
func file(header string, data ...byte) []byte {
	out := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(out, header...), data...)
}

func read(b []byte) (*File, error) { return Read(bytes.NewReader(b), int64(len(b))) }

func TestReadRefuses(t *testing.T) {
	four := []byte{0, 0, 0, 0}
	tests := []struct {
		name string
		file []byte
		want string
	}{
		{"empty", nil, "0 bytes"},
		{"header beyond the end", []byte{255, 255, 0, 0, 0, 0, 0, 0, '{', '}'}, "cut short"},
		{"header length negative as signed", []byte{0, 0, 0, 0, 0, 0, 0, 0x80, '{', '}'}, "cut short"},
		{"not JSON", file("nonsense"), "not a JSON object"},
		{"an array", file("[]"), "not a JSON object"},
		{"key without value", file(`{"a"`), "entry for tensor"},
		{"unfinished", file(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}`, four...), "complete JSON"},
		{"two objects", file(`{}{}`), "more than one"},
		{"entry not an object", file(`{"a":3}`), `tensor "a"`},
		{"no offsets", file(`{"a":{"dtype":"F32","shape":[1]}}`, four...), `tensor "a"`},
		{"unknown type", file(`{"a":{"dtype":"F31","shape":[1],"data_offsets":[0,4]}}`, four...), `"F31"`},
		{"negative dimension", file(`{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}`, four...), "negative"},
		{"huge shape", file(`{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,4]}}`, four...), "beyond any memory"},
		{"cut short", file(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}`, four...), "cut short"},
		{"offsets reversed", file(`{"a":{"dtype":"F32","shape":[0],"data_offsets":[4,0]}}`, four...), "lies at bytes"},
		{"size and shape differ", file(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}`, four...), "needs 8"},
		{"a gap", file(`{"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}`, 0, 0), "gap"},
		{"overlap", file(`{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}}`, 0, 0, 0), "overlap"},
		{"data left over", file(`{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}`, 0, 0), "end at byte 1 of 2"},
		{"a name twice", file(`{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}`, 0, 0), "twice"},
		{"metadata twice", file(`{"__metadata__":{},"__metadata__":{}}`), "twice"},
		{"metadata not strings", file(`{"__metadata__":{"a":1}}`), "strings"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := read(tt.file)
			var format *FormatError
			if !errors.As(err, &format) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want a FormatError with %q", err, tt.want)
			}
		})
	}
}

func TestFloatTypes(t *testing.T) {
	tests := []struct {
		dtype DType
		data  []byte
		want  []float32
	}{
		// binary16: 1, -2, the least subnormal 2^-24, the greatest 65504, +Inf, -0.
		{F16, []byte{0, 0x3c, 0, 0xc0, 1, 0, 0xff, 0x7b, 0, 0x7c, 0, 0x80, 1, 0x80}, []float32{1, -2, 1.0 / (1 << 24), 65504, float32(math.Inf(1)), float32(math.Copysign(0, -1)), -1.0 / (1 << 24)}},
		// bfloat16 is a float32's upper half: 1 is 3f80, -2 is c000.
		{BF16, []byte{0x80, 0x3f, 0, 0xc0}, []float32{1, -2}},
		{F32, []byte{0, 0, 0x80, 0x3f}, []float32{1}},
		{F64, []byte{0, 0, 0, 0, 0, 0, 0xf0, 0x3f}, []float32{1}},
	}
	for _, tt := range tests {
		t.Run(string(tt.dtype), func(t *testing.T) {
			header := `{"a":{"dtype":"` + string(tt.dtype) + `","shape":[` + strconv.Itoa(len(tt.want)) + `],"data_offsets":[0,` + strconv.Itoa(len(tt.data)) + `]}}`
			f, err := read(file(header, tt.data...))
			if err != nil {
				t.Fatal(err)
			}
			got, err := f.Float32s("a")
			if err != nil {
				t.Fatal(err)
			}
			for i := range tt.want {
				if math.Float32bits(got[i]) != math.Float32bits(tt.want[i]) {
					t.Errorf("element %d is %v, want %v", i, got[i], tt.want[i])
				}
			}
		})
	}
	if v := halfToFloat(0x7e00); v == v {
		t.Errorf("binary16's NaN became %v", v)
	}
}

// Every binary16 is widened as its definition says: (-1)^s × 2^(e-15) × 1.m, or 2^-14 × 0.m
// where e is 0.
func TestHalfToFloat(t *testing.T) {
	for h := range 1 << 16 {
		e, m := h>>10&31, float64(h&1023)/1024
		want := math.Ldexp(1+m, e-15)
		switch {
		case e == 0:
			want = math.Ldexp(m, -14)
		case e == 31 && m == 0:
			want = math.Inf(1)
		case e == 31:
			want = math.NaN()
		}
		if h>>15 == 1 {
			want = math.Copysign(want, -1)
		}
		got := halfToFloat(uint16(h))
		if float64(got) != want && !(got != got && want != want) || want == 0 && math.Signbit(float64(got)) != math.Signbit(want) {
			t.Fatalf("%#04x is %v, want %v", h, got, want)
		}
	}
}

// What was written is read again, in every chunking, and twice the same.
func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var want []Tensor
		for i, n := range rapid.SliceOfN(rapid.IntRange(0, 40), 0, 5).Draw(t, "lengths") {
			x := Tensor{Name: string(rune('a' + i)), Shape: []int{n}}
			if rapid.Bool().Draw(t, "integers") {
				x.Int64s = append(make([]int64, 0, 1), rapid.SliceOfN(rapid.Int64(), n, n).Draw(t, "values")...)
			} else {
				x.Float32s = rapid.SliceOfN(rapid.Float32(), n, n).Draw(t, "values")
			}
			want = append(want, x)
		}
		metadata := rapid.MapOf(rapid.String(), rapid.String()).Draw(t, "metadata")
		var a, b bytes.Buffer
		if err := Write(&a, metadata, want); err != nil {
			t.Fatal(err)
		}
		if err := Write(&b, metadata, want); err != nil || !bytes.Equal(a.Bytes(), b.Bytes()) {
			t.Fatalf("written twice, not the same (%v)", err)
		}
		f, err := read(a.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		if len(metadata) > 0 && !cmp.Equal(metadata, f.Metadata) {
			t.Errorf("metadata: %s", cmp.Diff(metadata, f.Metadata))
		}
		f.scratch = rapid.IntRange(8, 64).Draw(t, "scratch")
		for _, x := range want {
			if x.Int64s != nil {
				if got, err := f.Int64s(x.Name); err != nil || !cmp.Equal(got, x.Int64s) {
					t.Errorf("%s: %v %v", x.Name, got, err)
				}
			} else if got, err := f.Float32s(x.Name); err != nil || !cmp.Equal(got, append([]float32{}, x.Float32s...)) {
				t.Errorf("%s: %v %v", x.Name, got, err)
			}
		}
		if len(f.Tensors()) != len(want) {
			t.Errorf("%d tensors of %d", len(f.Tensors()), len(want))
		}
	})
}

func TestReadTheWrongThing(t *testing.T) {
	f, err := read(file(`{"i":{"dtype":"I32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"BOOL","shape":[],"data_offsets":[4,5]}}`, 0xff, 0xff, 0xff, 0xff, 1))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := f.Int64s("i"); err != nil || got[0] != -1 {
		t.Errorf("I32 ffffffff: %v %v, want -1", got, err)
	}
	for _, name := range []string{"b", "none"} {
		if _, err := f.Int64s(name); err == nil {
			t.Errorf("integers of %s: no error", name)
		}
		if _, err := f.Float32s(name); err == nil {
			t.Errorf("floats of %s: no error", name)
		}
	}
	// A reader that ends early, as a file that shrinks meanwhile.
	f.data = bytes.NewReader(nil)
	if _, err := f.Int64s("i"); !errors.Is(err, io.EOF) {
		t.Errorf("got %v, want EOF", err)
	}
}

func TestWriteRefuses(t *testing.T) {
	tests := []struct {
		name    string
		tensors []Tensor
	}{
		{"shape", []Tensor{{Name: "a", Shape: []int{2}, Float32s: []float32{1}}}},
		{"both", []Tensor{{Name: "a", Shape: []int{1}, Float32s: []float32{1}, Int64s: []int64{1}}}},
		{"twice", []Tensor{{Name: "a", Float32s: []float32{1}}, {Name: "a", Float32s: []float32{1}}}},
		{"reserved", []Tensor{{Name: "__metadata__", Float32s: []float32{1}}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var out bytes.Buffer
			if err := Write(&out, nil, tt.tensors); err == nil || out.Len() > 0 {
				t.Errorf("got %v after %d bytes, want an error before the first", err, out.Len())
			}
		})
	}
	if err := Write(failing{}, nil, []Tensor{{Name: "a", Float32s: []float32{1}}}); !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("got %v, want the writer's error", err)
	}
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, io.ErrShortWrite }

// FuzzRead: no file makes the reader panic, hang or allocate beyond the file's size, and
// every tensor of an accepted one can be read.
func FuzzRead(f *testing.F) {
	f.Add(file(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, 0, 0, 0, 0))
	f.Add(file(`{"__metadata__":{"format":"pt"},"a":{"dtype":"I64","shape":[],"data_offsets":[0,8]}}`, 0, 0, 0, 0, 0, 0, 0, 0))
	f.Add(file(`{}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := read(b)
		if err != nil {
			return
		}
		for _, info := range got.Tensors() {
			switch info.DType {
			case F32, F16, BF16, F64:
				if v, err := got.Float32s(info.Name); err != nil || len(v) != info.Len() {
					t.Errorf("%s: %d of %d, %v", info.Name, len(v), info.Len(), err)
				}
			case I64, I32:
				if v, err := got.Int64s(info.Name); err != nil || len(v) != info.Len() {
					t.Errorf("%s: %d of %d, %v", info.Name, len(v), info.Len(), err)
				}
			}
		}
	})
}
