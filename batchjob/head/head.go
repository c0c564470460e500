package head

import (
	"fmt"

	"github.com/supermax-hpo/supermax/batchjob/tensor"
)

// A Head scores the rows of a batch.
type Head struct {
	config    Config
	attention tensor.T // [hidden]; zero without attention pooling
	layers    []linear
	output    linear
}

type linear struct{ weight, bias tensor.T }

// New adds the head's parameters to params and returns the head. hidden is the backbone's
// width.
func New(s *tensor.Scope, c Config, hidden int, seed uint64, params *tensor.Params) (*Head, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	made := map[string]tensor.T{}
	for _, a := range c.Init(hidden, seed) {
		made[a.Name] = params.Add(s, a)
	}
	pair := func(name string) linear { return linear{made[name+".weight"], made[name+".bias"]} }
	h := &Head{config: c, attention: made[c.Prefix+attentionName], output: pair(c.Prefix + outputName)}
	if c.HiddenDim > 0 {
		for i := range c.Layers {
			h.layers = append(h.layers, pair(c.Prefix+layerName(i)))
		}
	}
	return h, nil
}

// Forward returns logits [rows, classes] for hidden states [tokens, hidden]. A nil random
// means no dropout; its sites are counted from site.
func (h *Head) Forward(s *tensor.Scope, states tensor.T, rows *tensor.Packed, random *tensor.Randomness, site uint32) tensor.T {
	return h.Score(s, h.Pool(s, states, rows), rows, random, site)
}

// Score returns logits [rows, classes] for pooled states [rows, hidden]: without layers
// dropout and one linear map, with layers each linear, activation, dropout.
func (h *Head) Score(s *tensor.Scope, x tensor.T, rows *tensor.Packed, random *tensor.Randomness, site uint32) tensor.T {
	drop := func(x tensor.T) tensor.T {
		if random == nil {
			return x
		}
		site++
		return s.Dropout(x, random.At(site-1, rows.RowKeys(), h.config.Dropout))
	}
	if len(h.layers) == 0 {
		x = drop(x)
	}
	for _, l := range h.layers {
		x = drop(h.activate(s, s.Linear(x, l.weight, l.bias)))
	}
	return s.Linear(x, h.output.weight, h.output.bias)
}

func (h *Head) activate(s *tensor.Scope, x tensor.T) tensor.T {
	switch h.config.Activation {
	case "relu":
		return s.ReLU(x)
	case "gelu":
		return s.GELU(x)
	case "swish":
		return s.SiLU(x)
	}
	panic(fmt.Sprintf("head: activation %q passed validation", h.config.Activation))
}

// ReadsSummaries reports whether a row's summary, its first token or for XLNet its last, is all
// that the head reads of it: [Head.Pool] is not needed then.
func (h *Head) ReadsSummaries() bool { return h.config.Pooling == "cls" }

// Pool returns one vector a row, [rows, hidden].
func (h *Head) Pool(s *tensor.Scope, states tensor.T, rows *tensor.Packed) tensor.T {
	switch h.config.Pooling {
	case "cls":
		return rows.End(states, h.config.Last)
	case "mean":
		return rows.Mean(states)
	case "max":
		mask := s.Reshape(rows.Mask(), rows.Rows(), rows.Longest(), 1)
		return s.Max(s.Add(rows.Pad(states), mask), 1)
	case "attention":
		return h.attend(s, states, rows)
	}
	panic(fmt.Sprintf("head: pooling %q passed validation", h.config.Pooling))
}

// attend weights a row's tokens by the softmax of their products with one learned vector
// (Yang et al. 2016, without the hidden layer).
func (h *Head) attend(s *tensor.Scope, states tensor.T, rows *tensor.Packed) tensor.T {
	n, longest, hidden := rows.Rows(), rows.Longest(), h.attention.Shape()[0]
	padded := rows.Pad(states)
	scores := s.Reshape(s.MatMul(padded, h.attention), n, longest)
	weights := s.Softmax(s.Add(scores, rows.Mask()), 1)
	return s.Reshape(s.MatMul(s.Reshape(weights, n, 1, longest), padded), n, hidden)
}
