// Package backbone builds encoders on packed tokens from checkpoints of package
// pretrained: [tokens] ids in, [tokens, hidden] states out, no padding anywhere but where
// an architecture's arithmetic needs it.
package backbone

import (
	"fmt"

	"github.com/supermax-hpo/supermax/batchjob/pretrained"
	"github.com/supermax-hpo/supermax/batchjob/tensor"
)

// An Encoder turns a batch's tokens into hidden states. Its tensors belong to the
// [tensor.Params] that it was made with; it is used by one worker at a time.
type Encoder struct {
	config  pretrained.Config
	network network
	pooler  linear // zero when the checkpoint has none
}

// A network is what an architecture computes of its own.
type network interface {
	// embed returns what the first layer reads.
	embed(p *pass) tensor.T
	// layer returns what layer i makes of x. It depends on p, i and x alone. Where p wants the
	// rows' summaries alone, the last layer returns those, [rows, hidden].
	layer(p *pass, i int, x tensor.T) tensor.T
	// finish turns a layer's states into [tokens, hidden], but for summaries.
	finish(p *pass, x tensor.T) tensor.T
	// sites is how many dropout sites there are, counted from 0.
	sites() uint32
}

// New adds the checkpoint's parameters to params, under prefix + the names of
// [pretrained.Params], and returns the encoder that uses them.
func New(s *tensor.Scope, w *pretrained.Weights, params *tensor.Params, prefix string) (*Encoder, error) {
	c := w.Config
	if err := c.Validate(); err != nil {
		return nil, fmt.Errorf("build backbone: %w", err)
	}
	m, err := addParams(s, w, params, prefix)
	if err != nil {
		return nil, fmt.Errorf("build backbone: %w", err)
	}
	e := &Encoder{config: c}
	switch c.ModelType {
	case pretrained.ModelTypeBERT:
		e.network, e.pooler = newBERT(c, m), m.linear("pooler.dense")
	case pretrained.ModelTypeRoBERTa:
		e.network, e.pooler = newRoBERTa(c, m), m.linear("pooler.dense")
	case pretrained.ModelTypeELECTRA:
		e.network = newELECTRA(c, m)
	case pretrained.ModelTypeALBERT:
		e.network, e.pooler = newALBERT(c, m), m.linear("pooler")
	case pretrained.ModelTypeDistilBERT:
		e.network = newDistilBERT(c, m)
	case pretrained.ModelTypeConvBERT:
		e.network = newConvBERT(c, m)
	case pretrained.ModelTypeDeBERTaV2:
		e.network = newDeBERTa(c, m)
	case pretrained.ModelTypeXLNet:
		e.network = newXLNet(c, m)
	}
	return e, nil
}

// made are a model's parameters by name.
type made map[string]tensor.T

func addParams(s *tensor.Scope, w *pretrained.Weights, params *tensor.Params, prefix string) (made, error) {
	m := made{}
	for _, spec := range pretrained.Params(w.Config) {
		p, ok := w.Find(spec.Name)
		if !ok && spec.Optional {
			continue
		}
		if !ok {
			return nil, fmt.Errorf("parameter %s is missing", spec.Name)
		}
		m[spec.Name] = params.Add(s, tensor.Array{Name: prefix + spec.Name, Shape: p.Shape, Data: p.Data})
		if err := w.Release(p); err != nil { // the tensor is a copy
			return nil, err
		}
	}
	return m, nil
}

type linear struct{ weight, bias tensor.T } // [out, in], [out]

func (m made) linear(name string) linear { return linear{m[name+".weight"], m[name+".bias"]} }

func (l linear) apply(s *tensor.Scope, x tensor.T) tensor.T { return s.Linear(x, l.weight, l.bias) }

type norm struct {
	weight, bias tensor.T // [hidden]
	eps          float64
}

func (m made) norm(name string, eps float64) norm {
	return norm{m[name+".weight"], m[name+".bias"], eps}
}

func (n norm) apply(s *tensor.Scope, x tensor.T) tensor.T {
	return s.LayerNorm(x, n.weight, n.bias, n.weight.Shape()[0], n.eps)
}

// residual returns the norm of dropout(x) + to.
func (n norm) residual(s *tensor.Scope, x, to tensor.T, d tensor.Drop) tensor.T {
	return s.AddNorm(x, to, n.weight, n.bias, n.eps, d)
}

// Check reports what is wrong with a batch for this model: ids out of the vocabulary,
// rows that are too long.
func (e *Encoder) Check(b Batch) error {
	types := e.config.TypeVocabSize
	if e.config.ModelType == pretrained.ModelTypeXLNet || !e.config.ReadsTypes() {
		types = anyTypes
	}
	return b.check(e.config.VocabSize, types, e.config.Positions())
}

// Hidden is the width of the hidden states.
func (e *Encoder) Hidden() int { return e.config.HiddenSize }

// Layers is how many layers there are; ALBERT's count each time that they are passed.
func (e *Encoder) Layers() int { return e.config.NumHiddenLayers }

// Sites is how many dropout sites Forward uses: 0 to Sites-1.
func (e *Encoder) Sites() uint32 { return e.network.sites() }

// SummaryLast reports whether a row's last token stands for the row, as in XLNet, and not
// its first.
func (e *Encoder) SummaryLast() bool { return e.config.ModelType == pretrained.ModelTypeXLNet }

// Forward returns every hidden state [tokens, hidden]: the embeddings' first, the last
// layer's last. b must have passed Check and rows must be its [tensor.Packed]. A nil
// random means no dropout, as in evaluation.
func (e *Encoder) Forward(s *tensor.Scope, b Batch, rows *tensor.Packed, random *tensor.Randomness) []tensor.T {
	p := e.pass(s, b, rows, random, Tokens)
	x := e.network.embed(p)
	states := []tensor.T{e.network.finish(p, x)}
	for i := range e.config.NumHiddenLayers {
		x = e.network.layer(p, i, x)
		states = append(states, e.network.finish(p, x))
	}
	return states
}

// Want says which of the last hidden states are wanted.
type Want uint8

const (
	// Tokens are those of every token, [tokens, hidden].
	Tokens Want = iota
	// Summaries are those of the token that stands for each row (see [Encoder.SummaryLast]), [rows,
	// hidden]. They are the tokens' own, dropout included, but what the last layer would make of the
	// others is not computed: of 12 layers that is 6 % of the work.
	Summaries
)

// Last returns the last of [Encoder.Forward]'s hidden states, those that are wanted.
func (e *Encoder) Last(s *tensor.Scope, b Batch, rows *tensor.Packed, random *tensor.Randomness, w Want) (x tensor.T) {
	for _, step := range e.steps(e.pass(s, b, rows, random, w)) {
		x = step(x)
	}
	return x
}

// steps are the parts of a pass in their order: each reads what the one before it returned, the
// first the batch.
func (e *Encoder) steps(p *pass) []func(x tensor.T) tensor.T {
	steps := []func(x tensor.T) tensor.T{func(tensor.T) tensor.T { return e.network.embed(p) }}
	for i := range e.config.NumHiddenLayers {
		steps = append(steps, func(x tensor.T) tensor.T { return e.network.layer(p, i, x) })
	}
	if p.summary {
		return steps
	}
	return append(steps, func(x tensor.T) tensor.T { return e.network.finish(p, x) })
}

// Pool returns tanh(linear(first token)) of the last hidden state, [rows, hidden]: what
// BERT was pre-trained to use for pairs. It fails when the checkpoint has no pooler.
func (e *Encoder) Pool(s *tensor.Scope, last tensor.T, rows *tensor.Packed) (tensor.T, error) {
	if e.pooler == (linear{}) {
		return tensor.T{}, fmt.Errorf("the checkpoint has no pooler")
	}
	return s.Tanh(e.pooler.apply(s, rows.First(last))), nil
}

// activationOf returns an activation by the hub library's name, which package pretrained has
// checked.
func activationOf(name string) func(*tensor.Scope, tensor.T) tensor.T {
	switch name {
	case "gelu":
		return (*tensor.Scope).GELU
	case "gelu_new", "gelu_pytorch_tanh":
		return (*tensor.Scope).GELUTanh
	case "relu":
		return (*tensor.Scope).ReLU
	case "silu", "swish":
		return (*tensor.Scope).SiLU
	case "tanh":
		return (*tensor.Scope).Tanh
	}
	panic(fmt.Sprintf("backbone: activation %q passed validation", name))
}
