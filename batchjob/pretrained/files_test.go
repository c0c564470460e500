package pretrained

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFiles(t *testing.T) {
	dir := t.TempDir()
	put := func(name, content string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want := func(want ...string) {
		t.Helper()
		files, err := Files(dir)
		if d := cmp.Diff(want, files); d != "" || err != nil {
			t.Errorf("%v: -want +got\n%s", err, d)
		}
	}
	refused := func(part string) {
		t.Helper()
		if files, err := Files(dir); err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("got %v, %v, want …%s…", files, err, part)
		}
	}
	refused("config.json does not exist")
	put("config.json", "")
	put("README.md", "")
	refused("model.safetensors does not exist, nor")
	put("pytorch_model.bin.index.json", `{"weight_map":{"a":"pytorch_model-2.bin","b":"pytorch_model-1.bin","c":"pytorch_model-1.bin"}}`)
	refused("pytorch_model-1.bin does not exist")
	put("pytorch_model-1.bin", "")
	put("pytorch_model-2.bin", "")
	want("config.json", "pytorch_model.bin.index.json", "pytorch_model-1.bin", "pytorch_model-2.bin")
	put("pytorch_model.bin", "")
	want("config.json", "pytorch_model.bin")
	put("model.safetensors", "")
	for _, name := range tokenizerNames {
		put(name, "")
	}
	want(append([]string{"config.json", "model.safetensors"}, tokenizerNames...)...)
	link := filepath.Join(dir, "tokenizer.json")
	if err := os.Remove(link); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("tokenizer.json", link); err != nil { // to itself
		t.Fatal(err)
	}
	refused("too many levels")
}

func TestChoose(t *testing.T) {
	for name, tt := range map[string]struct {
		names, want []string
		err         string
	}{
		"all": {
			names: []string{"README.md", "tf_model.h5", "pytorch_model.bin", "model.safetensors", "config.json", "vocab.txt", "onnx/model.onnx"},
			want:  []string{"config.json", "model.safetensors", "vocab.txt"},
		},
		"shards": {
			names: []string{"config.json", "model.safetensors.index.json", "model-00001-of-00002.safetensors", "pytorch_model.bin"},
			want:  []string{"config.json", "model.safetensors.index.json"},
		},
		"pickle":     {names: []string{"config.json", "pytorch_model.bin", "spm.model"}, want: []string{"config.json", "pytorch_model.bin", "spm.model"}},
		"no config":  {names: []string{"model.safetensors"}, err: "there is no config.json"},
		"no weights": {names: []string{"config.json", "tf_model.h5"}, err: "no weights in a format that can be read"},
	} {
		got, err := Choose(tt.names)
		if d := cmp.Diff(tt.want, got); d != "" || (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
			t.Errorf("%s: %v, -want +got\n%s", name, err, d)
		}
	}
	if !IsIndex("pytorch_model.bin.index.json") || IsIndex("config.json") {
		t.Error("an index is not told from another file")
	}
}
