package backbone

import (
	"fmt"

	"github.com/supermax-hpo/supermax/batchjob/pretrained"
	"github.com/supermax-hpo/supermax/batchjob/tensor"
)

// bert is the encoder of Devlin et al., "BERT" (2019).
type bert struct {
	embeddings
	stack
}

func newBERT(c pretrained.Config, m made) *bert {
	return &bert{embeddings: newEmbeddings(c, m), stack: newBERTStack(c, m)}
}

func (m *bert) embed(p *pass) tensor.T {
	x := m.embeddings.sum(p, p.countPositions(), true)
	return p.s.Dropout(x, p.tokenDrop(0, m.config.HiddenDropoutProb))
}

// embeddings add up what a token is, where it stands and which text it belongs to, and
// normalise it.
type embeddings struct {
	word, position, tokenType tensor.T // [vocabulary, width], [positions, width], [types, width]; zero where they are not added
	norm                      norm
	pad                       int  // the padding token, which is not trained
	fixed                     bool // positions are not trained
}

func newEmbeddings(c pretrained.Config, m made) embeddings {
	e := embeddings{
		word:      m["embeddings.word_embeddings.weight"],
		position:  m["embeddings.position_embeddings.weight"],
		tokenType: m["embeddings.token_type_embeddings.weight"],
		norm:      m.norm("embeddings.LayerNorm", c.LayerNormEps),
		pad:       c.PadTokenID,
		fixed:     c.SinusoidalPosEmbds,
	}
	if relative, _ := c.RelativeKeys(); relative {
		e.position = tensor.T{} // checkpoints have it all the same
	}
	return e
}

// sum returns the normalised sum [tokens, width]. Where there are types but readTypes is false
// all tokens have type 0.
func (e embeddings) sum(p *pass, positions []int32, readTypes bool) tensor.T {
	s := p.s
	x := s.EmbeddingBut(e.word, s.Indices(p.b.IDs), e.pad)
	if e.tokenType != (tensor.T{}) {
		types := p.b.TypeIDs
		if !readTypes {
			types = make([]int32, len(p.b.IDs))
		}
		x = s.Add(x, s.Embedding(e.tokenType, s.Indices(types)))
	}
	if table := e.position; table != (tensor.T{}) {
		if e.fixed {
			table = s.Detach(table)
		}
		x = s.Add(x, s.Embedding(table, s.Indices(positions)))
	}
	return e.norm.apply(s, x)
}

// countPositions counts every row's tokens from 0.
func (p *pass) countPositions() []int32 {
	positions := make([]int32, 0, len(p.b.IDs))
	for r := range p.b.Rows() {
		for i := range p.b.Starts[r+1] - p.b.Starts[r] {
			positions = append(positions, int32(i))
		}
	}
	return positions
}

// A layer is self-attention and a feed-forward network, each with a residual connection and
// a LayerNorm after it (Vaswani et al. 2017).
type layer struct {
	query, key, value, attended linear
	distance                    tensor.T // [2·positions-1, size]; zero where positions are absolute
	attendedNorm                norm
	inner, outer                linear
	outerNorm                   norm
}

// drops are the dropout probabilities of a layer: of attention's weights, and of what either
// half adds.
type drops struct{ attention, attended, outer float64 }

// stack is BERT's layers, and those of the architectures that differ in names only.
type stack struct {
	config     pretrained.Config
	activation func(*tensor.Scope, tensor.T) tensor.T
	layers     []layer // in the order in which they are passed
	drops      drops
	// distancesWhole has what distances say added to the scores after these are scaled, not before.
	distancesWhole bool
}

func newStack(c pretrained.Config, layers []layer) stack {
	return stack{config: c, activation: activationOf(c.HiddenAct), layers: layers,
		drops: drops{c.AttentionProbsDropoutProb, c.HiddenDropoutProb, c.HiddenDropoutProb}}
}

// newBERTStack makes the layers by BERT's names.
func newBERTStack(c pretrained.Config, m made) stack {
	var layers []layer
	for i := range c.NumHiddenLayers {
		at := fmt.Sprintf("encoder.layer.%d.", i)
		layers = append(layers, layer{
			query:        m.linear(at + "attention.self.query"),
			key:          m.linear(at + "attention.self.key"),
			value:        m.linear(at + "attention.self.value"),
			attended:     m.linear(at + "attention.output.dense"),
			distance:     m[at+"attention.self.distance_embedding.weight"],
			attendedNorm: m.norm(at+"attention.output.LayerNorm", c.LayerNormEps),
			inner:        m.linear(at + "intermediate.dense"),
			outer:        m.linear(at + "output.dense"),
			outerNorm:    m.norm(at+"output.LayerNorm", c.LayerNormEps),
		})
	}
	return newStack(c, layers)
}

func (m *stack) layer(p *pass, i int, x tensor.T) tensor.T {
	s, l, site := p.s, m.layers[i], 1+3*i
	kept, keys := p.narrow(p.rows, i == len(m.layers)-1, m.attend(p, l, x, p.tokenDrop(site, m.drops.attention)), x)
	a := l.attendedNorm.residual(s, l.attended.apply(s, kept[0]), kept[1], p.dropAt(keys, site+1, m.drops.attended))
	f := l.outer.apply(s, m.activation(s, l.inner.apply(s, a)))
	return l.outerNorm.residual(s, f, a, p.dropAt(keys, site+2, m.drops.outer))
}

// attend returns what each token sees of its row, [tokens, hidden].
func (m *stack) attend(p *pass, l layer, x tensor.T, d tensor.Drop) tensor.T {
	if l.distance != (tensor.T{}) {
		return m.attendRelative(p, l, x, d)
	}
	s := p.s
	return s.Attention(l.query.apply(s, x), l.key.apply(s, x), l.value.apply(s, x), p.rows, m.config.NumAttentionHeads, d)
}

func (m *stack) finish(_ *pass, x tensor.T) tensor.T { return x }

func (m *stack) sites() uint32 { return 1 + 3*uint32(len(m.layers)) }
