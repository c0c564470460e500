package slot

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/supermax-hpo/supermax/shared/pause"
	"github.com/supermax-hpo/supermax/shared/protocol"
)

// defaultBeat is how often a lease is kept alive when the study does not say.
const defaultBeat = 30 * time.Second

// heart keeps a work's lease alive in the background until stop is called, and calls lost
// once when another attempt owns the trial. A heartbeat that cannot be delivered is tried
// again at the next beat: the study decides when a lease is over, not this side's clock.
func (s *Slot) heart(ctx context.Context, work protocol.Work, log *slog.Logger, lost func()) (stop func()) {
	every := time.Duration(work.HeartbeatEverySeconds * float64(time.Second))
	if every <= 0 {
		every = defaultBeat
	}
	ctx, cancel := context.WithCancel(ctx)
	var wait sync.WaitGroup
	wait.Go(func() {
		for {
			if pause.For(ctx, every) != nil {
				return
			}
			call, done := context.WithTimeout(ctx, every)
			reply, err := s.Study.Heartbeat(call, protocol.HeartbeatRequest{
				SchemaVersion: protocol.Version, Study: s.StudyName, Trial: work.Trial, Attempt: work.Attempt,
			})
			done()
			switch {
			case ctx.Err() != nil:
				return
			case err != nil:
				log.Warn("heartbeat not delivered", "error", err)
			case reply.Lost:
				lost()
				return
			}
		}
	})
	return func() { cancel(); wait.Wait() }
}
