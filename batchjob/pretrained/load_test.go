package pretrained

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/supermax-hpo/supermax/batchjob/mapped"
	"github.com/supermax-hpo/supermax/batchjob/safetensors"
	"github.com/supermax-hpo/supermax/batchjob/torchfile"
	"github.com/supermax-hpo/supermax/tests/goldentest"
)

// backboneIn makes a small backbone and returns its folder and its parameters.
func backboneIn(t *testing.T) (string, []Param) {
	t.Helper()
	dir := t.TempDir()
	if err := Init(dir, small(), 1); err != nil {
		t.Fatal(err)
	}
	return dir, load(t, dir)
}

// load reads a backbone, copies its parameters and closes it.
func load(t *testing.T, dir string) []Param {
	t.Helper()
	w, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	params := slices.Clone(w.Params)
	for i, p := range params {
		params[i].Data = slices.Clone(p.Data)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return params
}

func put(t *testing.T, dir, name string, content []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
		t.Fatal(err)
	}
}

// encode is a safetensors file of the parameters.
func encode(t *testing.T, params ...Param) []byte {
	t.Helper()
	var out bytes.Buffer
	var tensors []safetensors.Tensor
	for _, p := range params {
		tensors = append(tensors, safetensors.Tensor{Name: p.Name, Shape: p.Shape, Float32s: p.Data})
	}
	if err := safetensors.Write(&out, nil, tensors); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// index names where each parameter lies.
func index(t *testing.T, shards map[string][]Param) []byte {
	t.Helper()
	where := map[string]string{}
	for shard, params := range shards {
		for _, p := range params {
			where[p.Name] = shard
		}
	}
	data, err := json.Marshal(map[string]any{"metadata": map[string]any{"total_size": 1}, "weight_map": where})
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestLoadShards(t *testing.T) {
	dir, want := backboneIn(t)
	shards := map[string][]Param{"model-1.safetensors": want[:9], "model-2.safetensors": want[9:]}
	for name, params := range shards {
		put(t, dir, name, encode(t, params...))
	}
	put(t, dir, "model.safetensors.index.json", index(t, shards))
	if err := os.Remove(filepath.Join(dir, "model.safetensors")); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, load(t, dir)); d != "" {
		t.Errorf("-want +got\n%.2000s", d)
	}
	for name, tt := range map[string]struct{ index, want string }{
		"no JSON":          {"{", "is not a JSON object with a weight_map"},
		"names nothing":    {"{}", "names no tensors"},
		"leads elsewhere":  {`{"weight_map":{"a":"../model.safetensors"}}`, "no file of weights beside it"},
		"an absolute path": {`{"weight_map":{"a":"/etc/x.safetensors"}}`, "no file of weights beside it"},
		"another format":   {`{"weight_map":{"a":"x.bin"}}`, "no file of weights beside it"},
		"a missing shard":  {`{"weight_map":{"a":"x.safetensors"}}`, "x.safetensors does not exist"},
		"says too little":  {`{"weight_map":{"pooler.dense.bias":"model-2.safetensors"}}`, "does not say that model-2.safetensors holds"},
		"too large":        {strings.Repeat(" ", maxIndex+1), "an index has at most"},
		"says too much": {string(index(t, map[string][]Param{
			"model-1.safetensors": append(slices.Clone(want[:9]), Param{Name: "nothing"}), "model-2.safetensors": want[9:],
		})), "model-1.safetensors does not hold nothing, as it says"},
	} {
		t.Run(name, func(t *testing.T) {
			put(t, dir, "model.safetensors.index.json", []byte(tt.index))
			_, err := Load(dir)
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), dir) {
				t.Errorf("got %v, want …%s…", err, tt.want)
			}
			if _, err := Shards(filepath.Join(dir, "model.safetensors.index.json")); err == nil && strings.Contains(tt.want, "beside") {
				t.Error("Shards accepted it")
			}
		})
	}
}

func TestShards(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "model.safetensors.index.json", []byte(`{"weight_map":{"a":"b.safetensors","b":"a.safetensors","c":"b.safetensors"}}`))
	names, err := Shards(filepath.Join(dir, "model.safetensors.index.json"))
	if d := cmp.Diff([]string{"a.safetensors", "b.safetensors"}, names); d != "" || err != nil {
		t.Errorf("%v: -want +got\n%s", err, d)
	}
	if _, err := Shards(filepath.Join(dir, "none.index.json")); err == nil {
		t.Error("an index that is not there")
	}
}

// Tied weights may be stored twice if they are equal.
func TestLoadTiedWeights(t *testing.T) {
	dir, params := backboneIn(t)
	twin := params[3]
	twin.Name = "bert." + twin.Name
	put(t, dir, "model.safetensors", encode(t, append(slices.Clone(params), twin)...))
	if d := cmp.Diff(params, load(t, dir)); d != "" {
		t.Errorf("-want +got\n%.2000s", d)
	}
	twin.Data = slices.Clone(twin.Data)
	twin.Data[1]++
	put(t, dir, "model.safetensors", encode(t, append(slices.Clone(params), twin)...))
	if _, err := Load(dir); err == nil || !strings.Contains(err.Error(), "1 given twice (embeddings.LayerNorm.weight and bert.embeddings.LayerNorm.weight)") {
		t.Errorf("two different ones: %v", err)
	}
}

// Floats of other widths, and float32s at odd addresses, are converted.
func TestLoadConverts(t *testing.T) {
	dir, params := backboneIn(t)
	header, data := map[string]any{}, []byte{}
	for i, p := range params {
		begin, dtype := len(data), []string{"BF16", "F16", "F32", "F64"}[i%4]
		for j := range p.Data {
			p.Data[j] = float32(j%7) / 4 // exact in each
			bits := math.Float32bits(p.Data[j])
			switch dtype {
			case "BF16":
				data = binary.LittleEndian.AppendUint16(data, uint16(bits>>16))
			case "F16":
				data = binary.LittleEndian.AppendUint16(data, half(p.Data[j]))
			case "F32":
				data = binary.LittleEndian.AppendUint32(data, bits)
			case "F64":
				data = binary.LittleEndian.AppendUint64(data, math.Float64bits(float64(p.Data[j])))
			}
		}
		header[p.Name] = map[string]any{"dtype": dtype, "shape": p.Shape, "data_offsets": []int{begin, len(data)}}
	}
	text, err := json.Marshal(header)
	if err != nil {
		t.Fatal(err)
	}
	for len(text)%4 != 1 { // the data begins at an odd byte
		text = append(text, ' ')
	}
	put(t, dir, "model.safetensors", append(append(binary.LittleEndian.AppendUint64(nil, uint64(len(text))), text...), data...))
	w, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(params, w.Params); d != "" {
		t.Errorf("-want +got\n%.2000s", d)
	}
	if len(w.files) != 0 {
		t.Error("a file whose numbers were all converted stays mapped")
	}
}

// half is the binary16 of a multiple of 1/4 below 2.
func half(v float32) uint16 {
	if v == 0 {
		return 0
	}
	bits := math.Float32bits(v)
	return uint16((bits>>23-112)<<10 | bits>>13&0x3ff)
}

func TestReleaseAndClose(t *testing.T) {
	dir, want := backboneIn(t)
	w, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(w.files) != 1 {
		t.Fatalf("%d files are mapped", len(w.files))
	}
	for _, p := range append(slices.Clone(w.Params), Param{Name: "empty"}, Param{Name: "elsewhere", Data: []float32{1}}) {
		if err := w.Release(p); err != nil {
			t.Error(err)
		}
	}
	if d := cmp.Diff(want, w.Params); d != "" {
		t.Errorf("after Release: -want +got\n%.2000s", d)
	}
	w.Params[0].Data[0]++ // no fault, and no change of the file
	if d := cmp.Diff(want, load(t, dir)); d != "" {
		t.Errorf("the file changed: -want +got\n%.2000s", d)
	}
	for range 2 {
		if err := w.Close(); err != nil || w.Params != nil {
			t.Errorf("closed: %v, %d parameters", err, len(w.Params))
		}
	}
	if err := closeAll([]*mapped.File{{}}); err != nil {
		t.Error(err)
	}
}

// A model.safetensors with any byte of its header changed, or cut short anywhere, is refused
// with the file's name, or still says the same names and shapes.
func TestDamagedHeader(t *testing.T) {
	dir, params := backboneIn(t)
	path := filepath.Join(dir, "model.safetensors")
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	header := 8 + int(binary.LittleEndian.Uint64(whole))
	for at := 0; at < header; at += 3 {
		spoilt := bytes.Clone(whole)
		spoilt[at] ^= 0x15
		put(t, dir, "model.safetensors", spoilt)
		w, err := Load(dir)
		if err != nil {
			if !strings.Contains(err.Error(), path) {
				t.Errorf("byte %d: the error names no file: %v", at, err)
			}
			continue
		}
		if len(w.Params) < len(params)-2 { // the pooler may get lost
			t.Errorf("byte %d: %d parameters", at, len(w.Params))
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// The golden models' pytorch_model.bin give the parameters that their safetensors give.
func TestGoldenPickles(t *testing.T) {
	for _, dir := range goldentest.Some(t, "pytorch_model.bin", "models") {
		pickle := filepath.Join(dir, "pytorch_model.bin")
		c, err := LoadConfig(dir)
		if err != nil {
			t.Fatal(err)
		}
		got, err := LoadFile(pickle, c)
		if err != nil {
			t.Error(err)
			continue
		}
		if want := load(t, dir); !reflect.DeepEqual(want, got.Params) { // [cmp.Diff] takes its time
			t.Errorf("%s differs (-want +got):\n%.2000s", pickle, cmp.Diff(want, got.Params))
		}
		whole, err := os.ReadFile(pickle)
		if err != nil {
			t.Fatal(err)
		}
		tensors, err := torchfile.Read(whole)
		if err != nil {
			t.Fatal(err)
		}
		var named []Param
		for _, x := range tensors {
			named = append(named, Param{Name: x.Name})
		}
		sharded := t.TempDir() // of one shard
		put(t, sharded, "pytorch_model-1.bin", whole)
		put(t, sharded, "pytorch_model.bin.index.json", index(t, map[string][]Param{"pytorch_model-1.bin": named}))
		again, err := LoadFile(filepath.Join(sharded, "pytorch_model.bin.index.json"), c)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(got.Params, again.Params); d != "" {
			t.Errorf("as a shard it differs (-want +got):\n%.2000s", d)
		}
		cut := filepath.Join(t.TempDir(), "pytorch_model.bin")
		for _, n := range []int{0, 1, 100, len(whole) / 2, len(whole) - 1} {
			if err := os.WriteFile(cut, whole[:n], 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := LoadFile(cut, c); err == nil || !strings.Contains(err.Error(), cut) {
				t.Errorf("%d of %d bytes: %v", n, len(whole), err)
			}
		}
	}
}
