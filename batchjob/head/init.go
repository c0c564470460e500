package head

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"

	"github.com/supermax-hpo/supermax/batchjob/tensor"
)

// initialDeviation is the standard deviation that BERT's heads start with.
const initialDeviation = 0.02

// Init returns the head's parameters before training, named below "head." or
// "attn_pool.": weights normal(0, 0.02), biases zero. A parameter's values depend on the
// seed and its name alone. hidden is the backbone's width.
func (c Config) Init(hidden int, seed uint64) []tensor.Array {
	var arrays []tensor.Array
	weight := func(name string, shape ...int) {
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
		arrays = append(arrays, tensor.Array{Name: name, Shape: shape, Data: data})
	}
	linear := func(name string, out, in int) {
		weight(name+".weight", out, in)
		arrays = append(arrays, tensor.Array{Name: name + ".bias", Shape: []int{out}, Data: make([]float32, out)})
	}
	if c.Pooling == "attention" {
		weight(attentionName, hidden)
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

const (
	attentionName = "attn_pool.weight" // [hidden]
	outputName    = "head"             // .weight [classes, width], .bias [classes]
)

func layerName(i int) string { return fmt.Sprintf("head.layers.%d", i) }
