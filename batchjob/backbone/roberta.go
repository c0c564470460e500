package backbone

import (
	"github.com/supermax-hpo/supermax/batchjob/pretrained"
	"github.com/supermax-hpo/supermax/batchjob/tensor"
)

// roberta is the encoder of Liu et al., "RoBERTa" (2019): BERT's, with positions that count
// from the one after the padding token's id, and without token types.
type roberta struct{ bert }

func newRoBERTa(c pretrained.Config, m made) *roberta { return &roberta{*newBERT(c, m)} }

func (m *roberta) embed(p *pass) tensor.T {
	x := m.embeddings.sum(p, p.positionsAfter(int32(m.config.PadTokenID)), false)
	return p.s.Dropout(x, p.tokenDrop(0, m.config.HiddenDropoutProb))
}

// positionsAfter counts every row's tokens from pad+1. A token that is the padding token, as a
// text may hold it, has position pad and is not counted.
func (p *pass) positionsAfter(pad int32) []int32 {
	positions := make([]int32, 0, len(p.b.IDs))
	for r := range p.b.Rows() {
		next := pad + 1
		for _, id := range p.b.IDs[p.b.Starts[r]:p.b.Starts[r+1]] {
			if id == pad {
				positions = append(positions, pad)
				continue
			}
			positions = append(positions, next)
			next++
		}
	}
	return positions
}
