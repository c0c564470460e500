package backbone

import (
	"github.com/supermax-hpo/supermax/batchjob/pretrained"
	"github.com/supermax-hpo/supermax/batchjob/tensor"
)

// electra is the discriminator of Clark et al., "ELECTRA" (2020): BERT's encoder, whose
// embeddings may be narrower than its hidden states and are then projected.
type electra struct {
	bert
	project linear // zero when they are as wide
}

func newELECTRA(c pretrained.Config, m made) *electra {
	return &electra{bert: *newBERT(c, m), project: m.linear("embeddings_project")}
}

func (m *electra) embed(p *pass) tensor.T {
	x := m.bert.embed(p)
	if m.project != (linear{}) {
		x = m.project.apply(p.s, x)
	}
	return x
}
