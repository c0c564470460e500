package pretrained

import "slices"

// A key is a setting's name in config.json and its place in a [Config].
type key struct {
	name  string
	field func(*Config) any // a pointer
}

// commonKeys are those of BERT, which the others take over but for what they name otherwise.
func commonKeys() []key {
	return []key{
		{"vocab_size", func(c *Config) any { return &c.VocabSize }},
		{"hidden_size", func(c *Config) any { return &c.HiddenSize }},
		{"num_hidden_layers", func(c *Config) any { return &c.NumHiddenLayers }},
		{"num_attention_heads", func(c *Config) any { return &c.NumAttentionHeads }},
		{"intermediate_size", func(c *Config) any { return &c.IntermediateSize }},
		{"max_position_embeddings", func(c *Config) any { return &c.MaxPositionEmbeddings }},
		{"type_vocab_size", func(c *Config) any { return &c.TypeVocabSize }},
		{"hidden_act", func(c *Config) any { return &c.HiddenAct }},
		{"hidden_dropout_prob", func(c *Config) any { return &c.HiddenDropoutProb }},
		{"attention_probs_dropout_prob", func(c *Config) any { return &c.AttentionProbsDropoutProb }},
		{"layer_norm_eps", func(c *Config) any { return &c.LayerNormEps }},
		{"initializer_range", func(c *Config) any { return &c.InitializerRange }},
		{"pad_token_id", func(c *Config) any { return &c.PadTokenID }},
		{"position_embedding_type", func(c *Config) any { return &c.PositionEmbeddingType }},
		{"is_decoder", func(c *Config) any { return &c.IsDecoder }},
	}
}

// keysOf returns the keys of a model type, none if it is not known.
func keysOf(modelType string) []key {
	embeddingSize := key{"embedding_size", func(c *Config) any { return &c.EmbeddingSize }}
	convKernelSize := key{"conv_kernel_size", func(c *Config) any { return &c.ConvKernelSize }}
	switch modelType {
	case ModelTypeBERT, ModelTypeRoBERTa:
		return commonKeys()
	case ModelTypeELECTRA:
		return append(commonKeys(), embeddingSize)
	case ModelTypeALBERT:
		return append(commonKeys(), embeddingSize,
			key{"num_hidden_groups", func(c *Config) any { return &c.NumHiddenGroups }},
			key{"inner_group_num", func(c *Config) any { return &c.InnerGroupNum }})
	case ModelTypeConvBERT:
		return append(commonKeys(), embeddingSize, convKernelSize,
			key{"head_ratio", func(c *Config) any { return &c.HeadRatio }},
			key{"num_groups", func(c *Config) any { return &c.NumGroups }})
	case ModelTypeDeBERTaV2:
		return append(commonKeys(), embeddingSize, convKernelSize,
			key{"conv_groups", func(c *Config) any { return &c.ConvGroups }},
			key{"conv_act", func(c *Config) any { return &c.ConvAct }},
			key{"relative_attention", func(c *Config) any { return &c.RelativeAttention }},
			key{"max_relative_positions", func(c *Config) any { return &c.MaxRelativePositions }},
			key{"position_buckets", func(c *Config) any { return &c.PositionBuckets }},
			key{"pos_att_type", func(c *Config) any { return &c.PosAttType }},
			key{"share_att_key", func(c *Config) any { return &c.ShareAttKey }},
			key{"position_biased_input", func(c *Config) any { return &c.PositionBiasedInput }},
			key{"norm_rel_ebd", func(c *Config) any { return &c.NormRelEbd }},
			key{"attention_head_size", func(c *Config) any { return &c.AttentionHeadSize }})
	case ModelTypeDistilBERT:
		return append(renamed(map[string]string{"hidden_size": "dim", "num_hidden_layers": "n_layers", "num_attention_heads": "n_heads",
			"intermediate_size": "hidden_dim", "hidden_act": "activation", "hidden_dropout_prob": "dropout",
			"attention_probs_dropout_prob": "attention_dropout"}, "type_vocab_size", "layer_norm_eps", "position_embedding_type", "is_decoder"),
			key{"sinusoidal_pos_embds", func(c *Config) any { return &c.SinusoidalPosEmbds }})
	case ModelTypeXLNet:
		return append(renamed(map[string]string{"hidden_size": "d_model", "num_hidden_layers": "n_layer", "num_attention_heads": "n_head",
			"intermediate_size": "d_inner", "hidden_act": "ff_activation", "hidden_dropout_prob": "dropout"},
			"type_vocab_size", "max_position_embeddings", "attention_probs_dropout_prob", "position_embedding_type", "is_decoder"),
			key{"d_head", func(c *Config) any { return &c.AttentionHeadSize }},
			key{"attn_type", func(c *Config) any { return &c.AttnType }},
			key{"bi_data", func(c *Config) any { return &c.BiData }},
			key{"clamp_len", func(c *Config) any { return &c.ClampLen }})
	}
	return nil
}

// renamed returns the common keys under other names, without those that the type has not.
func renamed(names map[string]string, without ...string) []key {
	var keys []key
	for _, k := range commonKeys() {
		if slices.Contains(without, k.name) {
			continue
		}
		if name, ok := names[k.name]; ok {
			k.name = name
		}
		keys = append(keys, k)
	}
	return keys
}

// DefaultConfig is bert-base-uncased, the hub library's default.
func DefaultConfig() Config { return Default(ModelTypeBERT) }

// Default returns the hub library's defaults of a model type; those of BERT for one that is
// not known.
func Default(modelType string) Config {
	c := Config{
		ModelType: ModelTypeBERT, VocabSize: 30522, HiddenSize: 768, NumHiddenLayers: 12,
		NumAttentionHeads: 12, IntermediateSize: 3072, MaxPositionEmbeddings: 512,
		TypeVocabSize: 2, HiddenAct: "gelu", HiddenDropoutProb: 0.1,
		AttentionProbsDropoutProb: 0.1, LayerNormEps: 1e-12, InitializerRange: 0.02,
		PositionEmbeddingType: absolute,
	}
	switch modelType {
	case ModelTypeRoBERTa:
		c.VocabSize, c.PadTokenID = 50265, 1
	case ModelTypeELECTRA:
		c.EmbeddingSize, c.HiddenSize, c.NumAttentionHeads, c.IntermediateSize = 128, 256, 4, 1024
	case ModelTypeALBERT:
		c.VocabSize, c.EmbeddingSize, c.HiddenSize, c.NumAttentionHeads, c.IntermediateSize = 30000, 128, 4096, 64, 16384
		c.HiddenAct, c.HiddenDropoutProb, c.AttentionProbsDropoutProb = "gelu_new", 0, 0
		c.NumHiddenGroups, c.InnerGroupNum = 1, 1
	case ModelTypeConvBERT:
		c.EmbeddingSize, c.HeadRatio, c.ConvKernelSize, c.NumGroups, c.PadTokenID = 768, 2, 9, 1, 1
	case ModelTypeDeBERTaV2:
		c.VocabSize, c.HiddenSize, c.NumHiddenLayers, c.NumAttentionHeads, c.IntermediateSize = 128100, 1536, 24, 24, 6144
		c.TypeVocabSize, c.LayerNormEps = 0, 1e-7
		c.MaxRelativePositions, c.PositionBuckets, c.PositionBiasedInput, c.NormRelEbd = -1, -1, true, "none"
		c.ConvGroups, c.ConvAct = 1, "tanh"
	case ModelTypeDistilBERT:
		c.NumHiddenLayers, c.TypeVocabSize = 6, 0
	case ModelTypeXLNet:
		c.VocabSize, c.HiddenSize, c.NumHiddenLayers, c.NumAttentionHeads, c.IntermediateSize = 32000, 1024, 24, 16, 4096
		c.MaxPositionEmbeddings, c.TypeVocabSize, c.AttentionProbsDropoutProb = 0, 0, 0
		c.PadTokenID, c.AttnType, c.ClampLen = 5, "bi", -1
	case ModelTypeBERT:
	default:
		return c
	}
	c.ModelType = modelType
	return c
}
