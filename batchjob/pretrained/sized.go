package pretrained

// Sizes are what a model of any type may be made in.
type Sizes struct {
	Vocabulary, Hidden, Layers, Heads, Intermediate int
	Positions                                       int // tokens that a row may have
}

// Sized returns the configuration of a model type in these sizes and otherwise as its published
// base model has it (DeBERTa in its third version), with token 0 as the padding. It is not
// validated.
func Sized(modelType string, n Sizes) Config {
	c := Default(modelType)
	c.VocabSize, c.HiddenSize, c.NumHiddenLayers, c.NumAttentionHeads = n.Vocabulary, n.Hidden, n.Layers, n.Heads
	c.IntermediateSize, c.MaxPositionEmbeddings, c.PadTokenID = n.Intermediate, n.Positions, 0
	switch modelType {
	case ModelTypeALBERT:
		c.EmbeddingSize = min(c.EmbeddingSize, n.Hidden)
	case ModelTypeELECTRA, ModelTypeConvBERT:
		c.EmbeddingSize = n.Hidden
	case ModelTypeRoBERTa:
		c.MaxPositionEmbeddings += c.PadTokenID + 1 // see [Config.Positions]
	case ModelTypeXLNet:
		c.MaxPositionEmbeddings = 0 // it has no bound
	case ModelTypeDeBERTaV2:
		c.RelativeAttention, c.ShareAttKey, c.PositionBiasedInput = true, true, false
		c.PosAttType, c.NormRelEbd = AttentionTerms{C2P: true, P2C: true}, "layer_norm"
		c.PositionBuckets = min(256, n.Positions/2)
	}
	return c
}
