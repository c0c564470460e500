package pretrained

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/supermax-hpo/supermax/batchjob/mapped"
	"github.com/supermax-hpo/supermax/batchjob/safetensors"
	"github.com/supermax-hpo/supermax/batchjob/torchfile"
)

// weightNames are the files that hold a backbone's parameters, in the order in which they
// are looked for. Those that end in indexSuffix name others.
var weightNames = []string{
	"model.safetensors", "model.safetensors" + indexSuffix,
	"pytorch_model.bin", "pytorch_model.bin" + indexSuffix,
}

const (
	indexSuffix = ".index.json"
	maxIndex    = 16 << 20 // bytes; a name takes about a hundred
)

// A stored is one tensor as a file holds it.
type stored struct {
	name  string
	dtype safetensors.DType
	shape []int
	path  string
	file  *mapped.File
	bytes func() ([]byte, error) // row-major, little-endian; in the mapping if it can be
}

// weightsPath returns the file of dir that names or holds the parameters.
func weightsPath(dir string) (string, error) {
	for _, name := range weightNames {
		path := filepath.Join(dir, name)
		switch _, err := os.Stat(path); {
		case err == nil:
			return path, nil
		case !errors.Is(err, fs.ErrNotExist):
			return "", err
		}
	}
	return "", fmt.Errorf("%s does not exist, nor does %s: %w", filepath.Join(dir, weightNames[0]), strings.Join(weightNames[1:], ", "), fs.ErrNotExist)
}

// weightFiles returns the paths of all files that a weights path stands for: itself, and what
// it names if it is an index.
func weightFiles(path string) ([]string, error) {
	if !strings.HasSuffix(path, indexSuffix) {
		return []string{path}, nil
	}
	index, err := readIndex(path)
	if err != nil {
		return nil, err
	}
	paths := []string{path}
	for _, name := range slices.Compact(slices.Sorted(maps.Values(index))) {
		paths = append(paths, filepath.Join(filepath.Dir(path), name))
	}
	return paths, nil
}

// openWeights maps the file, or the files of an index, and lists what they hold. Whatever it
// returns is to be closed, also after an error.
func openWeights(path string) ([]stored, []*mapped.File, error) {
	if !strings.HasSuffix(path, indexSuffix) {
		tensors, file, err := openFile(path)
		return tensors, []*mapped.File{file}, err
	}
	index, err := readIndex(path)
	if err != nil {
		return nil, nil, err
	}
	var all []stored
	var files []*mapped.File
	for _, shard := range slices.Compact(slices.Sorted(maps.Values(index))) {
		tensors, file, err := openFile(filepath.Join(filepath.Dir(path), shard))
		files = append(files, file)
		if err != nil {
			return nil, files, err
		}
		for _, t := range tensors {
			if index[t.name] != shard {
				return nil, files, fmt.Errorf("read %s: it does not say that %s holds %s", path, shard, t.name)
			}
			delete(index, t.name)
		}
		all = append(all, tensors...)
	}
	for _, name := range slices.Sorted(maps.Keys(index)) {
		return nil, files, fmt.Errorf("read %s: %s does not hold %s, as it says", path, index[name], name)
	}
	return all, files, nil
}

// shardName allows files beside the index alone.
var shardName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,127}\.(safetensors|bin)$`)

// readIndex returns which file holds each tensor.
func readIndex(path string) (map[string]string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, shortPathError(err, path)
	}
	if info.Size() > maxIndex {
		return nil, fmt.Errorf("read %s: it has %d bytes; an index has at most %d", path, info.Size(), maxIndex)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var index struct {
		WeightMap map[string]string `json:"weight_map"`
	}
	if err := json.Unmarshal(data, &index); err != nil {
		return nil, fmt.Errorf("read %s: it is not a JSON object with a weight_map: %w", path, err)
	}
	if len(index.WeightMap) == 0 {
		return nil, fmt.Errorf("read %s: its weight_map names no tensors", path)
	}
	for name, shard := range index.WeightMap {
		if !shardName.MatchString(shard) || filepath.Ext(shard) != filepath.Ext(strings.TrimSuffix(path, indexSuffix)) {
			return nil, fmt.Errorf("read %s: %.100q is to lie in %.140q, which is no file of weights beside it", path, name, shard)
		}
	}
	return index.WeightMap, nil
}

// openFile maps one file. The file that it returns is never nil.
func openFile(path string) ([]stored, *mapped.File, error) {
	file, err := mapped.Open(path)
	if err != nil {
		return nil, &mapped.File{}, shortPathError(err, path)
	}
	read := readTorch
	if strings.HasSuffix(path, ".safetensors") {
		read = readSafetensors
	}
	tensors, err := read(path, file)
	if err != nil {
		return nil, file, fmt.Errorf("read %s: %w", path, err)
	}
	return tensors, file, nil
}

func readSafetensors(path string, file *mapped.File) ([]stored, error) {
	data := file.Bytes()
	f, err := safetensors.Read(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, err
	}
	all := make([]stored, len(f.Tensors()))
	for i, info := range f.Tensors() {
		from, to := f.Span(info)
		all[i] = stored{name: info.Name, dtype: info.DType, shape: info.Shape, path: path, file: file,
			bytes: func() ([]byte, error) { return data[from:to:to], nil }}
	}
	return all, nil
}

func readTorch(path string, file *mapped.File) ([]stored, error) {
	tensors, err := torchfile.Read(file.Bytes())
	if err != nil {
		return nil, err
	}
	all := make([]stored, len(tensors))
	for i, t := range tensors {
		all[i] = stored{name: t.Name, dtype: t.DType, shape: t.Shape, path: path, file: file, bytes: t.Bytes}
	}
	return all, nil
}
