package head

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"

	"github.com/supermax-hpo/supermax/batchjob/tensor"
)

// initialDeviation is the standard deviation that BERT's heads start with.
const initialDeviation = 0.02

// Init returns the head's parameters before training, named prefix + "head." or
// "attn_pool." and more: weights normal(0, 0.02), biases zero. A parameter's values depend on the
// seed and its name alone. hidden is the backbone's width.
func (c Config) Init(hidden int, seed uint64) []tensor.Array {
	var arrays []tensor.Array
	linear := func(name string, out, in int) {
		name = c.Prefix + name
		arrays = append(arrays, normal(seed, name+".weight", out, in), zero(name+".bias", out))
	}
	if c.Pooling == "attention" {
		arrays = append(arrays, normal(seed, c.Prefix+attentionName, hidden))
	}
	width := hidden
	if c.HiddenDim > 0 {
		for i := range c.Layers {
			linear(layerName(i), c.HiddenDim, width)
			width = c.HiddenDim
		}
	}
	linear(outputName, c.Classes, width)
	return arrays
}

// normal draws a weight.
func normal(seed uint64, name string, shape ...int) tensor.Array {
	n := 1
	for _, d := range shape {
		n *= d
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(name)) // never fails
	rng := rand.New(rand.NewPCG(seed, h.Sum64()))
	data := make([]float32, n)
	for i := range data {
		data[i] = float32(initialDeviation * rng.NormFloat64())
	}
	return tensor.Array{Name: name, Shape: shape, Data: data}
}

func zero(name string, n int) tensor.Array {
	return tensor.Array{Name: name, Shape: []int{n}, Data: make([]float32, n)}
}

const (
	attentionName = "attn_pool.weight" // [hidden]
	outputName    = "head"             // .weight [classes, width], .bias [classes]
)

func layerName(i int) string { return fmt.Sprintf("head.layers.%d", i) }
