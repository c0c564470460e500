package backbone

import (
	"math"

	"github.com/supermax-hpo/supermax/batchjob/tensor"
)

// attendRelative is attention in which queries, and where the configuration says so keys too, meet
// a learned vector for the distance between them (Shaw et al. 2018; with keys, Huang et al. 2020,
// method 4): [tokens, hidden].
func (m *stack) attendRelative(p *pass, l layer, x tensor.T, d tensor.Drop) tensor.T {
	s, heads := p.s, m.config.NumAttentionHeads
	q, k := p.rows.Heads(l.query.apply(s, x), heads), p.rows.Heads(l.key.apply(s, x), heads)
	scale := 1 / math.Sqrt(float64(m.config.HeadSize()))
	scores := s.MatMul(q, s.Transpose(k, 2, 3))
	if m.distancesWhole {
		scores, scale = s.Scale(scores, scale), 1
	}
	places := l.distance.Shape()[0]
	index := p.relativeTo(func(distance int) int { return distance + places/2 })
	table := s.Reshape(l.distance, 1, 1, places, m.config.HeadSize()) // of all heads
	scores = s.Add(scores, p.along(q, table, index.byQuery))
	if _, keys := m.config.RelativeKeys(); keys {
		scores = s.Add(scores, s.Transpose(p.along(k, table, index.byKey), 2, 3))
	}
	return p.rows.Joined(s.Attend(s.Scale(scores, scale), p.rows.Heads(l.value.apply(s, x), heads), p.rows, d))
}
