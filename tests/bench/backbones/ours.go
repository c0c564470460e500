package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/supermax-hpo/supermax/batchjob/classifier"
	"github.com/supermax-hpo/supermax/batchjob/head"
	"github.com/supermax-hpo/supermax/batchjob/pretrained"
	"github.com/supermax-hpo/supermax/batchjob/tensor"
)

// model makes the case's model with random weights; done ends it.
func (c benchCase) model() (m *classifier.Classifier, done func(), err error) {
	dir, err := os.MkdirTemp("", "bench-backbones")
	if err != nil {
		return nil, nil, err
	}
	defer os.RemoveAll(dir)
	if err := pretrained.Init(dir, c.config, 1); err != nil {
		return nil, nil, err
	}
	w, err := pretrained.Load(dir)
	if err != nil {
		return nil, nil, err
	}
	worker, err := tensor.Start(tensor.Options{Device: "cpu", Threads: c.threads})
	if err != nil {
		return nil, nil, err
	}
	m, err = classifier.New(worker, classifier.Options{Weights: w, Head: head.Config{Pooling: "cls", Dropout: 0.1, Classes: 2}, Seed: 1})
	if err != nil {
		worker.Close()
		return nil, nil, err
	}
	return m, func() { m.Close(); worker.Close() }, nil
}

// packed returns the case's batches as the model reads them.
func (c benchCase) packed() []classifier.Batch {
	list := make([]classifier.Batch, len(c.batches))
	for i, rows := range c.batches {
		for r, ids := range rows {
			list[i].Append(ids, make([]int32, len(ids)))
			list[i].Labels = append(list[i].Labels, int32(r%2))
		}
	}
	return list
}

// ours returns the seconds of each forward and backward pass but the first round's.
func (c benchCase) ours(ctx context.Context) ([]float64, error) {
	m, done, err := c.model()
	if err != nil {
		return nil, fmt.Errorf("make %s: %w", c.label, err)
	}
	defer done()
	batches, taken, step := c.packed(), []float64(nil), int64(0)
	for round := range c.rounds {
		for _, b := range batches {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			r, err := m.Train(classifier.Step{Number: step, LR: 1e-6, Micro: []classifier.Batch{b}})
			if err != nil {
				return nil, fmt.Errorf("train %s: %w", c.label, err)
			}
			if step++; round > 0 {
				taken = append(taken, (r.Forward + r.Backward).Seconds())
			}
		}
	}
	return taken, nil
}

// memory trains the small model for a thousand steps and prints what the largest resident set
// was in the first hundred after a warm-up and in the last hundred.
func memory(ctx context.Context) error {
	const steps, part = 1000, 100
	c := cases()["small"][0]
	m, done, err := c.model()
	if err != nil {
		return err
	}
	defer done()
	batches, peaks := c.packed(), []int64(nil)
	began := time.Now()
	for step := range steps {
		if err := ctx.Err(); err != nil {
			return err
		}
		if step%part == 0 {
			if err := tensor.ResetPeakMemory(); err != nil {
				return err
			}
		}
		if _, err := m.Train(classifier.Step{Number: int64(step), LR: 1e-6, Micro: batches[step%len(batches) : step%len(batches)+1]}); err != nil {
			return err
		}
		if step%part == part-1 {
			peak, err := tensor.PeakMemory()
			if err != nil {
				return err
			}
			peaks = append(peaks, peak)
		}
	}
	fmt.Printf("bench backbone-memory-1000 early=%.1fMB late=%.1fMB growth=%.2fMB seconds=%.3g\n",
		float64(peaks[1])/1e6, float64(peaks[len(peaks)-1])/1e6, float64(peaks[len(peaks)-1]-peaks[1])/1e6, time.Since(began).Seconds())
	return nil
}
