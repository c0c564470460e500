// Package classifier joins backbones, heads, the loss and the optimizer to one model of one
// or two tasks that is trained step by step.
package classifier

import (
	"fmt"

	"github.com/supermax-hpo/supermax/batchjob/head"
	"github.com/supermax-hpo/supermax/batchjob/optim"
	"github.com/supermax-hpo/supermax/batchjob/pretrained"
	"github.com/supermax-hpo/supermax/batchjob/tensor"
)

// Options make a [Classifier].
type Options struct {
	Network        Network
	Weights        *pretrained.Weights // of every encoder
	Head           head.Config         // of every task; its Prefix and Last are the model's matter
	Seed           uint64              // of the heads' first values and, with the step's number, of dropout
	ClassWeights   [][]float32         // by task, one a class, above 0; nil: none
	LabelSmoothing float64             // in [0, 1)
	MaxGradNorm    float64             // gradients' L2 norm above which they are scaled down; 0: never
	// GradientCheckpointing computes the encoders' layers again in the backward pass instead of
	// keeping what is in them: less memory, the same result.
	GradientCheckpointing bool
	AdamW                 optim.AdamWConfig
}

// A Classifier is a model in training. Its tensors belong to one [tensor.Worker], on
// which every method runs; methods may be called from any goroutine. Close frees it.
type Classifier struct {
	worker  *tensor.Worker
	options Options
	params  *tensor.Params
	tasks   []task
	gate    *head.Gate // of the network Joint
	adamw   *optim.AdamW
}

// New builds the model on the worker's device.
func New(w *tensor.Worker, o Options) (*Classifier, error) {
	if err := o.validate(); err != nil {
		return nil, fmt.Errorf("build classifier: %w", err)
	}
	c := &Classifier{worker: w, options: o, params: tensor.NewParams()}
	err := c.worker.Try(func(s *tensor.Scope) (err error) {
		if err = c.build(s); err != nil {
			return err
		}
		c.adamw, err = optim.NewAdamW(s, c.params, o.AdamW)
		return err
	})
	if err != nil {
		c.Close()
		return nil, fmt.Errorf("build classifier: %w", err)
	}
	return c, nil
}

func (o Options) validate() error {
	if o.Weights == nil {
		return fmt.Errorf("no weights")
	}
	if o.Network < Single || o.Network > Joint {
		return fmt.Errorf("network %d is not known", o.Network)
	}
	if n := len(o.ClassWeights); n != 0 && n != o.Network.Tasks() {
		return fmt.Errorf("class weights for %d tasks of %d", n, o.Network.Tasks())
	}
	for _, weights := range o.ClassWeights {
		if n := len(weights); n != 0 && n != o.Head.Classes {
			return fmt.Errorf("%d class weights for %d classes", n, o.Head.Classes)
		}
		for i, w := range weights {
			if !(w > 0) {
				return fmt.Errorf("class %d has weight %v, it must be above 0", i, w)
			}
		}
	}
	if !(o.LabelSmoothing >= 0 && o.LabelSmoothing < 1) {
		return fmt.Errorf("label smoothing %v, allowed is at least 0 and below 1", o.LabelSmoothing)
	}
	if !(o.MaxGradNorm >= 0) {
		return fmt.Errorf("largest gradient norm %v, it must not be negative", o.MaxGradNorm)
	}
	return nil
}

// Close frees the model; the worker lives on. It may be called twice, and after the
// worker's Close.
func (c *Classifier) Close() {
	c.params.Free()
	if c.adamw != nil {
		c.adamw.Free()
	}
}

// Parameters copies all parameters, in a fixed order: for each task its encoder's, under the
// names and the prefix that the hub's classifiers of the model type have, then its head's, then
// the gate's. A task's own parameters have its name before them where there are two tasks.
func (c *Classifier) Parameters() ([]tensor.Array, error) {
	var arrays []tensor.Array
	err := c.worker.Try(func(s *tensor.Scope) error { arrays = c.params.Export(s); return nil })
	return arrays, err
}

// SetParameters overwrites all parameters; arrays that do not fit change nothing.
func (c *Classifier) SetParameters(arrays []tensor.Array) error {
	return c.worker.Try(func(s *tensor.Scope) error { return c.params.Import(s, arrays) })
}

// OptimizerState copies what the optimizer remembers, for parameters that were trained.
func (c *Classifier) OptimizerState() ([]optim.ParamState, error) {
	var states []optim.ParamState
	err := c.worker.Try(func(s *tensor.Scope) error { states = c.adamw.Export(s); return nil })
	return states, err
}

// SetOptimizerState sets what OptimizerState returned; states that do not fit change
// nothing.
func (c *Classifier) SetOptimizerState(states []optim.ParamState) error {
	return c.worker.Try(func(s *tensor.Scope) error { return c.adamw.Import(s, states) })
}
