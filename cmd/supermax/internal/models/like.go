package models

import (
	"fmt"
	"slices"
	"strings"

	"github.com/supermax-hpo/supermax/batchjob/pretrained"
)

// LikeBERT is the usual architecture.
const LikeBERT = "bert"

// Architectures lists what Init can make.
func Architectures() []string { return pretrained.ModelTypes() }

// padID is the padding token's id in the vocabularies that Init makes.
const padID = 0

// model returns the backbone's configuration, in the proportions of the architecture's published
// base model; its vocabulary's size is the most allowed.
func (o *Options) model() (pretrained.Config, error) {
	if !slices.Contains(Architectures(), o.Like) {
		return pretrained.Config{}, input(fmt.Sprintf("like %q is not known (allowed: %s)", o.Like, strings.Join(Architectures(), ", ")))
	}
	if o.Intermediate == 0 {
		o.Intermediate = 4 * o.Hidden
	}
	c := pretrained.Default(o.Like)
	c.NumHiddenLayers, c.HiddenSize, c.NumAttentionHeads = o.Layers, o.Hidden, o.Heads
	c.IntermediateSize, c.VocabSize, c.MaxPositionEmbeddings = o.Intermediate, o.Vocab, o.MaxPositions
	c.PadTokenID = padID
	switch o.Like {
	case pretrained.ModelTypeALBERT:
		c.EmbeddingSize = min(c.EmbeddingSize, o.Hidden)
	case pretrained.ModelTypeELECTRA, pretrained.ModelTypeConvBERT:
		c.EmbeddingSize = o.Hidden
	case pretrained.ModelTypeRoBERTa:
		c.MaxPositionEmbeddings += padID + 1 // positions count from the one after the padding token's id
	case pretrained.ModelTypeXLNet:
		c.MaxPositionEmbeddings = 0 // it has no bound
	case pretrained.ModelTypeDeBERTaV2: // the third version
		c.RelativeAttention, c.ShareAttKey, c.PositionBiasedInput = true, true, false
		c.PosAttType, c.NormRelEbd = pretrained.AttentionTerms{C2P: true, P2C: true}, "layer_norm"
		c.PositionBuckets = min(256, o.MaxPositions/2)
	}
	if err := c.Validate(); err != nil {
		return c, wrongInput{err}
	}
	return c, nil
}
