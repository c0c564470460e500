package backbone

import (
	"fmt"
	"math"

	"github.com/supermax-hpo/supermax/batchjob/pretrained"
	"github.com/supermax-hpo/supermax/batchjob/tensor"
)

// xlnet is the encoder of Yang et al., "XLNet" (2019), as it is fine-tuned: every token sees
// every other (its content stream, without permutations and memory), by content, by relative
// position with Transformer-XL's biases (Dai et al. 2019), and by whether both are of one text.
type xlnet struct {
	config     pretrained.Config
	activation func(*tensor.Scope, tensor.T) tensor.T
	word       tensor.T // [vocabulary, hidden]
	layers     []xlnetLayer
}

type xlnetLayer struct {
	query, key, value, place    tensor.T // [hidden, heads, size]
	attended                    tensor.T // [hidden, heads, size]
	wordBias, placeBias, atBias tensor.T // [heads, size]; atBias of the texts' term
	segments                    tensor.T // [2, heads, size]: the same text, another one
	attendedNorm                norm
	inner, outer                linear
	outerNorm                   norm
}

func newXLNet(c pretrained.Config, m made) *xlnet {
	net := &xlnet{config: c, activation: activationOf(c.HiddenAct), word: m["word_embedding.weight"]}
	for i := range c.NumHiddenLayers {
		at := fmt.Sprintf("layer.%d.", i)
		net.layers = append(net.layers, xlnetLayer{
			query:        m[at+"rel_attn.q"],
			key:          m[at+"rel_attn.k"],
			value:        m[at+"rel_attn.v"],
			place:        m[at+"rel_attn.r"],
			attended:     m[at+"rel_attn.o"],
			wordBias:     m[at+"rel_attn.r_w_bias"],
			placeBias:    m[at+"rel_attn.r_r_bias"],
			atBias:       m[at+"rel_attn.r_s_bias"],
			segments:     m[at+"rel_attn.seg_embed"],
			attendedNorm: m.norm(at+"rel_attn.layer_norm", c.LayerNormEps),
			inner:        m.linear(at + "ff.layer_1"),
			outer:        m.linear(at + "ff.layer_2"),
			outerNorm:    m.norm(at+"ff.layer_norm", c.LayerNormEps),
		})
	}
	return net
}

func (m *xlnet) embed(p *pass) tensor.T {
	return p.s.Dropout(p.s.Embedding(m.word, p.s.Indices(p.b.IDs)), p.tokenDrop(0, m.config.HiddenDropoutProb))
}

// xlnetSites is how many dropout sites a layer has: attention's weights, what it adds, and the
// feed-forward network's inner and outer states. Before them come the words, the positions and
// the last states.
const (
	xlnetSites  = 4
	xlnetBefore = 3
)

func (m *xlnet) layer(p *pass, i int, x tensor.T) tensor.T {
	s, l, site, drop := p.s, m.layers[i], xlnetBefore+xlnetSites*i, m.config.HiddenDropoutProb
	hidden, last := m.config.HiddenSize, i == len(m.layers)-1
	kept, keys := p.narrow(p.rows, last, m.attend(p, l, x, site), x)
	a := s.Linear(kept[0], s.Reshape(l.attended, hidden, hidden), tensor.T{})
	a = l.attendedNorm.residual(s, a, kept[1], p.dropAt(keys, site+1, drop))
	f := s.Dropout(m.activation(s, l.inner.apply(s, a)), p.dropAt(keys, site+2, drop))
	y := l.outerNorm.residual(s, l.outer.apply(s, f), a, p.dropAt(keys, site+3, drop))
	if last {
		y = s.Dropout(y, p.dropAt(keys, 2, drop))
	}
	return y
}

// attend returns what each token sees, [tokens, hidden].
func (m *xlnet) attend(p *pass, l xlnetLayer, x tensor.T, site int) tensor.T {
	s, heads, hidden := p.s, m.config.NumAttentionHeads, m.config.HiddenSize
	project := func(x, weight tensor.T) tensor.T { return s.MatMul(x, s.Reshape(weight, hidden, hidden)) }
	q := project(x, l.query)
	biased := func(bias tensor.T) tensor.T { return p.rows.Heads(s.Add(q, s.Reshape(bias, hidden)), heads) }
	k := p.rows.Heads(project(x, l.key), heads)
	scores := s.MatMul(biased(l.wordBias), s.Transpose(k, 2, 3))

	longest := p.rows.Longest()
	index := p.relativeTo(func(distance int) int { return longest - distance })
	places := p.memo(&p.positions, func() tensor.T { return m.places(p) }) // [rows or 1, 2·longest, hidden]
	table := s.Reshape(project(places, l.place), places.Shape()[0], 2*longest, heads, m.config.HeadSize())
	scores = s.Add(scores, p.along(biased(l.placeBias), s.Transpose(table, 1, 2), index.byQuery))

	segments := s.Reshape(s.Transpose(l.segments, 0, 1), 1, heads, 2, m.config.HeadSize())
	scores = s.Add(scores, p.along(biased(l.atBias), segments, p.memo(&p.segments, p.otherText)))

	scores = s.Scale(scores, 1/math.Sqrt(float64(m.config.HeadSize())))
	v := p.rows.Heads(project(x, l.value), heads)
	return p.rows.Joined(s.Attend(scores, v, p.rows, p.tokenDrop(site, m.config.HiddenDropoutProb)))
}

// places returns the code of the distances longest, longest-1 … 1-longest: their sines and
// cosines at falling frequencies. With dropout every row has its own.
func (m *xlnet) places(p *pass) tensor.T {
	longest, hidden := p.rows.Longest(), m.config.HiddenSize
	code := make([]float32, 0, 2*longest*hidden)
	for i := range 2 * longest {
		distance := float32(longest - i)
		if m.config.ClampLen > 0 {
			distance = min(max(distance, -float32(m.config.ClampLen)), float32(m.config.ClampLen))
		}
		angles := make([]float64, hidden/2)
		for j := range angles {
			frequency := 1 / float32(math.Pow(10000, float64(float32(2*j)/float32(hidden))))
			angles[j] = float64(distance * frequency)
		}
		for _, a := range angles {
			code = append(code, float32(math.Sin(a)))
		}
		for _, a := range angles {
			code = append(code, float32(math.Cos(a)))
		}
	}
	s := p.s
	if p.random == nil || m.config.HiddenDropoutProb == 0 {
		return s.Floats(code, 1, 2*longest, hidden)
	}
	rows := p.rows.Rows()
	all := make([]float32, 0, rows*len(code))
	for range rows {
		all = append(all, code...)
	}
	x := s.Dropout(s.Floats(all, rows*2*longest, hidden), p.random.At(1, p.rows.WideKeys(2*longest), m.config.HiddenDropoutProb))
	return s.Reshape(x, rows, 2*longest, hidden)
}

// otherText returns 1 where a query and a key are of two texts, by their types, else 0:
// [rows, 1, longest, longest].
func (p *pass) otherText() tensor.T {
	n := p.rows.Longest()
	other := make([]int64, p.b.Rows()*n*n)
	for r := range p.b.Rows() {
		types := p.b.TypeIDs[p.b.Starts[r]:p.b.Starts[r+1]]
		for i, a := range types {
			for j, b := range types {
				if a != b {
					other[(r*n+i)*n+j] = 1
				}
			}
		}
	}
	return p.s.Int64s(other, p.b.Rows(), 1, n, n)
}

func (m *xlnet) finish(_ *pass, x tensor.T) tensor.T { return x }

func (m *xlnet) sites() uint32 { return xlnetBefore + xlnetSites*uint32(len(m.layers)) }
