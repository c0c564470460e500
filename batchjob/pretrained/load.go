package pretrained

import (
	"bufio"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/supermax-hpo/supermax/batchjob/safetensors"
)

// A Param is one parameter's values, row-major.
type Param struct {
	Name  string // as in [Params]
	Shape []int
	Data  []float32
}

// Weights are a checked checkpoint: every parameter of its architecture that the file
// holds, in the order of [Params].
type Weights struct {
	Config Config
	Params []Param
}

// Find returns the parameter of that name.
func (w *Weights) Find(name string) (Param, bool) {
	i := slices.IndexFunc(w.Params, func(p Param) bool { return p.Name == name })
	if i < 0 {
		return Param{}, false
	}
	return w.Params[i], true
}

// Load reads dir/config.json and dir/model.safetensors, and checks every parameter's
// name, shape and finiteness, and the vocabulary's size against dir/vocab.txt when that
// is there. Its error lists everything that is missing, unexpected or of another shape.
func Load(dir string) (*Weights, error) {
	c, err := LoadConfig(dir)
	if err != nil {
		return nil, err
	}
	if err := checkVocabulary(dir, c); err != nil {
		return nil, err
	}
	return LoadFile(filepath.Join(dir, "model.safetensors"), c)
}

// LoadFile is [Load] for one weights file of a known configuration.
func LoadFile(path string, c Config) (*Weights, error) {
	r, err := os.Open(path)
	if err != nil {
		if pickle := filepath.Join(filepath.Dir(path), "pytorch_model.bin"); os.IsNotExist(err) && exists(pickle) {
			return nil, fmt.Errorf("load backbone: %s does not exist, and %s is a pickle, which runs code when it is read: convert it to safetensors", path, pickle)
		}
		return nil, fmt.Errorf("load backbone: %w", shortPathError(err, path))
	}
	defer func() { _ = r.Close() }() // opened for reading only
	stat, err := r.Stat()
	if err != nil {
		return nil, fmt.Errorf("load backbone: %w", err)
	}
	f, err := safetensors.Read(r, stat.Size())
	if err != nil {
		return nil, fmt.Errorf("load %s: %w", path, err)
	}
	w, err := assemble(f, c)
	if err != nil {
		return nil, fmt.Errorf("load %s: %w", path, err)
	}
	return w, nil
}

// assemble matches the file's tensors with the architecture's parameters.
func assemble(f *safetensors.File, c Config) (*Weights, error) {
	specs := Params(c)
	stored := map[string]string{} // canonical name → name in the file
	var problems mismatch
	for _, info := range f.Tensors() {
		name := canonical(c, info.Name)
		if ignored(c, name) {
			continue
		}
		if first, twice := stored[name]; twice {
			problems.twice = append(problems.twice, fmt.Sprintf("%s and %s", first, info.Name))
			continue
		}
		stored[name] = info.Name
		i := slices.IndexFunc(specs, func(s Spec) bool { return s.Name == name })
		switch {
		case i < 0:
			problems.unexpected = append(problems.unexpected, info.Name)
		case !slices.Equal(specs[i].Shape, info.Shape):
			problems.shape = append(problems.shape, fmt.Sprintf("%s is %v instead of %v", info.Name, info.Shape, specs[i].Shape))
		}
	}
	for _, s := range specs {
		if _, ok := stored[s.Name]; !ok && !s.Optional {
			problems.missing = append(problems.missing, s.Name)
		}
	}
	if err := problems.err(); err != nil {
		return nil, err
	}
	w := &Weights{Config: c}
	for _, s := range specs {
		from, ok := stored[s.Name]
		if !ok {
			continue
		}
		data, err := f.Float32s(from)
		if err != nil {
			return nil, err
		}
		for i, v := range data {
			if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
				return nil, fmt.Errorf("parameter %s holds %v at element %d; the file is damaged", from, v, i)
			}
		}
		w.Params = append(w.Params, Param{Name: s.Name, Shape: s.Shape, Data: data})
	}
	return w, nil
}

// mismatch collects what a checkpoint and its configuration disagree about.
type mismatch struct{ missing, unexpected, shape, twice []string }

func (m mismatch) err() error {
	var parts []string
	for _, p := range []struct {
		what  string
		names []string
	}{
		{"missing", m.missing}, {"unexpected", m.unexpected}, {"of another shape", m.shape}, {"given twice", m.twice},
	} {
		if len(p.names) > 0 {
			slices.Sort(p.names)
			parts = append(parts, fmt.Sprintf("%d %s (%s)", len(p.names), p.what, strings.Join(p.names, ", ")))
		}
	}
	if parts == nil {
		return nil
	}
	return fmt.Errorf("its parameters do not fit config.json: %s", strings.Join(parts, "; "))
}

// checkVocabulary compares vocab_size with the lines of vocab.txt. A folder without
// vocab.txt is left to the tokenizer.
func checkVocabulary(dir string, c Config) error {
	path := filepath.Join(dir, "vocab.txt")
	f, err := os.Open(path)
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read vocabulary: %w", err)
	}
	defer func() { _ = f.Close() }() // opened for reading only
	lines := 0
	for s := bufio.NewScanner(f); ; lines++ {
		if !s.Scan() {
			if err := s.Err(); err != nil {
				return fmt.Errorf("read %s: line %d: %w", path, lines+1, err)
			}
			break
		}
	}
	if lines != c.VocabSize {
		return fmt.Errorf("%s has %d tokens, but vocab_size in config.json is %d; they must be equal", path, lines, c.VocabSize)
	}
	return nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
