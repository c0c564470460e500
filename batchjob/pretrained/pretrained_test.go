package pretrained

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/supermax-hpo/supermax/batchjob/safetensors"
)

// small is a configuration whose parameters can be counted on the page.
func small() Config {
	c := DefaultConfig()
	c.VocabSize, c.HiddenSize, c.NumHiddenLayers, c.NumAttentionHeads = 40, 8, 2, 2
	c.IntermediateSize, c.MaxPositionEmbeddings = 16, 32
	return c
}

func TestBERTParamsBase(t *testing.T) {
	// The hub states 109,482,240 parameters for bert-base-uncased with its pooler.
	total := 0
	for _, s := range BERTParams(DefaultConfig()) {
		n := 1
		for _, d := range s.Shape {
			n *= d
		}
		total += n
	}
	if total != 109_482_240 {
		t.Errorf("bert-base has %d parameters, want 109482240", total)
	}
}

func TestInit(t *testing.T) {
	c := small()
	a, b, other := t.TempDir(), t.TempDir(), t.TempDir()
	for _, err := range []error{Init(a, c, 7), Init(b, c, 7), Init(other, c, 8)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	read := func(dir string) []byte {
		data, err := os.ReadFile(filepath.Join(dir, "model.safetensors"))
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	if !bytes.Equal(read(a), read(b)) {
		t.Error("the same seed gave two different files")
	}
	if bytes.Equal(read(a), read(other)) {
		t.Error("another seed gave the same file")
	}
	w, err := Load(a)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(c, w.Config); diff != "" {
		t.Errorf("configuration changed (-want +got):\n%s", diff)
	}
	var sum, squares, n float64
	for _, p := range w.Params {
		switch {
		case strings.HasSuffix(p.Name, "LayerNorm.weight"):
			if slices.ContainsFunc(p.Data, func(v float32) bool { return v != 1 }) {
				t.Errorf("%s is not all ones", p.Name)
			}
		case strings.HasSuffix(p.Name, ".bias"):
			if slices.ContainsFunc(p.Data, func(v float32) bool { return v != 0 }) {
				t.Errorf("%s is not all zeros", p.Name)
			}
		default:
			for _, v := range p.Data {
				sum, squares, n = sum+float64(v), squares+float64(v)*float64(v), n+1
			}
		}
	}
	// n is about 1,900 samples of standard deviation 0.02: the mean's error is 0.02/√n =
	// 0.0005, that of the deviation 0.02/√(2n) = 0.0003; five of either are allowed.
	if mean, deviation := sum/n, math.Sqrt(squares/n); math.Abs(mean) > 0.0025 || math.Abs(deviation-0.02) > 0.0016 {
		t.Errorf("mean %v, deviation %v of %v weights, want 0 and 0.02", mean, deviation, n)
	}
	if p, ok := w.Find("embeddings.word_embeddings.weight"); !ok || slices.ContainsFunc(p.Data[:8], func(v float32) bool { return v != 0 }) {
		t.Error("the padding token's row is not zero")
	}
	if _, ok := w.Find("nothing"); ok {
		t.Error("found a parameter that does not exist")
	}
	if err := Init(a, c, 7); err == nil || !strings.Contains(err.Error(), "already exists") {
		t.Errorf("second Init: %v", err)
	}
	bad := c
	bad.NumAttentionHeads = 3
	if err := Init(filepath.Join(a, "new"), bad, 1); err == nil || exists(filepath.Join(a, "new")) {
		t.Errorf("Init of a wrong configuration: %v", err)
	}
	if err := Init(filepath.Join(a, "config.json", "below"), c, 1); err == nil {
		t.Error("Init below a file: no error")
	}
	if left, _ := filepath.Glob(filepath.Join(a, ".*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestLoadListsEveryMismatch(t *testing.T) {
	dir := t.TempDir()
	if err := Init(dir, small(), 1); err != nil {
		t.Fatal(err)
	}
	w, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range w.Params { // out of the file, which is written over below
		w.Params[i].Data = slices.Clone(p.Data)
	}
	write := func(edit func([]safetensors.Tensor) []safetensors.Tensor) {
		var tensors []safetensors.Tensor
		for _, p := range w.Params {
			tensors = append(tensors, safetensors.Tensor{Name: p.Name, Shape: p.Shape, Float32s: slices.Clone(p.Data)})
		}
		var out bytes.Buffer
		if err := safetensors.Write(&out, nil, edit(tensors)); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "model.safetensors"), out.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	one := func(name string) safetensors.Tensor {
		return safetensors.Tensor{Name: name, Shape: []int{1}, Float32s: []float32{1}}
	}
	tests := []struct {
		name string
		edit func([]safetensors.Tensor) []safetensors.Tensor
		want []string // parts of the error; none: accepted
	}{
		{"known heads and buffers", func(x []safetensors.Tensor) []safetensors.Tensor {
			return append(x, one("cls.predictions.bias"), one("cls.seq_relationship.weight"), one("classifier.weight"), one("qa_outputs.bias"),
				safetensors.Tensor{Name: "bert.embeddings.position_ids", Shape: []int{1, 2}, Int64s: []int64{0, 1}})
		}, nil},
		{"no pooler", func(x []safetensors.Tensor) []safetensors.Tensor {
			return slices.DeleteFunc(x, func(t safetensors.Tensor) bool { return strings.HasPrefix(t.Name, "pooler.") })
		}, nil},
		{"all at once", func(x []safetensors.Tensor) []safetensors.Tensor {
			x[0].Name, x[1].Name = "encoder.rel_embeddings.weight", "classifierx"
			x[2].Shape = []int{4, 4}
			return append(x, one("bert.pooler.dense.bias"))
		}, []string{
			"2 missing (embeddings.position_embeddings.weight, embeddings.word_embeddings.weight)",
			"2 unexpected (classifierx, encoder.rel_embeddings.weight)",
			"1 of another shape (embeddings.token_type_embeddings.weight is [4 4] instead of [2 8])",
			"1 given twice (pooler.dense.bias and bert.pooler.dense.bias)",
		}},
		{"not finite", func(x []safetensors.Tensor) []safetensors.Tensor {
			x[3].Float32s[5] = float32(math.NaN())
			return x
		}, []string{"model.safetensors: parameter embeddings.LayerNorm.weight: it holds NaN at element 5"}},
		{"integers", func(x []safetensors.Tensor) []safetensors.Tensor {
			x[3].Float32s, x[3].Int64s = nil, make([]int64, 8)
			return x
		}, []string{"holds I64, not floats"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			write(tt.edit)
			_, err := Load(dir)
			if tt.want == nil {
				if err != nil {
					t.Error(err)
				}
				return
			}
			for _, part := range tt.want {
				if err == nil || !strings.Contains(err.Error(), part) {
					t.Errorf("got %v\nwant a part %q", err, part)
				}
			}
		})
	}
}

func TestLoadRefusesFolders(t *testing.T) {
	good := t.TempDir()
	if err := Init(good, small(), 1); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name  string
		files map[string]string // name → content; "" removes
		want  string
	}{
		{"no config", map[string]string{"config.json": ""}, "config.json does not exist"},
		{"no weights", map[string]string{"model.safetensors": ""}, "model.safetensors does not exist, nor does model.safetensors.index.json, pytorch_model.bin, pytorch_model.bin.index.json"},
		{"a pickle that is none", map[string]string{"model.safetensors": "", "pytorch_model.bin": "x"}, "pytorch_model.bin: not a readable PyTorch state dict: byte 0"},
		{"vocabulary short", map[string]string{"vocab.txt": strings.Repeat("a\n", 39)}, "has 39 tokens, but vocab_size in config.json is 40"},
		{"vocabulary right, no last newline", map[string]string{"vocab.txt": strings.Repeat("a\n", 39) + "b"}, ""},
		{"vocabulary with an endless line", map[string]string{"vocab.txt": strings.Repeat("a", 1<<17)}, "line 1"},
		{"config is no JSON", map[string]string{"config.json": "{"}, "not a JSON object"},
		{"weights are no safetensors", map[string]string{"model.safetensors": "PK\x03\x04 something else"}, "not a valid safetensors file"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.CopyFS(dir, os.DirFS(good)); err != nil {
				t.Fatal(err)
			}
			for name, content := range tt.files {
				path := filepath.Join(dir, name)
				if content == "" {
					if err := os.Remove(path); err != nil {
						t.Fatal(err)
					}
				} else if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			_, err := Load(dir)
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
			if err != nil && strings.ContainsAny(err.Error(), "\n") {
				t.Errorf("more than one sentence: %v", err)
			}
		})
	}
}

func TestConfigValidate(t *testing.T) {
	tests := []struct {
		json string
		want string
	}{
		{`{"model_type":"bert"}`, ""},
		{`{}`, `model_type ""`},
		{`{"model_type":"xlnet"}`, `model_type "xlnet" is not implemented yet (implemented: bert)`},
		{`{"model_type":"bert","hidden_size":0}`, "hidden_size is 0, allowed is 1 to"},
		{`{"model_type":"bert","hidden_size":10}`, "hidden_size 10 is not a multiple of num_attention_heads 12"},
		{`{"model_type":"bert","hidden_dropout_prob":1}`, "hidden_dropout_prob is 1, allowed is at least 0 and below 1"},
		{`{"model_type":"bert","layer_norm_eps":0}`, "layer_norm_eps is 0, it must be above 0"},
		{`{"model_type":"bert","pad_token_id":-1}`, "pad_token_id is -1, allowed is 0 to 30521"},
		{`{"model_type":"bert","position_embedding_type":"relative_key"}`, `position_embedding_type "relative_key"`},
		{`{"model_type":"bert","hidden_act":"mish"}`, `hidden_act "mish" is not implemented`},
		{`{"model_type":"bert","is_decoder":true}`, "is_decoder is true"},
	}
	for _, tt := range tests {
		t.Run(tt.json, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "config.json"), []byte(tt.json), 0o600); err != nil {
				t.Fatal(err)
			}
			c, err := LoadConfig(dir)
			if tt.want == "" {
				if err != nil || c != DefaultConfig() {
					t.Errorf("got %+v, %v, want the defaults", c, err)
				}
			} else if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

// FuzzConfig: no config.json panics, and an accepted one survives being written.
func FuzzConfig(f *testing.F) {
	f.Add([]byte(`{"model_type":"bert","vocab_size":100}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		dir := t.TempDir()
		path := filepath.Join(dir, "config.json")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := LoadConfig(dir)
		if err != nil {
			return
		}
		again, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, again, 0o600); err != nil {
			t.Fatal(err)
		}
		if d, err := LoadConfig(dir); err != nil || d != c {
			t.Errorf("%+v became %+v, %v", c, d, err)
		}
	})
}
