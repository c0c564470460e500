// Package pause waits.
package pause

import (
	"context"
	"time"
)

// For waits for d, or until ctx ends, and returns ctx's error then.
func For(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
