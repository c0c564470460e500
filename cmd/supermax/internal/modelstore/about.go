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
	ConvKernel   int    `json:"conv_kernel,omitempty"`        // ConvBERT: of its convolutions, in tokens
	Relative     bool   `json:"relative_positions,omitempty"` // BERT and its like: attention adds what relative positions say
	MaxPositions int    `json:"max_positions"`                // tokens a row; 0: no limit
	Weights      string `json:"weights"`                      // the file that holds or names them
	Bytes        int64  `json:"bytes"`                        // of all files
}

// unlimited is what [pretrained.Config.Positions] says where there is no bound.
const unlimited = 1 << 20

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
		Heads: c.NumAttentionHeads, Vocabulary: c.VocabSize,
		Parameters: int64(pretrained.Count(c)),
	}
	a.Relative, _ = c.RelativeKeys()
	if n := c.Positions(); n < unlimited {
		a.MaxPositions = n
	}
	if c.ModelType == pretrained.ModelTypeConvBERT {
		a.ConvKernel = c.ConvKernelSize
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
		Intermediate: a.Intermediate, Heads: a.Heads, ConvKernel: a.ConvKernel, Relative: a.Relative,
	}
	if err := trainmemory.Check(m, step); err != nil {
		return trainmemory.Need{}, mistake.Wrap(err)
	}
	return trainmemory.Of(m, step), nil
}
