package pretrained

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// ModelTypes lists the model types that are implemented.
func ModelTypes() []string {
	return []string{ModelTypeALBERT, ModelTypeBERT, ModelTypeConvBERT, ModelTypeDeBERTaV2,
		ModelTypeDistilBERT, ModelTypeELECTRA, ModelTypeRoBERTa, ModelTypeXLNet}
}

// A bound is a number of a configuration and what is allowed of it.
type bound struct {
	key       string
	value     int
	low, high int
}

// Validate reports the first setting that no encoder of its model type can have, with its
// value and what is allowed.
func (c Config) Validate() error {
	if !slices.Contains(ModelTypes(), c.ModelType) {
		return fmt.Errorf("model_type %q is not implemented yet (implemented: %s)", c.ModelType, strings.Join(ModelTypes(), ", "))
	}
	for _, b := range c.bounds() {
		if b.value < b.low || b.value > b.high {
			return fmt.Errorf("%s is %d, allowed is %d to %d", c.keyName(b.key), b.value, b.low, b.high)
		}
	}
	if c.HiddenSize%c.NumAttentionHeads != 0 {
		return fmt.Errorf("%s %d is not a multiple of %s %d", c.keyName("hidden_size"), c.HiddenSize, c.keyName("num_attention_heads"), c.NumAttentionHeads)
	}
	type setting struct {
		key   string
		value float64
	}
	for _, p := range []setting{{"hidden_dropout_prob", c.HiddenDropoutProb}, {"attention_probs_dropout_prob", c.AttentionProbsDropoutProb}} {
		if !(p.value >= 0 && p.value < 1) {
			return fmt.Errorf("%s is %v, allowed is at least 0 and below 1", c.keyName(p.key), p.value)
		}
	}
	for _, v := range []setting{{"layer_norm_eps", c.LayerNormEps}, {"initializer_range", c.InitializerRange}} {
		if !(v.value > 0) || math.IsInf(v.value, 0) {
			return fmt.Errorf("%s is %v, it must be above 0", v.key, v.value)
		}
	}
	if allowed := c.positionEmbeddingTypes(); !slices.Contains(allowed, c.PositionEmbeddingType) {
		return fmt.Errorf("position_embedding_type %q is not implemented for %s (implemented: %s)", c.PositionEmbeddingType, c.ModelType, strings.Join(allowed, ", "))
	}
	if c.IsDecoder {
		return fmt.Errorf("is_decoder is true; only encoders can be trained")
	}
	if err := checkActivation(c.keyName("hidden_act"), c.HiddenAct); err != nil {
		return err
	}
	return c.validateOwn()
}

// positionEmbeddingTypes lists how the model type's tokens may know where they stand.
func (c Config) positionEmbeddingTypes() []string {
	switch c.ModelType {
	case ModelTypeBERT, ModelTypeRoBERTa, ModelTypeELECTRA, ModelTypeALBERT:
		return []string{absolute, relativeKey, relativeKeyQuery}
	}
	return []string{absolute}
}

// bounds returns the whole numbers of the model type.
func (c Config) bounds() []bound {
	list := []bound{
		{"vocab_size", c.VocabSize, 1, 1 << 24},
		{"hidden_size", c.HiddenSize, 1, 1 << 16},
		{"num_hidden_layers", c.NumHiddenLayers, 1, 1 << 10},
		{"num_attention_heads", c.NumAttentionHeads, 1, 1 << 10},
		{"intermediate_size", c.IntermediateSize, 1, 1 << 18},
		{"pad_token_id", c.PadTokenID, 0, c.VocabSize - 1},
	}
	add := func(key string, value, low, high int) { list = append(list, bound{key, value, low, high}) }
	if c.ModelType != ModelTypeXLNet {
		add("max_position_embeddings", c.MaxPositionEmbeddings, 2, 1<<20)
	}
	if c.ModelType == ModelTypeRoBERTa { // a row of one token needs the position after the padding's
		add("max_position_embeddings", c.MaxPositionEmbeddings, c.PadTokenID+2, 1<<20)
	}
	switch c.ModelType {
	case ModelTypeDistilBERT, ModelTypeXLNet:
	case ModelTypeDeBERTaV2:
		add("type_vocab_size", c.TypeVocabSize, 0, 1<<10)
		add("embedding_size", c.EmbeddingSize, 0, 1<<16)
		add("conv_kernel_size", c.ConvKernelSize, 0, 1<<10)
		add("conv_groups", c.ConvGroups, 1, c.HiddenSize)
		add("max_relative_positions", c.MaxRelativePositions, -1<<20, 1<<20)
		add("position_buckets", c.PositionBuckets, -1<<20, 1<<20)
	default:
		add("type_vocab_size", c.TypeVocabSize, 1, 1<<10)
	}
	switch c.ModelType {
	case ModelTypeALBERT:
		add("embedding_size", c.EmbeddingSize, 1, 1<<16)
		add("num_hidden_groups", c.NumHiddenGroups, 1, c.NumHiddenLayers)
		add("inner_group_num", c.InnerGroupNum, 1, 1<<10)
	case ModelTypeELECTRA:
		add("embedding_size", c.EmbeddingSize, 1, 1<<16)
	case ModelTypeConvBERT:
		add("embedding_size", c.EmbeddingSize, 1, 1<<16)
		add("head_ratio", c.HeadRatio, 1, 1<<10)
		add("conv_kernel_size", c.ConvKernelSize, 1, 1<<10)
		add("num_groups", c.NumGroups, 1, c.HiddenSize)
	}
	return list
}

// validateOwn checks what only one model type has.
func (c Config) validateOwn() error {
	if size := c.AttentionHeadSize; size != 0 && size != c.HiddenSize/c.NumAttentionHeads {
		return fmt.Errorf("%s is %d, allowed is %d, which is %s divided by %s", map[bool]string{true: "d_head", false: "attention_head_size"}[c.ModelType == ModelTypeXLNet],
			size, c.HiddenSize/c.NumAttentionHeads, c.keyName("hidden_size"), c.keyName("num_attention_heads"))
	}
	switch c.ModelType {
	case ModelTypeConvBERT:
		switch heads := c.AttentionHeads(); {
		case c.HiddenSize%(2*heads) != 0:
			return fmt.Errorf("hidden_size %d is not a multiple of %d, twice the heads that attend", c.HiddenSize, 2*heads)
		case c.ConvKernelSize%2 == 0:
			return fmt.Errorf("conv_kernel_size is %d, it must be odd", c.ConvKernelSize)
		case c.HiddenSize%c.NumGroups != 0 || c.IntermediateSize%c.NumGroups != 0:
			return fmt.Errorf("num_groups is %d; hidden_size %d and intermediate_size %d must be multiples of it", c.NumGroups, c.HiddenSize, c.IntermediateSize)
		}
	case ModelTypeDeBERTaV2:
		switch {
		case !c.RelativeAttention && c.PosAttType != AttentionTerms{}:
			return fmt.Errorf("pos_att_type names terms, but relative_attention is false")
		case c.ConvKernelSize > 0 && c.ConvKernelSize%2 == 0:
			return fmt.Errorf("conv_kernel_size is %d, it must be odd", c.ConvKernelSize)
		case c.HiddenSize%c.ConvGroups != 0:
			return fmt.Errorf("conv_groups is %d; hidden_size %d must be a multiple of it", c.ConvGroups, c.HiddenSize)
		case c.PositionBuckets > 0 && c.MaxRelative() <= c.PositionBuckets/2+1:
			return fmt.Errorf("position_buckets is %d, it must be below twice the %d relative positions", c.PositionBuckets, c.MaxRelative())
		}
		if c.ConvKernelSize > 0 {
			return checkActivation("conv_act", c.ConvAct)
		}
	case ModelTypeXLNet:
		switch {
		case c.AttnType != "bi":
			return fmt.Errorf("attn_type %q is not implemented (implemented: bi)", c.AttnType)
		case c.BiData:
			return fmt.Errorf("bi_data is true; only models that read one way round can be trained")
		case c.HiddenSize%2 != 0:
			return fmt.Errorf("d_model is %d, it must be even: half of the positions' code are sines", c.HiddenSize)
		}
	}
	return nil
}

// MaxRelative is the distance at which DeBERTa's logarithmic buckets end.
func (c Config) MaxRelative() int {
	if c.MaxRelativePositions > 0 {
		return c.MaxRelativePositions
	}
	return c.MaxPositionEmbeddings
}

// keyName returns the model type's own name of one of BERT's keys.
func (c Config) keyName(key string) string {
	for i, k := range commonKeys() {
		if k.name != key {
			continue
		}
		for _, own := range keysOf(c.ModelType) {
			if own.field(&c) == commonKeys()[i].field(&c) {
				return own.name
			}
		}
	}
	return key
}

// activations are the values of hidden_act that package backbone computes.
var activations = []string{"gelu", "gelu_new", "gelu_pytorch_tanh", "relu", "silu", "swish", "tanh"}

func checkActivation(key, name string) error {
	if slices.Contains(activations, name) {
		return nil
	}
	return fmt.Errorf("%s %q is not implemented (implemented: %s)", key, name, strings.Join(activations, ", "))
}
