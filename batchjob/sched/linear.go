// Package sched holds the learning rate schedules: multipliers of the base rate.
package sched

import "math"

// Linear is Hugging Face's linear schedule: it rises from 0 over the warm-up steps and
// then falls to 0 at step total. step counts optimizer steps from 0.
func Linear(step, warmup, total int) float64 {
	if step < warmup {
		return float64(step) / float64(max(1, warmup))
	}
	return max(0, float64(total-step)/float64(max(1, total-warmup)))
}

// WarmupSteps is how many of total steps a warm-up ratio means: rounded up, as Hugging
// Face's Trainer does.
func WarmupSteps(ratio float64, total int) int { return int(math.Ceil(ratio * float64(total))) }
