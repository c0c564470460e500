package pause

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestFor(t *testing.T) {
	for name, c := range map[string]struct {
		pause, end, want time.Duration
		err              error
	}{
		"the pause is over": {time.Minute, time.Hour, time.Minute, nil},
		"the context ends":  {time.Hour, time.Minute, time.Minute, context.DeadlineExceeded},
		"it has ended":      {time.Hour, 0, 0, context.DeadlineExceeded},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), c.end)
				defer cancel()
				began := time.Now()
				err := For(ctx, c.pause)
				if got := time.Since(began); got != c.want || !errors.Is(err, c.err) {
					t.Errorf("waited %v with error %v, want %v and %v", got, err, c.want, c.err)
				}
			})
		})
	}
}
