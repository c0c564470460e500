package home

import (
	"context"
	"time"

	"github.com/supermax-hpo/supermax/cmd/supermax/internal/progress"
	"github.com/supermax-hpo/supermax/shared/pause"
	"github.com/supermax-hpo/supermax/shared/protocol"
)

// Watch shows how far the study is until nobody runs it any more; at least once. It writes
// nothing.
func (f *Folder) Watch(ctx context.Context, show func(progress.Status)) error {
	var tracker progress.Tracker
	for {
		pid, err := f.Holder()
		if err != nil {
			return err
		}
		state, err := f.State(ctx)
		if err != nil {
			return err
		}
		stage := state.Stage()
		if stage == "" {
			stage = protocol.StageC
		}
		opened := tracker.Stage() != stage
		if opened {
			tracker.PricePerHour = state.Settings().PricePerHour
			tracker.Open(stage, time.Now())
		}
		s := tracker.Of(state, time.Now())
		s.Opened, s.Left = opened, pid == 0
		show(s)
		if pid == 0 {
			return nil
		}
		if err := pause.For(ctx, time.Second); err != nil {
			return err
		}
	}
}
