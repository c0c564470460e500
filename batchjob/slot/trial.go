package slot

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/supermax-hpo/supermax/shared/protocol"
	"github.com/supermax-hpo/supermax/shared/results"
)

// trial trains one trial until it is released, rung after rung while it is promoted on
// the spot.
func (s *Slot) trial(ctx context.Context, work protocol.Work) error {
	defer s.Runner.Release()
	for {
		next, err := s.rung(ctx, work)
		if err != nil || next == nil {
			return err
		}
		work = *next
	}
}

// rung trains one work and tells what came of it. It returns the next work when the study
// said to go on, and an error when the process must end.
func (s *Slot) rung(ctx context.Context, work protocol.Work) (*protocol.Work, error) {
	log := s.Log.With("trial", work.Trial, "attempt", work.Attempt, "rung", work.Rung)
	log.Info("training", "from_epoch", work.FromEpoch, "to_epoch", work.ToEpoch, "seeds", len(work.Seeds))
	late, done := s.afterwards(ctx)
	defer done()
	running, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stopHeart := s.heart(late, work, log, func() { cancel(errLeaseLost) })
	defer stopHeart()

	start := time.Now()
	result, err := s.run(running, work)
	s.observe(log, result.Began)
	if errors.Is(context.Cause(running), errLeaseLost) {
		log.Warn("lease lost, training stopped")
		return nil, nil
	}
	key := results.Key(s.StudyName, s.Stage, work.Trial, work.Rung, work.Attempt)
	if err == nil {
		if err = s.Metrics.Write(late, key, result.Rows); err != nil {
			err = fmt.Errorf("keep the metrics of trial %d: %w", work.Trial, err)
		}
	}
	outcome := protocol.Outcome{PeakMemoryBytes: result.PeakMemoryBytes}
	var fatal error
	if outcome.Failed, fatal = failure(ctx, err); outcome.Failed == nil {
		outcome.Epochs, outcome.Baseline = result.Epochs, result.Baseline
	} else {
		log.Warn("no result", "kind", outcome.Failed.Kind, "reason", outcome.Failed.Message)
	}
	if errors.Is(context.Cause(ctx), ErrOrphaned) {
		return nil, nil
	}
	outcome.CostSeconds = time.Since(start).Seconds()
	s.times.tell()
	reply, err := s.Study.Tell(late, protocol.TellRequest{
		SchemaVersion: protocol.Version, Study: s.StudyName,
		Trial: work.Trial, Attempt: work.Attempt, Rung: work.Rung, Outcome: outcome,
	})
	switch {
	case fatal != nil:
		return nil, fatal
	case err != nil && ctx.Err() != nil: // nobody answered in time; the lease runs out
		log.Warn("report not delivered", "error", err)
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("tell trial %d: %w", work.Trial, err)
	}
	switch reply.Kind {
	case protocol.TellContinue:
		work.Rung, work.FromEpoch, work.ToEpoch, work.LeaseUntil = reply.Rung, reply.FromEpoch, reply.ToEpoch, reply.LeaseUntil
		return &work, nil
	case protocol.TellRelease:
		return nil, nil
	case protocol.TellStale:
		log.Warn("another attempt owns the trial, the report was not counted")
		if outcome.Failed == nil {
			// Aggregate removes the file as well, should this fail.
			if err := s.Metrics.Delete(late, key); err != nil {
				log.Warn("metrics of a lost attempt not removed", "error", err)
			}
		}
		return nil, nil
	}
	return nil, fmt.Errorf("tell trial %d: the answer %q is not known", work.Trial, reply.Kind)
}

// failure says what to tell of a run that ended with err, and which error, if any, ends
// the process: what stands in the way of this machine is not the trial's fault, so the
// trial is given back without counting against it.
func failure(ctx context.Context, err error) (*protocol.Failure, error) {
	var trial *TrialError
	switch {
	case err == nil:
		return nil, nil
	case errors.As(err, &trial):
		told := &protocol.Failure{Kind: trial.Kind, Message: trial.Error()}
		if trial.Kind == protocol.FailedCrash { // a fresh process is safer than this one
			return told, err
		}
		return told, nil
	case ctx.Err() != nil:
		why := "the slot was stopped"
		if cause := context.Cause(ctx); !errors.Is(cause, context.Canceled) {
			why = cause.Error()
		}
		return &protocol.Failure{Kind: protocol.FailedInterrupted, Message: why}, nil //nolint:nilerr // as the interruption that it is
	case errors.Is(err, errPanicked):
		return &protocol.Failure{Kind: protocol.FailedCrash, Message: err.Error()}, err
	}
	return &protocol.Failure{Kind: protocol.FailedInterrupted, Message: err.Error()}, err
}

// run is [Runner.Run] with a panic turned into an error, so that the trial is given back
// before the process ends.
func (s *Slot) run(ctx context.Context, work protocol.Work) (result Result, err error) {
	defer func() {
		if p := recover(); p != nil {
			// Only the kind of value: what it says might repeat its input.
			s.Log.Error("panic while training", "trial", work.Trial, "value", fmt.Sprintf("%T", p), "stack", string(debug.Stack()))
			result, err = Result{}, errPanicked
		}
	}()
	if err := ctx.Err(); err != nil { // stopped since the study was asked or told
		return Result{}, err
	}
	return s.Runner.Run(ctx, work)
}

var errPanicked = errors.New("the trainer met a fault of its own; its log has the stack")
