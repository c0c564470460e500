package torchfile

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/supermax-hpo/supermax/batchjob/safetensors"
	"github.com/supermax-hpo/supermax/tests/goldentest"
)

func read(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// entry is a tensor as make.py writes it.
type entry struct {
	Name  string            `json:"name"`
	DType safetensors.DType `json:"dtype"`
	Shape []int             `json:"shape"`
	Bytes string            `json:"bytes"`
}

// What PyTorch wrote in either format, of every type, transposed, sliced and shared, is read
// as PyTorch sees it.
func TestReadWhatPyTorchWrote(t *testing.T) {
	var want []entry
	if err := json.Unmarshal(read(t, "testdata/expected.json"), &want); err != nil {
		t.Fatal(err)
	}
	for name, skip := range map[string]int{
		"zip-protocol2.bin": 0, "zip-protocol4.bin": 0, "legacy-protocol2.bin": 0, "legacy-protocol4.bin": 0,
		"zip-dict.bin": 4, // without the module's parameters
	} {
		t.Run(name, func(t *testing.T) {
			tensors, err := Read(read(t, filepath.Join("testdata", name)))
			if err != nil {
				t.Fatal(err)
			}
			var got []entry
			for _, x := range tensors {
				b, err := x.Bytes()
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, entry{x.Name, x.DType, x.Shape, hex.EncodeToString(b)})
			}
			if d := cmp.Diff(want[skip:], got); d != "" {
				t.Errorf("-want +got\n%s", d)
			}
		})
	}
}

func TestReadRefuses(t *testing.T) {
	for name, want := range map[string]string{
		"evil-zip.bin":    `data.pkl, byte 13: it names "posix.system", which no state dict needs; nothing of a file is executed`,
		"evil-legacy.bin": `it names "posix.system"`,
		"module.bin":      `it names "torch.nn.modules.container.Sequential"`,
		"training.bin":    `its entry "state_dict" is not a tensor`,
		"torchscript.bin": `data.pkl, byte 2: it names "__torch__.torch.nn.modules.linear.Linear"`,
		"expected.json":   "begins neither as",
	} {
		_, err := Read(read(t, filepath.Join("testdata", name)))
		var format *FormatError
		if !errors.As(err, &format) || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: got %v, want …%s…", name, err, want)
		}
	}
	tar := make([]byte, 512)
	copy(tar[257:], "ustar")
	if _, err := Read(tar); err == nil || !strings.Contains(err.Error(), "tar archive") {
		t.Errorf("tar: %v", err)
	}
}

// A file that is cut anywhere is refused, and one with any byte of the pickle or of the data
// changed is refused or read: never a panic. In the zip format the checksums find it.
func TestDamagedFiles(t *testing.T) {
	for _, name := range []string{"zip-protocol2.bin", "legacy-protocol4.bin"} {
		whole := read(t, filepath.Join("testdata", name))
		for n := range len(whole) {
			if _, err := Read(whole[:n]); err == nil {
				t.Errorf("%s: %d of %d bytes were accepted", name, n, len(whole))
			}
		}
		if _, err := Read(append(bytes.Clone(whole), 0)); name == "legacy-protocol4.bin" && err == nil {
			t.Errorf("%s: a byte behind the end was accepted", name)
		}
		for at := range whole {
			spoilt := bytes.Clone(whole)
			spoilt[at] ^= 0x41
			tensors, err := Read(spoilt)
			for _, x := range tensors {
				_, again := x.Bytes()
				err = errors.Join(err, again)
			}
			var format *FormatError
			if err != nil && !errors.As(err, &format) {
				t.Errorf("%s, byte %d: %v is no FormatError", name, at, err)
			}
		}
	}
	whole := read(t, "testdata/zip-protocol2.bin")
	tensors, err := Read(whole)
	if err != nil {
		t.Fatal(err)
	}
	tensors[0].storage.data[0] ^= 1
	if _, err := tensors[0].Bytes(); err == nil || !strings.Contains(err.Error(), `"data/0" has the checksum`) {
		t.Errorf("a changed number: %v", err)
	}
}

// The golden models' pytorch_model.bin hold what the safetensors beside them hold, bit by bit.
func TestGoldenTorchEqualsSafetensors(t *testing.T) {
	for _, dir := range goldentest.Some(t, "pytorch_model.bin", "models") {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			tensors, err := Read(read(t, filepath.Join(dir, "pytorch_model.bin")))
			if err != nil {
				t.Fatal(err)
			}
			other := read(t, filepath.Join(dir, "model.safetensors"))
			f, err := safetensors.Read(bytes.NewReader(other), int64(len(other)))
			if err != nil {
				t.Fatal(err)
			}
			if len(tensors) != len(f.Tensors()) {
				t.Errorf("%d tensors, %d in the safetensors", len(tensors), len(f.Tensors()))
			}
			for _, x := range tensors {
				info, ok := f.Lookup(x.Name)
				if !ok || info.DType != x.DType || !cmp.Equal(info.Shape, x.Shape) {
					t.Errorf("%s is %s %v, in the safetensors %+v", x.Name, x.DType, x.Shape, info)
					continue
				}
				from, to := f.Span(info)
				if b, err := x.Bytes(); err != nil || !bytes.Equal(b, other[from:to]) {
					t.Errorf("%s has other values, %v", x.Name, err)
				}
			}
		})
	}
}

// FuzzRead: no file makes the reader panic, hang or allocate beyond the file's size, and every
// tensor of an accepted one has the bytes that its shape says.
func FuzzRead(f *testing.F) {
	for _, name := range []string{"zip-dict.bin", "legacy-protocol2.bin", "legacy-protocol4.bin", "evil-zip.bin"} {
		data, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		tensors, err := Read(file)
		if err != nil {
			return
		}
		for _, x := range tensors {
			b, err := x.Bytes()
			if err == nil && len(b) != x.Len()*x.DType.Size() {
				t.Errorf("%s %v has %d bytes", x.DType, x.Shape, len(b))
			}
		}
	})
}
