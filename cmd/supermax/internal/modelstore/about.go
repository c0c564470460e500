package modelstore

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/supermax-hpo/supermax/batchjob/pretrained"
	"github.com/supermax-hpo/supermax/cmd/supermax/internal/mistake"
	"github.com/supermax-hpo/supermax/shared/trainmemory"
)

// About is what there is to say of a backbone without reading its weights.
type About struct {
	ModelType    string `json:"model_type"`
	Parameters   int64  `json:"parameters"`
	Layers       int    `json:"layers"`
	Hidden       int    `json:"hidden_size"`
	Intermediate int    `json:"intermediate_size"`
	Heads        int    `json:"heads"`
	Vocabulary   int    `json:"vocabulary"`
	MaxPositions int    `json:"max_positions"`
	Weights      string `json:"weights"` // the file that holds or names them
	Bytes        int64  `json:"bytes"`   // of all files
}

// Look reads a backbone's configuration and the sizes of its files.
func Look(dir string) (About, error) {
	c, err := pretrained.LoadConfig(dir)
	if err != nil {
		return About{}, mistake.Wrap(err)
	}
	files, err := pretrained.Files(dir)
	if err != nil {
		return About{}, mistake.Wrap(err)
	}
	a := About{
		ModelType: c.ModelType, Layers: c.NumHiddenLayers, Hidden: c.HiddenSize, Intermediate: c.IntermediateSize,
		Heads: c.NumAttentionHeads, Vocabulary: c.VocabSize, MaxPositions: c.MaxPositionEmbeddings,
		Parameters: int64(pretrained.Count(c)),
	}
	for _, name := range files {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			return About{}, fmt.Errorf("look at %s: %w", dir, err)
		}
		a.Bytes += info.Size()
		if a.Weights == "" && (strings.Contains(name, ".safetensors") || strings.Contains(name, ".bin")) {
			a.Weights = name
		}
	}
	return a, nil
}

// Memory estimates what a training step needs.
func (a About) Memory(step trainmemory.Step) (trainmemory.Need, error) {
	m := trainmemory.Model{
		Type: a.ModelType, Parameters: a.Parameters, Layers: a.Layers, Hidden: a.Hidden,
		Intermediate: a.Intermediate, Heads: a.Heads,
	}
	if err := trainmemory.Check(m, step); err != nil {
		return trainmemory.Need{}, mistake.Wrap(err)
	}
	return trainmemory.Of(m, step), nil
}
