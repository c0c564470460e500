package gpu

import (
	"context"
	"log/slog"
	"time"

	"github.com/supermax-hpo/supermax/shared/pause"
)

const (
	sampleEvery = 10 * time.Second
	perMean     = 6 // samples
)

// Sample reads every ten seconds and puts the mean of every minute until ctx ends. A
// reading that fails is left out; that one did is said once.
func Sample(ctx context.Context, read func() (float64, error), put func(percent float64), log *slog.Logger) {
	told := false
	for {
		sum, n := 0.0, 0
		for range perMean {
			if pause.For(ctx, sampleEvery) != nil {
				return
			}
			percent, err := read()
			if err == nil {
				sum, n = sum+percent, n+1
				continue
			}
			if !told {
				told = true
				log.Warn("the GPU's utilization is not measured", "reason", err.Error())
			}
		}
		if n > 0 {
			put(sum / float64(n))
		}
	}
}
