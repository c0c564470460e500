// Package modelcard reads configs/model/*.yaml: what is known of each backbone that the search
// space names, before it is downloaded.
package modelcard

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/supermax-hpo/supermax/configs"
	"github.com/supermax-hpo/supermax/shared/trainmemory"
)

// version is the version of the cards' form.
const version = 1

// The formats in which the hub has weights.
const (
	Safetensors = "safetensors"
	PyTorch     = "pytorch" // a pickle, pytorch_model.bin
)

// Lengths and Cards are for which the largest batches are given: tokens, and GB of 10^9 bytes.
var (
	Lengths = []int{128, 256, 384, 512}
	Cards   = []int{16, 24, 40}
)

// optimizers are the choices of optim.name.
var optimizers = []string{"adamw", "adam", "adafactor", "lion", "lamb", "adamw_8bit"}

// A Card describes one backbone.
type Card struct {
	Version          int    `yaml:"version"`
	Name             string `yaml:"name"`       // on the hub, and in the search space
	ModelType        string `yaml:"model_type"` // in its config.json
	Paper            string `yaml:"paper"`
	Parameters       int64  `yaml:"parameters"` // of the encoder without heads, with its pooler
	HiddenSize       int    `yaml:"hidden_size"`
	Layers           int    `yaml:"layers"`
	Heads            int    `yaml:"heads"`
	IntermediateSize int    `yaml:"intermediate_size"`
	ConvKernel       int    `yaml:"conv_kernel,omitempty"` // ConvBERT: tokens
	MaxPositions     int    `yaml:"max_positions"`         // the longest input in tokens; 0: no limit
	Weights          string `yaml:"weights"`               // Safetensors or PyTorch
	Checkpointing    bool   `yaml:"gradient_checkpointing"`
	// LargestBatch is trainmemory's by card and length, in float32, without and with gradient
	// checkpointing; 0: not even one.
	LargestBatch struct {
		Plain         map[int]map[int]int `yaml:"plain"`
		Checkpointing map[int]map[int]int `yaml:"checkpointing"`
	} `yaml:"largest_batch"`
	// Optimizers are notes by optim.name: what is known to go well or badly together.
	Optimizers map[string]string `yaml:"optimizers"`
}

// Memory is the card as package trainmemory wants it.
func (c *Card) Memory() trainmemory.Model {
	return trainmemory.Model{
		Type: c.ModelType, Parameters: c.Parameters, Layers: c.Layers, Hidden: c.HiddenSize,
		Intermediate: c.IntermediateSize, Heads: c.Heads, ConvKernel: c.ConvKernel,
	}
}

// Load reads the cards that come with the program, in the order of their names.
func Load() ([]*Card, error) { return load(configs.Models) }

func load(files fs.FS) ([]*Card, error) {
	names, err := fs.Glob(files, "model/*.yaml")
	if err != nil {
		return nil, err
	}
	var cards []*Card
	for _, name := range names {
		data, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, fmt.Errorf("read the model cards: %w", err)
		}
		c := new(Card)
		if err := yaml.UnmarshalWithOptions(data, c, yaml.Strict()); err != nil {
			return nil, fmt.Errorf("read configs/%s: %w", name, err)
		}
		if err := c.check(path.Base(name)); err != nil {
			return nil, fmt.Errorf("read configs/%s: %w", name, err)
		}
		cards = append(cards, c)
	}
	if len(cards) == 0 {
		return nil, errors.New("read the model cards: there are none in configs/model")
	}
	slices.SortFunc(cards, func(a, b *Card) int { return strings.Compare(a.Name, b.Name) })
	return cards, nil
}

// check refuses what no backbone can have, by the key's name.
func (c *Card) check(file string) error {
	if c.Version != version {
		return fmt.Errorf("version is %d, known is %d", c.Version, version)
	}
	if want := path.Base(c.Name) + ".yaml"; c.Name == "" || file != want {
		return fmt.Errorf("name is %q, so the file's name must be %s", c.Name, want)
	}
	for _, v := range []struct {
		key       string
		value     int64
		low, high int64
	}{
		{"parameters", c.Parameters, 1, 1 << 36}, {"hidden_size", int64(c.HiddenSize), 1, 1 << 16},
		{"layers", int64(c.Layers), 1, 1 << 10}, {"heads", int64(c.Heads), 1, int64(c.HiddenSize)},
		{"intermediate_size", int64(c.IntermediateSize), 1, 1 << 18}, {"max_positions", int64(c.MaxPositions), 0, 1 << 20},
		{"conv_kernel", int64(c.ConvKernel), 0, 1 << 10},
	} {
		if v.value < v.low || v.value > v.high {
			return fmt.Errorf("%s is %d, allowed is %d to %d", v.key, v.value, v.low, v.high)
		}
	}
	if c.HiddenSize%c.Heads != 0 {
		return fmt.Errorf("hidden_size %d is not a multiple of heads %d", c.HiddenSize, c.Heads)
	}
	if c.ModelType == "" || c.Paper == "" {
		return errors.New("model_type and paper must be given")
	}
	if c.Weights != Safetensors && c.Weights != PyTorch {
		return fmt.Errorf("weights is %q, allowed is %s or %s", c.Weights, Safetensors, PyTorch)
	}
	for key, batches := range map[string]map[int]map[int]int{"plain": c.LargestBatch.Plain, "checkpointing": c.LargestBatch.Checkpointing} {
		if err := checkBatches(batches); err != nil {
			return fmt.Errorf("largest_batch.%s: %w", key, err)
		}
	}
	for name, note := range c.Optimizers {
		if !slices.Contains(optimizers, name) || note == "" || strings.ContainsAny(note, "|\n") {
			return fmt.Errorf("optimizers.%s is not one line about one of %s", name, strings.Join(optimizers, ", "))
		}
	}
	return nil
}

// checkBatches wants a number for each card and length.
func checkBatches(batches map[int]map[int]int) error {
	if len(batches) != len(Cards) {
		return fmt.Errorf("it has %d cards; those of %v GB are wanted", len(batches), Cards)
	}
	for _, gigabytes := range Cards {
		if len(batches[gigabytes]) != len(Lengths) {
			return fmt.Errorf("%d GB: it has %d lengths; %v are wanted", gigabytes, len(batches[gigabytes]), Lengths)
		}
		for _, length := range Lengths {
			if batch, ok := batches[gigabytes][length]; !ok || batch < 0 {
				return fmt.Errorf("%d GB, length %d: a batch size of 0 or more is wanted", gigabytes, length)
			}
		}
	}
	return nil
}
