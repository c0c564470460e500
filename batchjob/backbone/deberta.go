package backbone

import (
	"fmt"
	"math"

	"github.com/supermax-hpo/supermax/batchjob/pretrained"
	"github.com/supermax-hpo/supermax/batchjob/tensor"
)

// deberta is the encoder of He et al., "DeBERTa" (2021) and "DeBERTaV3" (2023), in the form of
// its second version: attention adds what contents and relative positions say of each other
// (disentangled attention); the positions may fall into logarithmic buckets, and a convolution
// may stand beside the first layer.
type deberta struct {
	config     pretrained.Config
	activation func(*tensor.Scope, tensor.T) tensor.T

	word, position, tokenType tensor.T // zero where there is none
	project                   tensor.T
	norm                      norm

	places     tensor.T // [2·span, hidden]
	placesNorm norm
	layers     []debertaLayer

	conv     linear // [hidden, hidden/groups, kernel], [hidden]
	convNorm norm
	convAct  func(*tensor.Scope, tensor.T) tensor.T
}

type debertaLayer struct {
	layer
	placeKey, placeQuery linear // the words' own where they are shared
}

func newDeBERTa(c pretrained.Config, m made) *deberta {
	net := &deberta{
		config:     c,
		activation: activationOf(c.HiddenAct),
		word:       m["embeddings.word_embeddings.weight"],
		position:   m["embeddings.position_embeddings.weight"],
		tokenType:  m["embeddings.token_type_embeddings.weight"],
		project:    m["embeddings.embed_proj.weight"],
		norm:       m.norm("embeddings.LayerNorm", c.LayerNormEps),
		places:     m["encoder.rel_embeddings.weight"],
		placesNorm: m.norm("encoder.LayerNorm", c.LayerNormEps),
		conv:       m.linear("encoder.conv.conv"),
		convNorm:   m.norm("encoder.conv.LayerNorm", c.LayerNormEps),
	}
	if c.ConvKernelSize > 0 {
		net.convAct = activationOf(c.ConvAct)
	}
	for i := range c.NumHiddenLayers {
		at := fmt.Sprintf("encoder.layer.%d.", i)
		l := debertaLayer{layer: layer{
			query:        m.linear(at + "attention.self.query_proj"),
			key:          m.linear(at + "attention.self.key_proj"),
			value:        m.linear(at + "attention.self.value_proj"),
			attended:     m.linear(at + "attention.output.dense"),
			attendedNorm: m.norm(at+"attention.output.LayerNorm", c.LayerNormEps),
			inner:        m.linear(at + "intermediate.dense"),
			outer:        m.linear(at + "output.dense"),
			outerNorm:    m.norm(at+"output.LayerNorm", c.LayerNormEps),
		}}
		l.placeKey, l.placeQuery = l.key, l.query
		if !c.ShareAttKey {
			l.placeKey, l.placeQuery = m.linear(at+"attention.self.pos_key_proj"), m.linear(at+"attention.self.pos_query_proj")
		}
		net.layers = append(net.layers, l)
	}
	return net
}

func (m *deberta) embed(p *pass) tensor.T {
	s := p.s
	x := s.EmbeddingBut(m.word, s.Indices(p.b.IDs), m.config.PadTokenID)
	if m.position != (tensor.T{}) {
		x = s.Add(x, s.Embedding(m.position, s.Indices(p.countPositions())))
	}
	if m.tokenType != (tensor.T{}) {
		x = s.Add(x, s.Embedding(m.tokenType, s.Indices(p.b.TypeIDs)))
	}
	if m.project != (tensor.T{}) {
		x = s.Linear(x, m.project, tensor.T{})
	}
	return s.Dropout(m.norm.apply(s, x), p.tokenDrop(0, m.config.HiddenDropoutProb))
}

// debertaSites is how many dropout sites a layer has: the places, attention, and both halves.
const debertaSites = 4

func (m *deberta) layer(p *pass, i int, x tensor.T) tensor.T {
	s, l, site, hidden := p.s, m.layers[i], 2+debertaSites*i, m.config.HiddenDropoutProb
	last, convolved := i == len(m.layers)-1, i == 0 && m.convAct != nil
	kept, keys := p.narrow(p.rows, last && !convolved, m.attend(p, l, x, site), x)
	a := l.attendedNorm.residual(s, l.attended.apply(s, kept[0]), kept[1], p.dropAt(keys, site+2, hidden))
	f := l.outer.apply(s, m.activation(s, l.inner.apply(s, a)))
	y := l.outerNorm.residual(s, f, a, p.dropAt(keys, site+3, hidden))
	if convolved {
		all, _ := p.narrow(p.rows, last, m.convolve(p, x, y))
		return all[0]
	}
	return y
}

// attend is disentangled attention (DeBERTa, equation 4): [tokens, hidden].
func (m *deberta) attend(p *pass, l debertaLayer, x tensor.T, site int) tensor.T {
	s, heads, terms := p.s, m.config.NumAttentionHeads, m.config.PosAttType
	q, k := p.rows.Heads(l.query.apply(s, x), heads), p.rows.Heads(l.key.apply(s, x), heads)
	scores := s.MatMul(q, s.Transpose(k, 2, 3))
	count := 1
	if terms != (pretrained.AttentionTerms{}) {
		index := p.relativeTo(m.place)
		places := m.placeStates(p, site)
		table := func(l linear) tensor.T { // [1, heads, 2·span, size]
			y := l.apply(s, places)
			return s.Transpose(s.Reshape(y, 1, y.Shape()[0], heads, m.config.HeadSize()), 1, 2)
		}
		if terms.C2P {
			count++
			scores = s.Add(scores, p.along(q, table(l.placeKey), index.byQuery))
		}
		if terms.P2C {
			count++
			scores = s.Add(scores, s.Transpose(p.along(k, table(l.placeQuery), index.byKey), 2, 3))
		}
	}
	scores = s.Scale(scores, 1/math.Sqrt(float64(m.config.HeadSize()*count)))
	v := p.rows.Heads(l.value.apply(s, x), heads)
	return p.rows.Joined(s.Attend(scores, v, p.rows, p.tokenDrop(site+1, m.config.AttentionProbsDropoutProb)))
}

// placeStates returns the relative positions' embeddings as a layer sees them.
func (m *deberta) placeStates(p *pass, site int) tensor.T {
	x := m.places
	if m.config.NormalizesPositions() {
		x = m.placesNorm.apply(p.s, x)
	}
	if p.random == nil {
		return x
	}
	return p.s.Dropout(x, p.random.At(uint32(site), p.s.TableKeys(2*m.config.RelativeSpan()), m.config.HiddenDropoutProb))
}

// place returns the row of the relative embeddings for a query that is so many places after
// its key (for the other way round, before it).
func (m *deberta) place(distance int) int {
	span := m.config.RelativeSpan()
	if m.config.PositionBuckets > 0 {
		distance = bucket(distance, m.config.PositionBuckets, m.config.MaxRelative())
	}
	return min(max(distance+span, 0), 2*span-1)
}

// bucket maps a distance to its bucket: up to half of the buckets each distance has one, beyond
// that they grow with the distance's logarithm so that the last ends at most. In 32 bits, as in
// the published code.
func bucket(distance, buckets, most int) int {
	middle, far := buckets/2, max(distance, -distance)
	if far <= middle {
		return distance
	}
	log := func(x float32) float32 { return float32(math.Log(float64(x))) }
	share := log(float32(far)/float32(middle)) / log(float32(float64(most-1)/float64(middle)))
	place := int(math.Ceil(float64(share*float32(middle-1)))) + middle
	if distance < 0 {
		return -place
	}
	return place
}

// convolve adds what a convolution over the rows' embeddings x says to the first layer's y.
func (m *deberta) convolve(p *pass, x, y tensor.T) tensor.T {
	s, rows := p.s, p.rows
	padded := s.Mul(rows.Pad(x), s.Reshape(rows.Present(), rows.Rows(), rows.Longest(), 1))
	c := s.Conv1D(s.Transpose(padded, 1, 2), m.conv.weight, m.conv.bias, m.config.ConvGroups)
	z := rows.Unpad(s.Transpose(c, 1, 2), m.config.HiddenSize)
	z = m.convAct(s, s.Dropout(z, p.tokenDrop(1, m.config.HiddenDropoutProb)))
	return m.convNorm.apply(s, s.Add(y, z))
}

func (m *deberta) finish(_ *pass, x tensor.T) tensor.T { return x }

func (m *deberta) sites() uint32 { return 2 + debertaSites*uint32(len(m.layers)) }
