package pretrained

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// required and optional are the files that say what a backbone computes.
var (
	required = []string{"config.json", "model.safetensors"}
	optional = []string{"vocab.txt", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"}
)

// Files returns the names of the files in dir that a backbone consists of, whatever else
// lies there. It does not look into them.
func Files(dir string) ([]string, error) {
	for _, name := range required {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			return nil, fmt.Errorf("list backbone: %w", shortPathError(err, filepath.Join(dir, name)))
		}
	}
	files := append([]string(nil), required...)
	for _, name := range optional {
		switch _, err := os.Stat(filepath.Join(dir, name)); {
		case err == nil:
			files = append(files, name)
		case !errors.Is(err, fs.ErrNotExist):
			return nil, fmt.Errorf("list backbone: %w", err)
		}
	}
	return files, nil
}
