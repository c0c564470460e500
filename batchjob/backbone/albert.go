package backbone

import (
	"fmt"

	"github.com/supermax-hpo/supermax/batchjob/pretrained"
	"github.com/supermax-hpo/supermax/batchjob/tensor"
)

// albert is the encoder of Lan et al., "ALBERT" (2020): narrow embeddings that are projected,
// and groups of layers that are passed several times each.
type albert struct {
	embeddings
	stack
	project linear
	group   int // layers a group
}

func newALBERT(c pretrained.Config, m made) *albert {
	var layers []layer
	for i := range c.NumHiddenLayers {
		group := i * c.NumHiddenGroups / c.NumHiddenLayers
		for inner := range c.InnerGroupNum {
			at := fmt.Sprintf("encoder.albert_layer_groups.%d.albert_layers.%d.", group, inner)
			layers = append(layers, layer{
				query:        m.linear(at + "attention.query"),
				key:          m.linear(at + "attention.key"),
				value:        m.linear(at + "attention.value"),
				attended:     m.linear(at + "attention.dense"),
				distance:     m[at+"attention.distance_embedding.weight"],
				attendedNorm: m.norm(at+"attention.LayerNorm", c.LayerNormEps),
				inner:        m.linear(at + "ffn"),
				outer:        m.linear(at + "ffn_output"),
				outerNorm:    m.norm(at+"full_layer_layer_norm", c.LayerNormEps),
			})
		}
	}
	a := &albert{embeddings: newEmbeddings(c, m), stack: newStack(c, layers),
		project: m.linear("encoder.embedding_hidden_mapping_in"), group: c.InnerGroupNum}
	a.distancesWhole = true
	a.drops.outer = 0 // the published network drops nothing after its feed-forward half
	return a
}

func (m *albert) embed(p *pass) tensor.T {
	x := m.embeddings.sum(p, p.countPositions(), true)
	return m.project.apply(p.s, p.s.Dropout(x, p.tokenDrop(0, m.config.HiddenDropoutProb)))
}

func (m *albert) layer(p *pass, i int, x tensor.T) tensor.T {
	for inner := range m.group {
		x = m.stack.layer(p, i*m.group+inner, x)
	}
	return x
}
