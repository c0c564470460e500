package pretrained

import "fmt"

// A Spec names one parameter of a model, without the architecture's prefix.
type Spec struct {
	Name     string
	Shape    []int
	Optional bool // a checkpoint may lack it: no output depends on it (a pooler)
}

// specs collects a model's parameters in the order of the network. Weights of linear maps
// are [out, in].
type specs struct {
	list []Spec
}

func (s *specs) add(name string, shape ...int) {
	s.list = append(s.list, Spec{Name: name, Shape: shape})
}

func (s *specs) norm(name string, n int) {
	s.add(name+".weight", n)
	s.add(name+".bias", n)
}

func (s *specs) linear(name string, out, in int) {
	s.add(name+".weight", out, in)
	s.add(name+".bias", out)
}

// optional adds what f adds as parameters that a checkpoint may lack.
func (s *specs) optional(f func()) {
	from := len(s.list)
	f()
	for i := range s.list[from:] {
		s.list[from+i].Optional = true
	}
}

// embeddings adds the embeddings that most models have, n wide.
func (s *specs) embeddings(c Config, n int) {
	s.add("embeddings.word_embeddings.weight", c.VocabSize, n)
	s.add("embeddings.position_embeddings.weight", c.MaxPositionEmbeddings, n)
	if c.TypeVocabSize > 0 {
		s.add("embeddings.token_type_embeddings.weight", c.TypeVocabSize, n)
	}
	s.norm("embeddings.LayerNorm", n)
}

// distances adds an attention's vectors for relative positions, where it has them.
func (s *specs) distances(c Config, attention string) {
	if relative, _ := c.RelativeKeys(); relative {
		s.add(attention+"distance_embedding.weight", 2*c.MaxPositionEmbeddings-1, c.HeadSize())
	}
}

// feedForward adds the second half of BERT's layers and its like.
func (s *specs) feedForward(c Config, layer string) {
	s.linear(layer+"intermediate.dense", c.IntermediateSize, c.HiddenSize)
	s.linear(layer+"output.dense", c.HiddenSize, c.IntermediateSize)
	s.norm(layer+"output.LayerNorm", c.HiddenSize)
}

// Params lists the parameters of an encoder in the order of its network, by the hub
// library's names without the prefix that models with a head have.
func Params(c Config) []Spec {
	var s specs
	switch c.ModelType {
	case ModelTypeALBERT:
		s.albert(c)
	case ModelTypeConvBERT:
		s.convBERT(c)
	case ModelTypeDeBERTaV2:
		s.deBERTa(c)
	case ModelTypeDistilBERT:
		s.distilBERT(c)
	case ModelTypeXLNet:
		s.xlNet(c)
	default:
		s.bert(c)
	}
	return s.list
}

// Count returns how many numbers an encoder's parameters are.
func Count(c Config) int {
	total := 0
	for _, s := range Params(c) {
		n := 1
		for _, d := range s.Shape {
			n *= d
		}
		total += n
	}
	return total
}

// bert are the parameters of BERT, RoBERTa and ELECTRA. The latter projects its embeddings
// where they are not as wide as the hidden states, and has no pooler.
func (s *specs) bert(c Config) {
	h, e := c.HiddenSize, c.HiddenSize
	if c.ModelType == ModelTypeELECTRA {
		e = c.EmbeddingSize
	}
	s.embeddings(c, e)
	if e != h {
		s.linear("embeddings_project", h, e)
	}
	for i := range c.NumHiddenLayers {
		layer := fmt.Sprintf("encoder.layer.%d.", i)
		for _, name := range []string{"query", "key", "value"} {
			s.linear(layer+"attention.self."+name, h, h)
		}
		s.distances(c, layer+"attention.self.")
		s.linear(layer+"attention.output.dense", h, h)
		s.norm(layer+"attention.output.LayerNorm", h)
		s.feedForward(c, layer)
	}
	if c.ModelType != ModelTypeELECTRA {
		s.optional(func() { s.linear("pooler.dense", h, h) })
	}
}

// albert has the parameters of a few layers, which all take in turn.
func (s *specs) albert(c Config) {
	h := c.HiddenSize
	s.embeddings(c, c.EmbeddingSize)
	s.linear("encoder.embedding_hidden_mapping_in", h, c.EmbeddingSize)
	for g := range c.NumHiddenGroups {
		for i := range c.InnerGroupNum {
			layer := fmt.Sprintf("encoder.albert_layer_groups.%d.albert_layers.%d.", g, i)
			for _, name := range []string{"query", "key", "value", "dense"} {
				s.linear(layer+"attention."+name, h, h)
			}
			s.distances(c, layer+"attention.")
			s.norm(layer+"attention.LayerNorm", h)
			s.linear(layer+"ffn", c.IntermediateSize, h)
			s.linear(layer+"ffn_output", h, c.IntermediateSize)
			s.norm(layer+"full_layer_layer_norm", h)
		}
	}
	s.optional(func() { s.linear("pooler", h, h) })
}

func (s *specs) distilBERT(c Config) {
	h := c.HiddenSize
	s.embeddings(c, h)
	for i := range c.NumHiddenLayers {
		layer := fmt.Sprintf("transformer.layer.%d.", i)
		for _, name := range []string{"q_lin", "k_lin", "v_lin", "out_lin"} {
			s.linear(layer+"attention."+name, h, h)
		}
		s.norm(layer+"sa_layer_norm", h)
		s.linear(layer+"ffn.lin1", c.IntermediateSize, h)
		s.linear(layer+"ffn.lin2", h, c.IntermediateSize)
		s.norm(layer+"output_layer_norm", h)
	}
}

// convBERT has as many numbers for half of the heads; convolutions stand for the others.
func (s *specs) convBERT(c Config) {
	h, attended := c.HiddenSize, c.AttentionHeads()*c.HeadSize()
	s.embeddings(c, c.EmbeddingSize)
	if c.EmbeddingSize != h {
		s.linear("embeddings_project", h, c.EmbeddingSize)
	}
	grouped := func(name string, out, in int) {
		if c.NumGroups == 1 {
			s.linear(name, out, in)
			return
		}
		s.add(name+".weight", c.NumGroups, in/c.NumGroups, out/c.NumGroups)
		s.add(name+".bias", out)
	}
	for i := range c.NumHiddenLayers {
		layer := fmt.Sprintf("encoder.layer.%d.", i)
		self := layer + "attention.self."
		for _, name := range []string{"query", "key", "value"} {
			s.linear(self+name, attended, h)
		}
		s.add(self+"key_conv_attn_layer.depthwise.weight", h, 1, c.ConvKernelSize)
		s.add(self+"key_conv_attn_layer.pointwise.weight", attended, h, 1)
		s.add(self+"key_conv_attn_layer.bias", attended, 1)
		s.linear(self+"conv_kernel_layer", c.AttentionHeads()*c.ConvKernelSize, attended)
		s.linear(self+"conv_out_layer", attended, h)
		s.linear(layer+"attention.output.dense", h, h)
		s.norm(layer+"attention.output.LayerNorm", h)
		grouped(layer+"intermediate.dense", c.IntermediateSize, h)
		grouped(layer+"output.dense", h, c.IntermediateSize)
		s.norm(layer+"output.LayerNorm", h)
	}
}

// deBERTa are the parameters of versions 2 and 3.
func (s *specs) deBERTa(c Config) {
	h, e := c.HiddenSize, c.HiddenSize
	if c.EmbeddingSize > 0 {
		e = c.EmbeddingSize
	}
	s.add("embeddings.word_embeddings.weight", c.VocabSize, e)
	if c.PositionBiasedInput {
		s.add("embeddings.position_embeddings.weight", c.MaxPositionEmbeddings, e)
	}
	if c.TypeVocabSize > 0 {
		s.add("embeddings.token_type_embeddings.weight", c.TypeVocabSize, e)
	}
	if e != h {
		s.add("embeddings.embed_proj.weight", h, e)
	}
	s.norm("embeddings.LayerNorm", h)
	for i := range c.NumHiddenLayers {
		layer := fmt.Sprintf("encoder.layer.%d.", i)
		names := []string{"query_proj", "key_proj", "value_proj"}
		if c.RelativeAttention && !c.ShareAttKey {
			if c.PosAttType.C2P {
				names = append(names, "pos_key_proj")
			}
			if c.PosAttType.P2C {
				names = append(names, "pos_query_proj")
			}
		}
		for _, name := range names {
			s.linear(layer+"attention.self."+name, h, h)
		}
		s.linear(layer+"attention.output.dense", h, h)
		s.norm(layer+"attention.output.LayerNorm", h)
		s.feedForward(c, layer)
	}
	if c.RelativeAttention {
		s.add("encoder.rel_embeddings.weight", 2*c.RelativeSpan(), h)
	}
	if c.NormalizesPositions() {
		s.norm("encoder.LayerNorm", h)
	}
	if c.ConvKernelSize > 0 {
		s.add("encoder.conv.conv.weight", h, h/c.ConvGroups, c.ConvKernelSize)
		s.add("encoder.conv.conv.bias", h)
		s.norm("encoder.conv.LayerNorm", h)
	}
}

// xlNet has the mask's embedding too, which pre-training alone needs.
func (s *specs) xlNet(c Config) {
	h, heads, size := c.HiddenSize, c.NumAttentionHeads, c.HeadSize()
	s.optional(func() { s.add("mask_emb", 1, 1, h) })
	s.add("word_embedding.weight", c.VocabSize, h)
	for i := range c.NumHiddenLayers {
		layer := fmt.Sprintf("layer.%d.", i)
		for _, name := range []string{"q", "k", "v", "o", "r"} {
			s.add(layer+"rel_attn."+name, h, heads, size)
		}
		for _, name := range []string{"r_r_bias", "r_s_bias", "r_w_bias"} {
			s.add(layer+"rel_attn."+name, heads, size)
		}
		s.add(layer+"rel_attn.seg_embed", 2, heads, size)
		s.norm(layer+"rel_attn.layer_norm", h)
		s.norm(layer+"ff.layer_norm", h)
		s.linear(layer+"ff.layer_1", c.IntermediateSize, h)
		s.linear(layer+"ff.layer_2", h, c.IntermediateSize)
	}
}

// wordEmbeddings is the name of the word embeddings.
func wordEmbeddings(c Config) string {
	if c.ModelType == ModelTypeXLNet {
		return "word_embedding.weight"
	}
	return "embeddings.word_embeddings.weight"
}
