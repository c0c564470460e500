// Package trainmemory estimates how much memory a GPU needs to fine-tune an encoder. The
// estimate is counted from shapes, not measured: it is meant to tell 6 GB from 12, and errs on
// the high side.
package trainmemory

import "fmt"

// A Model is what the estimate needs to know of an encoder.
type Model struct {
	Type         string // model_type of its config.json
	Parameters   int64
	Layers       int // that are run, shared or not
	Hidden       int // width of the hidden states
	Intermediate int // width inside the feed-forward layers
	Heads        int
	ConvKernel   int  // ConvBERT: width of its convolution in tokens; else 0
	Relative     bool // attention adds what relative positions say; DeBERTa's and XLNet's always does
}

// A Step is one training step.
type Step struct {
	Batch         int  // rows
	Length        int  // tokens a row
	Checkpointing bool // of gradients, by layer: what a layer computed is computed again
	Mixed         bool // train.amp: 16-bit activations, float32 weights
}

// Need is the estimate in bytes.
type Need struct {
	State       int64 // parameters, gradients, the optimizer's moments
	Activations int64 // kept from the forward pass for the backward pass
	Working     int64 // what the layer that is at work needs for itself
	Fixed       int64 // the GPU's context and the libraries' workspaces
}

// Total is the sum.
func (n Need) Total() int64 { return n.State + n.Activations + n.Working + n.Fixed }

const (
	// stateBytes a parameter: float32 weight and gradient, and AdamW's two float32 moments.
	stateBytes = 4 + 4 + 8
	// mixedBytes a parameter more with 16-bit activations: a copy to multiply with.
	mixedBytes = 2
	// fixed is what CUDA and cuBLAS take before the first tensor; from half a GiB to one on
	// the cards that AWS lends.
	fixed = 1 << 30
)

// Of estimates a step with AdamW.
//
// With T = Batch × Length tokens, h = Hidden, f = Intermediate and s the bytes of an
// activation (4, or 2 when Mixed), a layer keeps
//
//	T × (8h + 2f) × s + T × 2h
//
// bytes: queries, keys, values, the attention's output, two sums before the LayerNorms and
// their two results, of h elements each; the feed-forward layer before and after its
// activation, of f; and two dropout masks of a byte. With f = 4h and s = 2 that is the 34h bytes
// a token of Korthikanti et al. 2022 (arXiv 2205.05198), section 4.1. Their 5 × heads × Length
// bytes for the attention's scores are not there where the library's fused attention keeps none.
// DeBERTa's and XLNet's scores, and a Relative model's, depend on relative positions, which the
// fused kernels do not add, so a head keeps its probabilities before and after dropout and the mask:
//
//	Batch × heads × Length² × (2s + 1)
//
// and three such matrices at once while the layer is at work. ConvBERT's layers keep, beside a
// half-sized attention that is counted as a whole one, the inputs of the dynamic convolution
// unfolded to its width k, T × (k + 4) × h/2 × s, and its kernels, T × k × heads × s.
//
// With Checkpointing every layer keeps its input, T × h × s, and one has all of the above. The
// embeddings keep 3h a token; the layer at work has two gradients of f a token.
func Of(m Model, step Step) Need {
	tokens := int64(step.Batch) * int64(step.Length)
	size := int64(4)
	n := Need{State: stateBytes * m.Parameters, Fixed: fixed}
	if step.Mixed {
		size = 2
		n.State += mixedBytes * m.Parameters
	}
	h, f := int64(m.Hidden), int64(m.Intermediate)
	layer := tokens * ((8*h+2*f)*size + 2*h)
	n.Working = tokens * 2 * f * size
	scores := int64(step.Batch) * int64(m.Heads) * int64(step.Length) * int64(step.Length)
	switch {
	case m.Relative, m.Type == "deberta", m.Type == "deberta-v2", m.Type == "xlnet":
		layer += scores * (2*size + 1)
		n.Working += scores * 3 * size
	case m.Type == "convbert":
		k := int64(m.ConvKernel)
		layer += tokens * ((k+4)*h/2 + k*int64(m.Heads)) * size
	}
	layers := int64(m.Layers)
	n.Activations = tokens*3*h*size + layers*layer
	if step.Checkpointing {
		n.Activations = tokens*3*h*size + layers*tokens*h*size
		n.Working += layer
	}
	return n
}

// LargestBatch returns the most rows of so many tokens with which a step needs no more than
// nine tenths of a card of so many GB (10^9 bytes), rounded down to a multiple of eight from
// eight on; 0 if not even one fits.
func LargestBatch(m Model, step Step, gigabytes int) int {
	budget := int64(gigabytes) * 1e9 / 10 * 9
	at := func(batch int) int64 {
		step.Batch = batch
		return Of(m, step).Total()
	}
	if at(1) > budget {
		return 0
	}
	each := at(2) - at(1) // the estimate is linear in the batch
	batch := int(1 + (budget-at(1))/each)
	if batch >= 8 {
		batch -= batch % 8
	}
	return batch
}

// Check refuses what no model or step can have, by the field's name.
func Check(m Model, step Step) error {
	for _, v := range []struct {
		name  string
		value int
		most  int
	}{
		{"batch size", step.Batch, 1 << 16}, {"length", step.Length, 1 << 20}, {"layers", m.Layers, 1 << 10},
		{"hidden size", m.Hidden, 1 << 16}, {"intermediate size", m.Intermediate, 1 << 18}, {"heads", m.Heads, 1 << 10},
	} {
		if v.value < 1 || v.value > v.most {
			return fmt.Errorf("%s is %d, allowed is 1 to %d", v.name, v.value, v.most)
		}
	}
	return nil
}
