package backbone

import (
	"fmt"

	"github.com/supermax-hpo/supermax/batchjob/pretrained"
	"github.com/supermax-hpo/supermax/batchjob/tensor"
)

// distilbert is the encoder of Sanh et al., "DistilBERT" (2019): BERT's with half of the layers
// and without token types.
type distilbert struct {
	embeddings
	stack
}

func newDistilBERT(c pretrained.Config, m made) *distilbert {
	var layers []layer
	for i := range c.NumHiddenLayers {
		at := fmt.Sprintf("transformer.layer.%d.", i)
		layers = append(layers, layer{
			query:        m.linear(at + "attention.q_lin"),
			key:          m.linear(at + "attention.k_lin"),
			value:        m.linear(at + "attention.v_lin"),
			attended:     m.linear(at + "attention.out_lin"),
			attendedNorm: m.norm(at+"sa_layer_norm", c.LayerNormEps),
			inner:        m.linear(at + "ffn.lin1"),
			outer:        m.linear(at + "ffn.lin2"),
			outerNorm:    m.norm(at+"output_layer_norm", c.LayerNormEps),
		})
	}
	d := &distilbert{embeddings: newEmbeddings(c, m), stack: newStack(c, layers)}
	d.drops.attended = 0 // what attention adds is not dropped
	return d
}

func (m *distilbert) embed(p *pass) tensor.T {
	x := m.embeddings.sum(p, p.countPositions(), false)
	return p.s.Dropout(x, p.tokenDrop(0, m.config.HiddenDropoutProb))
}
