package classifier

import (
	"fmt"
	"math"
	"time"

	"github.com/supermax-hpo/supermax/batchjob/tensor"
)

// A Step is one optimizer step.
type Step struct {
	Number int64   // from 0 through the run, resumed or not; keys the dropout
	LR     float64 // learning rate
	// Micro are the batches whose gradients are accumulated. Usually one.
	Micro []Batch
	// Shares are the weights of their mean losses in the step's loss; nil: its mean.
	Shares []float64
}

// A StepResult is what a step measured.
type StepResult struct {
	Loss     float64 // before the step, dropout on
	GradNorm float64 // over all parameters, before clipping
	// Wall time of the parts; on a GPU, which computes in the background, the forward pass
	// ends with reading the loss and the backward pass flows into the optimizer's.
	Forward, Backward, Optimizer time.Duration
}

// A NotFiniteError says that training diverged: the step's loss or gradient was NaN or
// infinite. The step changed no parameter.
type NotFiniteError struct {
	What  string // "loss" or "gradient norm"
	Value float64
	Step  int64
}

// Error names the value and the step.
func (e *NotFiniteError) Error() string {
	return fmt.Sprintf("the %s of step %d is %v", e.What, e.Step, e.Value)
}

// Train does one step: forward, backward, clipping, AdamW. Its errors are
// [*NotFiniteError], [tensor.ErrOutOfMemory], and a batch that does not fit the model; no
// parameter has changed then.
func (c *Classifier) Train(step Step) (StepResult, error) {
	var result StepResult
	err := c.worker.Try(func(s *tensor.Scope) (err error) {
		defer s.ClearGrads(c.params.Tensors())
		result, err = c.train(s, step)
		return err
	})
	return result, err
}

func (c *Classifier) train(s *tensor.Scope, step Step) (StepResult, error) {
	var r StepResult
	if len(step.Micro) == 0 {
		return r, fmt.Errorf("step %d has no batch", step.Number)
	}
	for _, b := range step.Micro {
		if err := c.check(b, true); err != nil {
			return r, err
		}
	}
	if n := len(step.Shares); n != 0 && n != len(step.Micro) {
		return r, fmt.Errorf("step %d has %d shares for %d batches", step.Number, n, len(step.Micro))
	}
	random := &tensor.Randomness{Seed: c.options.Seed, Step: uint64(step.Number)}
	firstRow, share := 0, 1/float64(len(step.Micro))
	for i, b := range step.Micro {
		if len(step.Shares) > 0 {
			share = step.Shares[i]
		}
		begin := time.Now()
		p := c.newPass(s, b, random, firstRow)
		loss := c.loss(s, c.logits(p, b.Task), b)
		value := s.Item(loss)
		r.Loss += value * share
		r.Forward += time.Since(begin)
		if math.IsNaN(value) || math.IsInf(value, 0) {
			return r, &NotFiniteError{"loss", value, step.Number}
		}
		begin = time.Now()
		if share != 1 {
			loss = s.Scale(loss, share)
		}
		s.Backward(loss)
		for _, backward := range p.backward {
			backward()
		}
		r.Backward += time.Since(begin)
		firstRow += b.Rows()
	}
	begin := time.Now()
	r.GradNorm = c.adamw.Step(s, step.LR, c.options.MaxGradNorm)
	r.Optimizer = time.Since(begin)
	if math.IsNaN(r.GradNorm) || math.IsInf(r.GradNorm, 0) {
		return r, &NotFiniteError{"gradient norm", r.GradNorm, step.Number}
	}
	return r, nil
}
