// Package pretrained reads and makes backbone checkpoints: a folder with config.json and
// model.safetensors in the hub's names. It knows parameters by name and shape and links
// no tensor library; package backbone builds the model from what it returns.
package pretrained

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// The model types that are implemented, as config.json names them.
const (
	ModelTypeALBERT     = "albert"
	ModelTypeBERT       = "bert"
	ModelTypeConvBERT   = "convbert"
	ModelTypeDeBERTaV2  = "deberta-v2" // DeBERTa v3 calls itself so too
	ModelTypeDistilBERT = "distilbert"
	ModelTypeELECTRA    = "electra"
	ModelTypeRoBERTa    = "roberta"
	ModelTypeXLNet      = "xlnet"
)

// Config is an encoder's config.json. A key that the file leaves out has the hub library's
// default for the model type; keys of other model types are ignored. DistilBERT and XLNet
// have other keys for the same things, which [Config.MarshalJSON] writes.
type Config struct {
	ModelType                 string
	VocabSize                 int
	EmbeddingSize             int // of the embeddings, before they are projected to HiddenSize; DeBERTa: 0, or HiddenSize where they are not
	HiddenSize                int
	NumHiddenLayers           int
	NumAttentionHeads         int
	IntermediateSize          int
	MaxPositionEmbeddings     int // 0 for XLNet, which has no bound
	TypeVocabSize             int // 0: there are no types
	HiddenAct                 string
	HiddenDropoutProb         float64 // in [0, 1)
	AttentionProbsDropoutProb float64 // in [0, 1)
	LayerNormEps              float64
	InitializerRange          float64 // standard deviation of new weights
	PadTokenID                int
	PositionEmbeddingType     string // BERT, RoBERTa, ELECTRA, ALBERT
	IsDecoder                 bool

	NumHiddenGroups int // ALBERT: so many groups of layers share their parameters among their turns
	InnerGroupNum   int // ALBERT: layers a group

	HeadRatio      int // ConvBERT: one in so many heads is kept, the rest are convolutions
	ConvKernelSize int // ConvBERT; DeBERTa: of its convolution layer, 0 for none
	NumGroups      int // ConvBERT: of the feed-forward layers' grouped linear maps

	ConvGroups           int    // DeBERTa: of its convolution layer
	ConvAct              string // DeBERTa: the convolution layer's activation
	RelativeAttention    bool   // DeBERTa
	MaxRelativePositions int    // DeBERTa; below 1: MaxPositionEmbeddings
	PositionBuckets      int    // DeBERTa: logarithmic buckets each way; below 1: none
	PosAttType           AttentionTerms
	ShareAttKey          bool   // DeBERTa: positions go through the words' projections
	PositionBiasedInput  bool   // DeBERTa: absolute positions are added to the embeddings
	NormRelEbd           string // DeBERTa: layer_norm or none
	AttentionHeadSize    int    // DeBERTa, XLNet: 0, or HiddenSize / NumAttentionHeads

	SinusoidalPosEmbds bool // DistilBERT: positions are sines, which are not trained

	AttnType string // XLNet: bi
	BiData   bool   // XLNet
	ClampLen int    // XLNet: distances count up to this; below 1: all
}

// AttentionTerms says which terms DeBERTa's attention has beside content to content.
type AttentionTerms struct {
	C2P bool // content to position
	P2C bool // position to content
}

// UnmarshalJSON reads a list of names or one string with names between bars.
func (t *AttentionTerms) UnmarshalJSON(data []byte) error {
	var names []string
	var joined string
	if err := json.Unmarshal(data, &names); err != nil {
		if json.Unmarshal(data, &joined) != nil {
			return fmt.Errorf("it is neither a list of names nor one string")
		}
		names = strings.Split(joined, "|")
	}
	*t = AttentionTerms{}
	for _, name := range names {
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "c2p":
			t.C2P = true
		case "p2c":
			t.P2C = true
		case "", "none":
		default:
			return fmt.Errorf("%q is not known; allowed: c2p, p2c", name)
		}
	}
	return nil
}

// MarshalJSON writes a list.
func (t AttentionTerms) MarshalJSON() ([]byte, error) {
	names := []string{}
	if t.P2C {
		names = append(names, "p2c")
	}
	if t.C2P {
		names = append(names, "c2p")
	}
	return json.Marshal(names)
}

// UnmarshalJSON reads config.json's keys of its model type.
func (c *Config) UnmarshalJSON(data []byte) error {
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(data, &raw); err != nil {
		return err
	}
	var modelType string
	if value, ok := raw["model_type"]; ok {
		if err := json.Unmarshal(value, &modelType); err != nil {
			return fmt.Errorf("model_type is %.40s, it must be text", value)
		}
	}
	*c = Default(modelType)
	c.ModelType = modelType
	for _, k := range keysOf(modelType) {
		value, ok := raw[k.name]
		if !ok || bytes.Equal(bytes.TrimSpace(value), []byte("null")) {
			continue
		}
		if err := json.Unmarshal(value, k.field(c)); err != nil {
			return fmt.Errorf("%s is %.40s: %w", k.name, value, err)
		}
	}
	return nil
}

// MarshalJSON writes the keys of the model type in a fixed order.
func (c Config) MarshalJSON() ([]byte, error) {
	data := []byte(`{"model_type":`)
	add := func(v any) error {
		value, err := json.Marshal(v)
		data = append(data, value...)
		return err
	}
	if err := add(c.ModelType); err != nil {
		return nil, err
	}
	for _, k := range keysOf(c.ModelType) {
		value := k.field(&c)
		if n, ok := value.(*int); ok && *n == 0 && (n == &c.AttentionHeadSize || n == &c.EmbeddingSize) {
			continue // it follows from other keys; the hub library would take the 0 as it is
		}
		data = append(data, `,"`+k.name+`":`...)
		if err := add(value); err != nil {
			return nil, fmt.Errorf("%s: %w", k.name, err)
		}
	}
	return append(data, '}'), nil
}

// LoadConfig reads and checks dir/config.json.
func LoadConfig(dir string) (Config, error) {
	path := filepath.Join(dir, "config.json")
	data, err := os.ReadFile(path)
	if err != nil {
		return Config{}, fmt.Errorf("read backbone configuration: %w", shortPathError(err, path))
	}
	var c Config
	if err := json.Unmarshal(data, &c); err != nil {
		return Config{}, fmt.Errorf("read %s: it is not a JSON object of model settings: %w", path, err)
	}
	if err := c.Validate(); err != nil {
		return Config{}, fmt.Errorf("read %s: %w", path, err)
	}
	return c, nil
}

// Positions is how many tokens a row may have.
func (c Config) Positions() int {
	switch c.ModelType {
	case ModelTypeRoBERTa: // positions count from the one after the padding token's id
		return c.MaxPositionEmbeddings - c.PadTokenID - 1
	case ModelTypeXLNet:
		return 1 << 20
	case ModelTypeDeBERTaV2:
		if !c.PositionBiasedInput { // what is farther than the span counts as its end
			return 1 << 20
		}
	}
	return c.MaxPositionEmbeddings
}

// PaddingCounts reports whether the encoder's result for a row depends on how much longer the
// longest row of its batch is: ConvBERT's convolutions see the padding.
func (c Config) PaddingCounts() bool { return c.ModelType == ModelTypeConvBERT }

// ReadsTypes reports whether the encoder tells a pair's texts apart by token types.
func (c Config) ReadsTypes() bool {
	switch c.ModelType {
	case ModelTypeXLNet:
		return true
	case ModelTypeRoBERTa, ModelTypeDistilBERT:
		return false
	}
	return c.TypeVocabSize > 0
}

// The values of position_embedding_type.
const (
	absolute         = "absolute"
	relativeKey      = "relative_key"
	relativeKeyQuery = "relative_key_query"
)

// RelativeKeys reports whether attention's queries meet a vector for how far a key is from them,
// instead of positions in the embeddings, and whether its keys do too.
func (c Config) RelativeKeys() (queries, keys bool) {
	return c.PositionEmbeddingType == relativeKey || c.PositionEmbeddingType == relativeKeyQuery, c.PositionEmbeddingType == relativeKeyQuery
}

// HeadSize is the width of an attention head.
func (c Config) HeadSize() int {
	if c.ModelType == ModelTypeConvBERT {
		return c.HiddenSize / c.AttentionHeads() / 2
	}
	return c.HiddenSize / c.NumAttentionHeads
}

// AttentionHeads is how many heads attend: ConvBERT has fewer than its configuration says.
func (c Config) AttentionHeads() int {
	if c.ModelType == ModelTypeConvBERT {
		return max(1, c.NumAttentionHeads/c.HeadRatio)
	}
	return c.NumAttentionHeads
}

// RelativeSpan is how far DeBERTa's relative positions reach each way.
func (c Config) RelativeSpan() int {
	switch {
	case c.PositionBuckets > 0:
		return c.PositionBuckets
	case c.MaxRelativePositions > 0:
		return c.MaxRelativePositions
	}
	return c.MaxPositionEmbeddings
}

// NormalizesPositions reports whether DeBERTa's relative embeddings go through a LayerNorm.
func (c Config) NormalizesPositions() bool {
	for name := range strings.SplitSeq(strings.ToLower(c.NormRelEbd), "|") {
		if strings.TrimSpace(name) == "layer_norm" {
			return true
		}
	}
	return false
}

// shortPathError names the path once, in words that a person understands.
func shortPathError(err error, path string) error {
	if os.IsNotExist(err) {
		return fmt.Errorf("%s does not exist: %w", path, fs.ErrNotExist)
	}
	return err
}
