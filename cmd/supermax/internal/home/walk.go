package home

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/supermax-hpo/supermax/cmd/supermax/internal/mistake"
	"github.com/supermax-hpo/supermax/lambdas/handler"
	"github.com/supermax-hpo/supermax/shared/pause"
	"github.com/supermax-hpo/supermax/shared/protocol"
	"github.com/supermax-hpo/supermax/shared/study"
)

// walker takes a study through its stages as the state machine does on AWS:
// plan → run → check (→ run …) → aggregate → promote.
type walker struct {
	service *handler.Service
	study   string
	work    func(ctx context.Context, stage protocol.Stage) error // returns when the slots have no more work
	opened  func(ctx context.Context, stage protocol.Stage)
}

// maxFruitless is how often in a row a stage may come back from its slots unfinished and
// without any progress.
const maxFruitless = 3

// errStopped ends the walk of a study that gives out no more work.
var errStopped = errors.New("the study is stopped")

// walk takes the study through the given stages, or through all of them to its end. It
// ends before that, without an error, when the study is stopped.
func (w *walker) walk(ctx context.Context, stages []protocol.Stage) error {
	if len(stages) == 0 {
		stages = protocol.Stages()
	}
	for _, stage := range stages {
		err := w.stage(ctx, stage)
		if errors.Is(err, errStopped) {
			return nil
		}
		if err != nil {
			return err
		}
	}
	if stages[len(stages)-1] != protocol.StageC {
		return nil
	}
	return w.finish(ctx)
}

// stage walks one stage to its end. All steps are safe to repeat, so a stage that was
// walked in part, or wholly, is walked again from its beginning. The error is [errStopped]
// when the study is stopped; the stage's trials are tabulated then as well.
func (w *walker) stage(ctx context.Context, stage protocol.Stage) error {
	req := protocol.StageRequest{SchemaVersion: protocol.Version, Study: w.study, Stage: stage}
	if _, err := w.service.Plan(ctx, req); err != nil {
		err = during(fmt.Sprintf("plan stage %s", stage), err)
		var early *study.Error
		if errors.As(err, &early) {
			return mistake.Wrap(err)
		}
		return err
	}
	w.opened(ctx, stage)
	var check protocol.CheckReply
	var before protocol.Counts
	for fruitless := 0; ; {
		var err error
		if check, err = w.service.Check(ctx, req); err != nil {
			return during(fmt.Sprintf("check stage %s", stage), err)
		}
		if check.Done || check.Stopped != "" {
			break
		}
		if check.Draining { // an attempt that nobody will hear of again, until its lease runs out
			if err := pause.For(ctx, time.Second); err != nil {
				return err
			}
			continue
		}
		if check.Counts == before {
			if fruitless++; fruitless >= maxFruitless {
				return fmt.Errorf("stage %s makes no progress: the trainers find no work though %d trials are queued and %d run", stage, check.Counts.Queued, check.Counts.Running)
			}
			if err := pause.For(ctx, time.Second); err != nil {
				return err
			}
		} else {
			fruitless, before = 0, check.Counts
		}
		if err := w.work(ctx, stage); err != nil {
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	if _, err := w.service.Aggregate(ctx, req); err != nil {
		return during(fmt.Sprintf("aggregate stage %s", stage), err)
	}
	if !check.Done {
		return errStopped
	}
	if _, err := w.service.Promote(ctx, req); err != nil {
		return during(fmt.Sprintf("promote stage %s", stage), err)
	}
	return nil
}

// finish chooses the configuration.
func (w *walker) finish(ctx context.Context) error {
	if _, err := w.service.Finish(ctx, protocol.StudyRequest{SchemaVersion: protocol.Version, Study: w.study}); err != nil {
		return during("finish", err)
	}
	return nil
}

// during says at which step an error came, unless it says so itself.
func during(step string, err error) error {
	if strings.HasPrefix(err.Error(), step) {
		return err
	}
	return fmt.Errorf("%s: %w", step, err)
}
