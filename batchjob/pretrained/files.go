package pretrained

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

const configName = "config.json"

// tokenizerNames are the files that may say how a backbone reads text.
var tokenizerNames = []string{
	"vocab.txt", "vocab.json", "merges.txt", "spiece.model", "spm.model",
	"tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json",
}

// Files returns the names of the files in dir that a backbone consists of, whatever else
// lies there: its configuration, the weights that [Load] would read with all their shards,
// and its tokenizer's files. Of these it looks into an index alone.
func Files(dir string) ([]string, error) {
	if _, err := os.Stat(filepath.Join(dir, configName)); err != nil {
		return nil, fmt.Errorf("list backbone: %w", shortPathError(err, filepath.Join(dir, configName)))
	}
	path, err := weightsPath(dir)
	if err != nil {
		return nil, fmt.Errorf("list backbone: %w", err)
	}
	paths, err := weightFiles(path)
	if err != nil {
		return nil, fmt.Errorf("list backbone: %w", err)
	}
	files := []string{configName}
	for _, path := range paths {
		if _, err := os.Stat(path); err != nil {
			return nil, fmt.Errorf("list backbone: %w", shortPathError(err, path))
		}
		files = append(files, filepath.Base(path))
	}
	for _, name := range tokenizerNames {
		switch _, err := os.Stat(filepath.Join(dir, name)); {
		case err == nil:
			files = append(files, name)
		case !errors.Is(err, fs.ErrNotExist):
			return nil, fmt.Errorf("list backbone: %w", err)
		}
	}
	return files, nil
}

// Choose returns which of the names of a repository's files a backbone consists of, by the
// rules of [Files]: configuration, weights in the first format that is there, tokenizer. Of
// weights in shards it names the index alone; [Shards] says what that names. The error names
// what is lacking.
func Choose(names []string) ([]string, error) {
	there := map[string]bool{}
	for _, name := range names {
		there[name] = true
	}
	if !there[configName] {
		return nil, fmt.Errorf("there is no %s", configName)
	}
	chosen := []string{configName}
	for _, name := range weightNames {
		if there[name] {
			chosen = append(chosen, name)
			break
		}
	}
	if len(chosen) == 1 {
		return nil, fmt.Errorf("there are no weights in a format that can be read (%s)", strings.Join(weightNames, ", "))
	}
	for _, name := range tokenizerNames {
		if there[name] {
			chosen = append(chosen, name)
		}
	}
	return chosen, nil
}

// IsIndex reports whether a file names the shards of weights.
func IsIndex(name string) bool { return strings.HasSuffix(name, indexSuffix) }

// Shards returns the names of the files, beside the index at path, that hold the weights.
func Shards(path string) ([]string, error) {
	paths, err := weightFiles(path)
	if err != nil {
		return nil, err
	}
	names := make([]string, 0, len(paths)-1)
	for _, p := range paths[1:] {
		names = append(names, filepath.Base(p))
	}
	return names, nil
}
