// Package optim holds the optimizers.
package optim

import (
	"fmt"
	"strings"

	"github.com/supermax-hpo/supermax/batchjob/tensor"
)

// AdamWConfig are the settings of [AdamW]. A zero beta or epsilon is the usual 0.9,
// 0.999 and 1e-8.
type AdamWConfig struct {
	Beta1, Beta2, Eps float64
	WeightDecay       float64                // decoupled: multiplied by the learning rate
	Decay             func(name string) bool // which parameters decay; nil: all
}

// DecayWeights is the choice of Hugging Face's Trainer for [AdamWConfig].Decay:
// everything but biases and LayerNorms.
func DecayWeights(name string) bool {
	return !strings.HasSuffix(name, ".bias") && !strings.Contains(name, "LayerNorm")
}

// AdamW is Adam with decoupled weight decay (Loshchilov and Hutter 2019), with PyTorch's
// arithmetic: a parameter without gradient stays as it is, its step is not counted.
type AdamW struct {
	config AdamWConfig
	params *tensor.Params
	m, v   []tensor.T
	steps  []int64
	decay  []float64
}

// NewAdamW makes the moments for params, which must not grow afterwards.
func NewAdamW(s *tensor.Scope, params *tensor.Params, c AdamWConfig) (*AdamW, error) {
	if c.Beta1 == 0 {
		c.Beta1 = 0.9
	}
	if c.Beta2 == 0 {
		c.Beta2 = 0.999
	}
	if c.Eps == 0 {
		c.Eps = 1e-8
	}
	if !(c.Beta1 > 0 && c.Beta1 < 1 && c.Beta2 > 0 && c.Beta2 < 1 && c.Eps > 0 && c.WeightDecay >= 0) {
		return nil, fmt.Errorf("adamw: betas (%v, %v), epsilon %v, weight decay %v: betas must lie between 0 and 1, the others must not be negative", c.Beta1, c.Beta2, c.Eps, c.WeightDecay)
	}
	o := &AdamW{config: c, params: params}
	complete := false
	defer func() { // memory may end at any moment
		if !complete {
			o.Free()
		}
	}()
	for i, name := range params.Names() {
		shape := params.Tensors()[i].Shape()
		o.m = append(o.m, s.Zeros(shape...))
		o.v = append(o.v, s.Zeros(shape...))
		o.steps = append(o.steps, 0)
		decay := c.WeightDecay
		if c.Decay != nil && !c.Decay(name) {
			decay = 0
		}
		o.decay = append(o.decay, decay)
	}
	complete = true
	return o, nil
}

// Step updates the parameters from their gradients, which are scaled to an L2 norm of at
// most maxNorm before when maxNorm is above 0. It returns the norm before; when that is
// not finite, nothing was changed.
func (o *AdamW) Step(s *tensor.Scope, lr, maxNorm float64) float64 {
	return s.AdamW(o.params.Tensors(), o.m, o.v, o.decay, o.steps, tensor.AdamWOptions{
		LR: lr, Beta1: o.config.Beta1, Beta2: o.config.Beta2, Eps: o.config.Eps, MaxNorm: maxNorm,
	})
}

// Free ends the moments' tensors.
func (o *AdamW) Free() {
	tensor.Free(o.m...)
	tensor.Free(o.v...)
	o.m, o.v = nil, nil
}
