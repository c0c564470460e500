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
	put := func(name string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	put("config.json")
	put("pytorch_model.bin")
	if files, err := Files(dir); err == nil || !strings.Contains(err.Error(), "model.safetensors does not exist") {
		t.Errorf("without weights: %v, %v", files, err)
	}
	put("model.safetensors")
	put("vocab.txt")
	put("README.md")
	files, err := Files(dir)
	if d := cmp.Diff([]string{"config.json", "model.safetensors", "vocab.txt"}, files); d != "" || err != nil {
		t.Errorf("%v: -want +got\n%s", err, d)
	}
	if err := os.Symlink("tokenizer.json", filepath.Join(dir, "tokenizer.json")); err != nil { // to itself
		t.Fatal(err)
	}
	if files, err := Files(dir); err == nil {
		t.Errorf("a file that cannot be looked at: %v", files)
	}
}
