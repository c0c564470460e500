// Package pretrained reads and makes backbone checkpoints: a folder with config.json and
// model.safetensors in the hub's names. It knows parameters by name and shape and links
// no tensor library; package backbone builds the model from what it returns.
package pretrained

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
)

// Config is a BERT encoder's config.json. A key that the file leaves out has the hub
// library's default for BERT.
type Config struct {
	ModelType                 string  `json:"model_type"`
	VocabSize                 int     `json:"vocab_size"`
	HiddenSize                int     `json:"hidden_size"`
	NumHiddenLayers           int     `json:"num_hidden_layers"`
	NumAttentionHeads         int     `json:"num_attention_heads"`
	IntermediateSize          int     `json:"intermediate_size"`
	MaxPositionEmbeddings     int     `json:"max_position_embeddings"`
	TypeVocabSize             int     `json:"type_vocab_size"`
	HiddenAct                 string  `json:"hidden_act"`
	HiddenDropoutProb         float64 `json:"hidden_dropout_prob"`          // in [0, 1)
	AttentionProbsDropoutProb float64 `json:"attention_probs_dropout_prob"` // in [0, 1)
	LayerNormEps              float64 `json:"layer_norm_eps"`
	InitializerRange          float64 `json:"initializer_range"` // standard deviation of new weights
	PadTokenID                int     `json:"pad_token_id"`
	PositionEmbeddingType     string  `json:"position_embedding_type"`
	IsDecoder                 bool    `json:"is_decoder,omitempty"`
}

// ModelTypeBERT is the only model_type that this version trains.
const ModelTypeBERT = "bert"

// DefaultConfig is bert-base-uncased, the hub library's default.
func DefaultConfig() Config {
	return Config{
		ModelType: ModelTypeBERT, VocabSize: 30522, HiddenSize: 768, NumHiddenLayers: 12,
		NumAttentionHeads: 12, IntermediateSize: 3072, MaxPositionEmbeddings: 512,
		TypeVocabSize: 2, HiddenAct: "gelu", HiddenDropoutProb: 0.1,
		AttentionProbsDropoutProb: 0.1, LayerNormEps: 1e-12, InitializerRange: 0.02,
		PositionEmbeddingType: "absolute",
	}
}

// LoadConfig reads and checks dir/config.json.
func LoadConfig(dir string) (Config, error) {
	path := filepath.Join(dir, "config.json")
	data, err := os.ReadFile(path)
	if err != nil {
		return Config{}, fmt.Errorf("read backbone configuration: %w", shortPathError(err, path))
	}
	c := DefaultConfig()
	c.ModelType = ""
	if err := json.Unmarshal(data, &c); err != nil {
		return Config{}, fmt.Errorf("read %s: it is not a JSON object of model settings: %w", path, err)
	}
	if err := c.Validate(); err != nil {
		return Config{}, fmt.Errorf("read %s: %w", path, err)
	}
	return c, nil
}

// Validate reports the first setting that no BERT encoder of this version can have, with
// its value and what is allowed.
func (c Config) Validate() error {
	if c.ModelType != ModelTypeBERT {
		return fmt.Errorf("model_type %q is not implemented yet (implemented: %s)", c.ModelType, ModelTypeBERT)
	}
	for _, n := range []struct {
		key   string
		value int
		low   int
		high  int
	}{
		{"vocab_size", c.VocabSize, 1, 1 << 24},
		{"hidden_size", c.HiddenSize, 1, 1 << 16},
		{"num_hidden_layers", c.NumHiddenLayers, 1, 1 << 10},
		{"num_attention_heads", c.NumAttentionHeads, 1, 1 << 10},
		{"intermediate_size", c.IntermediateSize, 1, 1 << 18},
		{"max_position_embeddings", c.MaxPositionEmbeddings, 2, 1 << 20},
		{"type_vocab_size", c.TypeVocabSize, 1, 1 << 10},
		{"pad_token_id", c.PadTokenID, 0, c.VocabSize - 1},
	} {
		if n.value < n.low || n.value > n.high {
			return fmt.Errorf("%s is %d, allowed is %d to %d", n.key, n.value, n.low, n.high)
		}
	}
	if c.HiddenSize%c.NumAttentionHeads != 0 {
		return fmt.Errorf("hidden_size %d is not a multiple of num_attention_heads %d", c.HiddenSize, c.NumAttentionHeads)
	}
	type setting struct {
		key   string
		value float64
	}
	for _, p := range []setting{{"hidden_dropout_prob", c.HiddenDropoutProb}, {"attention_probs_dropout_prob", c.AttentionProbsDropoutProb}} {
		if !(p.value >= 0 && p.value < 1) {
			return fmt.Errorf("%s is %v, allowed is at least 0 and below 1", p.key, p.value)
		}
	}
	for _, v := range []setting{{"layer_norm_eps", c.LayerNormEps}, {"initializer_range", c.InitializerRange}} {
		if !(v.value > 0) || math.IsInf(v.value, 0) {
			return fmt.Errorf("%s is %v, it must be above 0", v.key, v.value)
		}
	}
	if c.PositionEmbeddingType != "absolute" {
		return fmt.Errorf("position_embedding_type %q is not implemented (implemented: absolute)", c.PositionEmbeddingType)
	}
	if c.IsDecoder {
		return fmt.Errorf("is_decoder is true; only encoders can be trained")
	}
	return checkActivation(c.HiddenAct)
}

// activations are the values of hidden_act that package backbone computes.
var activations = []string{"gelu", "gelu_new", "gelu_pytorch_tanh", "relu", "silu", "swish", "tanh"}

func checkActivation(name string) error {
	for _, a := range activations {
		if a == name {
			return nil
		}
	}
	return fmt.Errorf("hidden_act %q is not implemented (implemented: %s)", name, strings.Join(activations, ", "))
}

// shortPathError names the path once, in words that a person understands.
func shortPathError(err error, path string) error {
	if os.IsNotExist(err) {
		return fmt.Errorf("%s does not exist: %w", path, fs.ErrNotExist)
	}
	return err
}
