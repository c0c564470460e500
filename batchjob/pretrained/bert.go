package pretrained

import (
	"fmt"
	"strings"
)

// A Spec names one parameter of a model, without the architecture's prefix.
type Spec struct {
	Name     string
	Shape    []int
	Optional bool // a checkpoint may lack it (the pooler, which no head of ours uses)
}

// BERTParams lists the parameters of a BERT encoder in the order of the network:
// embeddings, layers, pooler. Weights of linear layers are [out, in].
func BERTParams(c Config) []Spec {
	h := c.HiddenSize
	specs := []Spec{
		{Name: "embeddings.word_embeddings.weight", Shape: []int{c.VocabSize, h}},
		{Name: "embeddings.position_embeddings.weight", Shape: []int{c.MaxPositionEmbeddings, h}},
		{Name: "embeddings.token_type_embeddings.weight", Shape: []int{c.TypeVocabSize, h}},
	}
	norm := func(name string) {
		specs = append(specs, Spec{Name: name + ".weight", Shape: []int{h}}, Spec{Name: name + ".bias", Shape: []int{h}})
	}
	linear := func(name string, out, in int, optional bool) {
		specs = append(specs,
			Spec{Name: name + ".weight", Shape: []int{out, in}, Optional: optional},
			Spec{Name: name + ".bias", Shape: []int{out}, Optional: optional})
	}
	norm("embeddings.LayerNorm")
	for i := range c.NumHiddenLayers {
		layer := fmt.Sprintf("encoder.layer.%d.", i)
		linear(layer+"attention.self.query", h, h, false)
		linear(layer+"attention.self.key", h, h, false)
		linear(layer+"attention.self.value", h, h, false)
		linear(layer+"attention.output.dense", h, h, false)
		norm(layer + "attention.output.LayerNorm")
		linear(layer+"intermediate.dense", c.IntermediateSize, h, false)
		linear(layer+"output.dense", h, c.IntermediateSize, false)
		norm(layer + "output.LayerNorm")
	}
	linear("pooler.dense", h, h, true)
	return specs
}

// bertIgnored are the tensors of the hub's BERT checkpoints that are no part of the
// encoder: pre-training and task heads, and buffers that older versions stored. An entry
// with a final dot is a prefix.
var bertIgnored = []string{
	"cls.predictions.", "cls.seq_relationship.", "classifier.", "qa_outputs.",
	"embeddings.position_ids", "embeddings.token_type_ids",
}

func ignored(name string) bool {
	for _, entry := range bertIgnored {
		if name == entry || strings.HasSuffix(entry, ".") && strings.HasPrefix(name, entry) {
			return true
		}
	}
	return false
}

// canonical turns a checkpoint's name into the one of [BERTParams]: without the prefix
// that models with a head have, and with the LayerNorm names that PyTorch uses instead of
// TensorFlow's gamma and beta.
func canonical(name string) string {
	name = strings.TrimPrefix(name, "bert.")
	if base, ok := strings.CutSuffix(name, ".LayerNorm.gamma"); ok {
		return base + ".LayerNorm.weight"
	}
	if base, ok := strings.CutSuffix(name, ".LayerNorm.beta"); ok {
		return base + ".LayerNorm.bias"
	}
	return name
}
