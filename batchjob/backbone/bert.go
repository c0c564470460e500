// Package backbone builds encoders on packed tokens from checkpoints of package
// pretrained: [tokens] ids in, [tokens, hidden] states out, no padding anywhere.
package backbone

import (
	"fmt"

	"github.com/supermax-hpo/supermax/batchjob/pretrained"
	"github.com/supermax-hpo/supermax/batchjob/tensor"
)

// BERT is the encoder of Devlin et al. 2019 with the hub library's parameter names.
type BERT struct {
	config     pretrained.Config
	activation func(*tensor.Scope, tensor.T) tensor.T
	word       tensor.T // [vocabulary, hidden]
	position   tensor.T // [positions, hidden]
	tokenType  tensor.T // [types, hidden]
	norm       norm
	layers     []layer
	pooler     linear // zero when the checkpoint has none
}

type linear struct{ weight, bias tensor.T } // [out, in], [out]

func (l linear) apply(s *tensor.Scope, x tensor.T) tensor.T { return s.Linear(x, l.weight, l.bias) }

type norm struct{ weight, bias tensor.T } // [hidden]

type layer struct {
	query, key, value, attended linear
	attendedNorm                norm
	inner, outer                linear
	outerNorm                   norm
}

// NewBERT adds the checkpoint's parameters to params, under prefix + the names of
// [pretrained.BERTParams], and returns the model that uses them.
func NewBERT(s *tensor.Scope, w *pretrained.Weights, params *tensor.Params, prefix string) (*BERT, error) {
	if err := w.Config.Validate(); err != nil {
		return nil, fmt.Errorf("build backbone: %w", err)
	}
	activation, err := activationOf(w.Config.HiddenAct)
	if err != nil {
		return nil, fmt.Errorf("build backbone: %w", err)
	}
	made := map[string]tensor.T{}
	for _, spec := range pretrained.BERTParams(w.Config) {
		p, ok := w.Find(spec.Name)
		if !ok && spec.Optional {
			continue
		}
		if !ok {
			return nil, fmt.Errorf("build backbone: parameter %s is missing", spec.Name)
		}
		made[spec.Name] = params.Add(s, tensor.Array{Name: prefix + spec.Name, Shape: p.Shape, Data: p.Data})
	}
	pair := func(name string) (weight, bias tensor.T) { return made[name+".weight"], made[name+".bias"] }
	dense := func(name string) (l linear) { l.weight, l.bias = pair(name); return l }
	layerNorm := func(name string) (n norm) { n.weight, n.bias = pair(name); return n }
	m := &BERT{
		config:     w.Config,
		activation: activation,
		word:       made["embeddings.word_embeddings.weight"],
		position:   made["embeddings.position_embeddings.weight"],
		tokenType:  made["embeddings.token_type_embeddings.weight"],
		norm:       layerNorm("embeddings.LayerNorm"),
		pooler:     dense("pooler.dense"),
	}
	for i := range w.Config.NumHiddenLayers {
		at := fmt.Sprintf("encoder.layer.%d.", i)
		m.layers = append(m.layers, layer{
			query:        dense(at + "attention.self.query"),
			key:          dense(at + "attention.self.key"),
			value:        dense(at + "attention.self.value"),
			attended:     dense(at + "attention.output.dense"),
			attendedNorm: layerNorm(at + "attention.output.LayerNorm"),
			inner:        dense(at + "intermediate.dense"),
			outer:        dense(at + "output.dense"),
			outerNorm:    layerNorm(at + "output.LayerNorm"),
		})
	}
	return m, nil
}

// activationOf returns a feed-forward activation by the hub library's name.
func activationOf(name string) (func(*tensor.Scope, tensor.T) tensor.T, error) {
	switch name {
	case "gelu":
		return (*tensor.Scope).GELU, nil
	case "gelu_new", "gelu_pytorch_tanh":
		return (*tensor.Scope).GELUTanh, nil
	case "relu":
		return (*tensor.Scope).ReLU, nil
	case "silu", "swish":
		return (*tensor.Scope).SiLU, nil
	case "tanh":
		return (*tensor.Scope).Tanh, nil
	}
	return nil, fmt.Errorf("hidden_act %q is not implemented", name)
}

// Check reports what is wrong with a batch for this model: ids out of the vocabulary,
// rows that are too long.
func (m *BERT) Check(b Batch) error {
	return b.check(m.config.VocabSize, m.config.TypeVocabSize, m.config.MaxPositionEmbeddings)
}

// Hidden is the width of the hidden states.
func (m *BERT) Hidden() int { return m.config.HiddenSize }

// Sites is how many dropout sites Forward uses: 0 to Sites-1.
func (m *BERT) Sites() uint32 { return 1 + 3*uint32(len(m.layers)) }

// Forward returns every hidden state [tokens, hidden]: the embeddings' first, the last
// layer's last. b must have passed Check and rows must be its [tensor.Packed]. A nil
// random means no dropout, as in evaluation.
func (m *BERT) Forward(s *tensor.Scope, b Batch, rows *tensor.Packed, random *tensor.Randomness) []tensor.T {
	drop := func(site int, p float64) tensor.Drop {
		if random == nil {
			return tensor.Drop{}
		}
		return random.At(uint32(site), rows.TokenKeys(), p)
	}
	hiddenP, attentionP := m.config.HiddenDropoutProb, m.config.AttentionProbsDropoutProb
	states := make([]tensor.T, 1, len(m.layers)+1)
	states[0] = s.Dropout(m.embed(s, b), drop(0, hiddenP))
	for i, l := range m.layers {
		x, site := states[i], 1+3*i
		a := s.Attention(l.query.apply(s, x), l.key.apply(s, x), l.value.apply(s, x), rows, m.config.NumAttentionHeads, drop(site, attentionP))
		a = s.AddNorm(l.attended.apply(s, a), x, l.attendedNorm.weight, l.attendedNorm.bias, m.config.LayerNormEps, drop(site+1, hiddenP))
		f := l.outer.apply(s, m.activation(s, l.inner.apply(s, a)))
		states = append(states, s.AddNorm(f, a, l.outerNorm.weight, l.outerNorm.bias, m.config.LayerNormEps, drop(site+2, hiddenP)))
	}
	return states
}

// embed adds the word, position and type embeddings and normalises them.
func (m *BERT) embed(s *tensor.Scope, b Batch) tensor.T {
	positions := make([]int32, 0, len(b.IDs))
	for r := range b.Rows() {
		for i := range b.Starts[r+1] - b.Starts[r] {
			positions = append(positions, int32(i))
		}
	}
	x := s.Add(s.Embedding(m.word, s.Indices(b.IDs)), s.Embedding(m.tokenType, s.Indices(b.TypeIDs)))
	x = s.Add(x, s.Embedding(m.position, s.Indices(positions)))
	return s.LayerNorm(x, m.norm.weight, m.norm.bias, m.config.HiddenSize, m.config.LayerNormEps)
}

// Pool returns tanh(linear(first token)) of the last hidden state, [rows, hidden]: what
// BERT was pre-trained to use for pairs. It fails when the checkpoint has no pooler.
func (m *BERT) Pool(s *tensor.Scope, last tensor.T, rows *tensor.Packed) (tensor.T, error) {
	if m.pooler == (linear{}) {
		return tensor.T{}, fmt.Errorf("the checkpoint has no pooler")
	}
	return s.Tanh(m.pooler.apply(s, rows.First(last))), nil
}
