package pretrained

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unsafe"

	"github.com/supermax-hpo/supermax/batchjob/mapped"
)

// A Param is one parameter's values, row-major.
type Param struct {
	Name  string // as in [Params]
	Shape []int
	Data  []float32
}

// Weights are a checked checkpoint: every parameter of its architecture that the files hold,
// in the order of [Params]. Values lie in mapped files where these have them as float32;
// see [Weights.Release] and [Weights.Close].
type Weights struct {
	Config Config
	Params []Param

	files []*mapped.File // that Params lie in
}

// Find returns the parameter of that name.
func (w *Weights) Find(name string) (Param, bool) {
	i := slices.IndexFunc(w.Params, func(p Param) bool { return p.Name == name })
	if i < 0 {
		return Param{}, false
	}
	return w.Params[i], true
}

// Load reads dir/config.json and the weights beside it: model.safetensors, else its shards by
// model.safetensors.index.json, else pytorch_model.bin, else its shards. It checks every
// parameter's name, shape and finiteness, and the vocabulary's size against dir/vocab.txt
// when that is there. Its error lists everything that is missing, unexpected or of another
// shape.
func Load(dir string) (*Weights, error) {
	c, err := LoadConfig(dir)
	if err != nil {
		return nil, err
	}
	if err := checkVocabulary(dir, c); err != nil {
		return nil, err
	}
	path, err := weightsPath(dir)
	if err != nil {
		return nil, fmt.Errorf("load backbone: %w", err)
	}
	return LoadFile(path, c)
}

// LoadFile is [Load] for one weights file, or one index of such files, of a known
// configuration. The name says which: it ends in .safetensors, .index.json, or another way,
// as what torch.save writes.
func LoadFile(path string, c Config) (*Weights, error) {
	tensors, files, err := openWeights(path)
	var w *Weights
	if err == nil {
		if w, err = assemble(path, tensors, c); err == nil {
			w.files = slices.DeleteFunc(files, func(f *mapped.File) bool { return !w.liesIn(f) && f.Close() == nil })
			return w, nil
		}
	}
	_ = closeAll(files) // the first error counts
	return nil, fmt.Errorf("load backbone: %w", err)
}

// liesIn reports whether a parameter's values are in the file's mapping.
func (w *Weights) liesIn(f *mapped.File) bool {
	return slices.ContainsFunc(w.Params, func(p Param) bool { return len(p.Data) > 0 && f.Holds(unsafe.Pointer(&p.Data[0])) })
}

// assemble matches the stored tensors with the architecture's parameters and reads those.
func assemble(path string, tensors []stored, c Config) (*Weights, error) {
	specs := Params(c)
	byName := make(map[string]Spec, len(specs))
	for _, s := range specs {
		byName[s.Name] = s
	}
	found := map[string]stored{} // by canonical name
	var problems mismatch
	for _, t := range tensors {
		name := canonical(c, t.name)
		if ignored(c, name) {
			continue
		}
		if first, twice := found[name]; twice {
			same, err := equal(first, t)
			if err != nil {
				return nil, err
			}
			if !same {
				problems.twice = append(problems.twice, fmt.Sprintf("%s and %s", first.name, t.name))
			}
			continue
		}
		found[name] = t
		switch s, known := byName[name]; {
		case !known:
			problems.unexpected = append(problems.unexpected, t.name)
		case !slices.Equal(s.Shape, t.shape):
			problems.shape = append(problems.shape, fmt.Sprintf("%s is %v instead of %v", t.name, t.shape, s.Shape))
		}
	}
	for _, s := range specs {
		if _, ok := found[s.Name]; !ok && !s.Optional {
			problems.missing = append(problems.missing, s.Name)
		}
	}
	if err := problems.err(); err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	w := &Weights{Config: c}
	for _, s := range specs {
		t, ok := found[s.Name]
		if !ok {
			continue
		}
		data, err := t.values()
		if err != nil {
			return nil, err
		}
		w.Params = append(w.Params, Param{Name: s.Name, Shape: s.Shape, Data: data})
	}
	return w, nil
}

// equal reports whether two tensors are one that a checkpoint has under two names: tied
// weights are stored so by torch.save, with one storage, and by others as copies.
func equal(a, b stored) (bool, error) {
	if a.dtype != b.dtype || !slices.Equal(a.shape, b.shape) {
		return false, nil
	}
	x, err := a.raw()
	if err != nil {
		return false, err
	}
	y, err := b.raw()
	if err != nil {
		return false, err
	}
	same := bytes.Equal(x, y)
	if err := release(a.file, x); err != nil {
		return false, err
	}
	return same, release(b.file, y)
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
