package backbone

import (
	"fmt"
	"math"

	"github.com/supermax-hpo/supermax/batchjob/pretrained"
	"github.com/supermax-hpo/supermax/batchjob/tensor"
)

// convbert is the encoder of Jiang et al., "ConvBERT" (2020): half of the heads attend, the
// other half are convolutions whose kernels follow from the words around (span-based dynamic
// convolution); the feed-forward maps may be grouped.
//
// Its convolutions run over the padding as published, whose states are computed like a
// token's. So it works on rows that are all as long as the longest, [rows·longest, hidden].
type convbert struct {
	bert
	project linear // zero when the embeddings are as wide as the hidden states
	pad     int32
	layers  []convLayer
}

type convLayer struct {
	query, key, value          linear
	depthwise, pointwise, bias tensor.T // [hidden, 1, kernel], [attended, hidden, 1], [attended, 1]
	kernel, out                linear
	attended                   linear
	attendedNorm               norm
	inner, outer               grouped
	outerNorm                  norm
}

func newConvBERT(c pretrained.Config, m made) *convbert {
	net := &convbert{bert: bert{embeddings: newEmbeddings(c, m), stack: newStack(c, nil)},
		project: m.linear("embeddings_project"), pad: int32(c.PadTokenID)}
	for i := range c.NumHiddenLayers {
		at := fmt.Sprintf("encoder.layer.%d.", i)
		self := at + "attention.self."
		net.layers = append(net.layers, convLayer{
			query:        m.linear(self + "query"),
			key:          m.linear(self + "key"),
			value:        m.linear(self + "value"),
			depthwise:    m[self+"key_conv_attn_layer.depthwise.weight"],
			pointwise:    m[self+"key_conv_attn_layer.pointwise.weight"],
			bias:         m[self+"key_conv_attn_layer.bias"],
			kernel:       m.linear(self + "conv_kernel_layer"),
			out:          m.linear(self + "conv_out_layer"),
			attended:     m.linear(at + "attention.output.dense"),
			attendedNorm: m.norm(at+"attention.output.LayerNorm", c.LayerNormEps),
			inner:        grouped(m.linear(at + "intermediate.dense")),
			outer:        grouped(m.linear(at + "output.dense")),
			outerNorm:    m.norm(at+"output.LayerNorm", c.LayerNormEps),
		})
	}
	return net
}

func (m *convbert) embed(p *pass) tensor.T {
	full := p.rows.Full()
	padded := *p
	padded.b, padded.rows = p.b.padded(m.pad), full
	x := m.bert.embed(&padded)
	if m.project != (linear{}) {
		x = m.project.apply(p.s, x)
	}
	return x
}

// padded returns the batch with all rows as long as the longest.
func (b Batch) padded(pad int32) Batch {
	longest := 0
	for r := range b.Rows() {
		longest = max(longest, b.Starts[r+1]-b.Starts[r])
	}
	var full Batch
	for r := range b.Rows() {
		from, to := b.Starts[r], b.Starts[r+1]
		ids, types := make([]int32, longest), make([]int32, longest)
		for i := copy(ids, b.IDs[from:to]); i < longest; i++ {
			ids[i] = pad
		}
		copy(types, b.TypeIDs[from:to])
		full.Append(ids, types)
	}
	return full
}

func (m *convbert) layer(p *pass, i int, x tensor.T) tensor.T {
	s, l, site, full := p.s, m.layers[i], 1+3*i, p.rows.Full()
	kept, keys := p.narrow(full, i == len(m.layers)-1, m.attend(p, l, x, p.drop(full, site, m.drops.attention)), x)
	a := l.attendedNorm.residual(s, l.attended.apply(s, kept[0]), kept[1], p.dropAt(keys, site+1, m.drops.attended))
	f := l.outer.apply(s, m.activation(s, l.inner.apply(s, a)))
	return l.outerNorm.residual(s, f, a, p.dropAt(keys, site+2, m.drops.outer))
}

// attend returns what the attending heads and the convolutions see, side by side:
// [rows·longest, hidden].
func (m *convbert) attend(p *pass, l convLayer, x tensor.T, d tensor.Drop) tensor.T {
	s, full := p.s, p.rows.Full()
	rows, longest := full.Rows(), full.Longest()
	heads, size, width := m.config.AttentionHeads(), m.config.HeadSize(), m.config.ConvKernelSize
	q := l.query.apply(s, x)
	byHead := func(x tensor.T) tensor.T { // [rows, heads, longest, size]
		return s.Transpose(s.Reshape(x, rows, longest, heads, size), 1, 2)
	}
	scores := s.Scale(s.MatMul(byHead(q), s.Transpose(byHead(l.key.apply(s, x)), 2, 3)), 1/math.Sqrt(float64(size)))
	context := s.Transpose(s.Attend(scores, byHead(l.value.apply(s, x)), full, d), 1, 2) // [rows, longest, heads, size]

	channels := s.Transpose(s.Reshape(x, rows, longest, m.config.HiddenSize), 1, 2)
	around := s.Conv1D(s.Conv1D(channels, l.depthwise, tensor.T{}, m.config.HiddenSize), l.pointwise, tensor.T{}, 1)
	around = s.Transpose(s.Add(around, l.bias), 1, 2) // [rows, longest, heads·size]
	kernels := l.kernel.apply(s, s.Mul(s.Reshape(around, rows*longest, heads*size), q))
	kernels = s.Softmax(s.Reshape(kernels, rows*longest*heads, width, 1), 1)
	windows := s.Windows(s.Reshape(l.out.apply(s, x), rows, longest, heads*size), width)
	convolved := s.MatMul(s.Reshape(windows, rows*longest*heads, size, width), kernels)
	both := s.Concat(2, context, s.Reshape(convolved, rows, longest, heads, size))
	return s.Reshape(both, rows*longest, m.config.HiddenSize)
}

func (m *convbert) finish(p *pass, x tensor.T) tensor.T {
	return p.rows.Unpad(x, m.config.HiddenSize)
}

func (m *convbert) sites() uint32 { return 1 + 3*uint32(len(m.layers)) }

// grouped is a linear map, or with a weight [groups, in/groups, out/groups] one a group of
// columns.
type grouped linear

func (g grouped) apply(s *tensor.Scope, x tensor.T) tensor.T {
	shape := g.weight.Shape()
	if len(shape) == 2 {
		return linear(g).apply(s, x)
	}
	n := x.Shape()[0]
	y := s.MatMul(s.Transpose(s.Reshape(x, n, shape[0], shape[1]), 0, 1), g.weight)
	return s.Add(s.Reshape(s.Transpose(y, 0, 1), n, shape[0]*shape[2]), g.bias)
}
