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

func TestCountBase(t *testing.T) {
	// The hub states 109,482,240 parameters for bert-base-uncased with its pooler.
	if total := Count(DefaultConfig()); total != 109_482_240 {
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
		{`{"model_type":"gpt2"}`, `model_type "gpt2" is not implemented yet (implemented: albert, bert,`},
		{`{"model_type":"bert","hidden_size":0}`, "hidden_size is 0, allowed is 1 to"},
		{`{"model_type":"bert","hidden_size":10}`, "hidden_size 10 is not a multiple of num_attention_heads 12"},
		{`{"model_type":"bert","hidden_dropout_prob":1}`, "hidden_dropout_prob is 1, allowed is at least 0 and below 1"},
		{`{"model_type":"bert","layer_norm_eps":0}`, "layer_norm_eps is 0, it must be above 0"},
		{`{"model_type":"bert","pad_token_id":-1}`, "pad_token_id is -1, allowed is 0 to 30521"},
		{`{"model_type":"bert","position_embedding_type":"rotary"}`, `position_embedding_type "rotary" is not implemented for bert (implemented: absolute, relative_key, relative_key_query)`},
		{`{"model_type":"convbert","position_embedding_type":"relative_key"}`, `position_embedding_type "relative_key"`},
		{`{"model_type":"bert","hidden_act":"mish"}`, `hidden_act "mish" is not implemented`},
		{`{"model_type":"bert","is_decoder":true}`, "is_decoder is true"},
		{`{"model_type":3}`, "model_type is 3, it must be text"},
		{`{"model_type":"bert","vocab_size":"many"}`, `vocab_size is "many":`},
		{`{"model_type":"distilbert","dim":10}`, "dim 10 is not a multiple of n_heads 12"},
		{`{"model_type":"distilbert","dropout":2}`, "dropout is 2, allowed is at least 0 and below 1"},
		{`{"model_type":"roberta","max_position_embeddings":2}`, "max_position_embeddings is 2, allowed is 3 to"},
		{`{"model_type":"albert","num_hidden_groups":13}`, "num_hidden_groups is 13, allowed is 1 to 12"},
		{`{"model_type":"convbert","conv_kernel_size":8}`, "conv_kernel_size is 8, it must be odd"},
		{`{"model_type":"convbert","num_groups":7}`, "num_groups is 7; hidden_size 768 and intermediate_size 3072"},
		{`{"model_type":"convbert","num_attention_heads":6,"head_ratio":1,"hidden_size":18}`, "hidden_size 18 is not a multiple of 12, twice the heads that attend"},
		{`{"model_type":"deberta-v2","pos_att_type":"c2p|c2c"}`, `pos_att_type is "c2p|c2c": "c2c" is not known; allowed: c2p, p2c`},
		{`{"model_type":"deberta-v2","pos_att_type":7}`, "pos_att_type is 7: it is neither a list of names nor one string"},
		{`{"model_type":"deberta-v2","pos_att_type":["c2p"]}`, "pos_att_type names terms, but relative_attention is false"},
		{`{"model_type":"deberta-v2","conv_kernel_size":2}`, "conv_kernel_size is 2, it must be odd"},
		{`{"model_type":"deberta-v2","conv_kernel_size":3,"conv_act":"mish"}`, `conv_act "mish" is not implemented`},
		{`{"model_type":"deberta-v2","conv_groups":5}`, "conv_groups is 5; hidden_size 1536"},
		{`{"model_type":"deberta-v2","relative_attention":true,"position_buckets":1024}`, "position_buckets is 1024, it must be below"},
		{`{"model_type":"deberta-v2","attention_head_size":32}`, "attention_head_size is 32, allowed is 64"},
		{`{"model_type":"xlnet","d_head":32}`, "d_head is 32, allowed is 64, which is d_model divided by n_head"},
		{`{"model_type":"xlnet","attn_type":"uni"}`, `attn_type "uni" is not implemented`},
		{`{"model_type":"xlnet","bi_data":true}`, "bi_data is true"},
		{`{"model_type":"xlnet","d_model":15,"n_head":3}`, "d_model is 15, it must be even"},
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

// Every model type has the hub library's defaults and as many parameters as transformers 4.56.2
// counts for the hub's base checkpoint.
func TestModelTypes(t *testing.T) {
	base := map[string]struct {
		json  string
		count int
	}{
		ModelTypeALBERT:     {`"hidden_size":768,"num_attention_heads":12,"intermediate_size":3072`, 11_683_584}, // albert-base-v2
		ModelTypeBERT:       {`"vocab_size":30522`, 109_482_240},                                                 // bert-base-uncased
		ModelTypeConvBERT:   {`"vocab_size":30522`, 105_680_520},                                                 // conv-bert-base
		ModelTypeDeBERTaV2:  {debertaV3Base, 183_831_552},                                                        // deberta-v3-base
		ModelTypeDistilBERT: {`"n_layers":6`, 66_362_880},                                                        // distilbert-base-uncased
		ModelTypeELECTRA:    {`"embedding_size":768,"hidden_size":768,"num_attention_heads":12,"intermediate_size":3072`, 108_891_648},
		ModelTypeRoBERTa:    {`"max_position_embeddings":514,"type_vocab_size":1`, 124_645_632},     // roberta-base
		ModelTypeXLNet:      {`"d_model":768,"n_layer":12,"n_head":12,"d_inner":3072`, 116_718_336}, // xlnet-base-cased
	}
	for _, modelType := range ModelTypes() {
		var c Config
		text := `{"model_type":"` + modelType + `",` + base[modelType].json + `}`
		if err := json.Unmarshal([]byte(text), &c); err != nil {
			t.Fatal(err)
		}
		if err := c.Validate(); err != nil {
			t.Error(err)
		}
		if n := Count(c); n != base[modelType].count {
			t.Errorf("%s has %d parameters, want %d", modelType, n, base[modelType].count)
		}
		dir := t.TempDir()
		small := c
		small.VocabSize, small.EmbeddingSize, small.HiddenSize, small.NumHiddenLayers, small.NumAttentionHeads = 20, min(c.EmbeddingSize, 8), 16, 2, 4
		small.IntermediateSize, small.AttentionHeadSize = 32, 0
		if err := Init(dir, small, 1); err != nil {
			t.Fatal(err)
		}
		w, err := Load(dir)
		if err != nil {
			t.Fatal(err)
		}
		if w.Config != small {
			t.Errorf("%+v was read as %+v", small, w.Config)
		}
		if text, err := os.ReadFile(filepath.Join(dir, "config.json")); err != nil || strings.Contains(string(text), `embedding_size": 0`) || strings.Contains(string(text), `head_size": 0`) || strings.Contains(string(text), `d_head": 0`) {
			t.Errorf("%s says that a size is 0 which follows from others: %v", text, err)
		}
	}
}

// debertaV3Base is what microsoft/deberta-v3-base sets beside the defaults.
const debertaV3Base = `"hidden_size":768,"num_hidden_layers":12,"num_attention_heads":12,"intermediate_size":3072,
	"relative_attention":true,"position_buckets":256,"pos_att_type":"p2c|c2p","share_att_key":true,
	"position_biased_input":false,"norm_rel_ebd":"layer_norm"`

// FuzzConfig: no config.json panics, and an accepted one survives being written.
func FuzzConfig(f *testing.F) {
	f.Add([]byte(`{"model_type":"bert","vocab_size":100}`))
	f.Add([]byte(`{"model_type":"xlnet","d_model":64,"clamp_len":3}`))
	f.Add([]byte(`{"model_type":"deberta-v2","pos_att_type":["p2c"],"relative_attention":true}`))
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
