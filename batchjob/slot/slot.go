// Package slot is the life of one trainer process: it asks for work, has it trained,
// tells the result, and asks again until the stage is done. It owns the protocol
// (heartbeats, fencing, what is told of which failure) and knows nothing of training.
package slot

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/supermax-hpo/supermax/shared/pause"
	"github.com/supermax-hpo/supermax/shared/protocol"
	"github.com/supermax-hpo/supermax/shared/results"
)

// Study is the part of the protocol that a slot speaks; [protocol.Client] implements it.
// Calls repeat by themselves while the study is unreachable and end with their context.
type Study interface {
	Ask(ctx context.Context, req protocol.AskRequest) (protocol.AskReply, error)
	Tell(ctx context.Context, req protocol.TellRequest) (protocol.TellReply, error)
	Heartbeat(ctx context.Context, req protocol.HeartbeatRequest) (protocol.HeartbeatReply, error)
}

// Runner trains. Its methods are called from one goroutine.
type Runner interface {
	// Run trains one work and returns what it measured. It stops soon after ctx ends, with
	// ctx's error. A [*TrialError] says that the trial cannot be trained; any other error,
	// that this process cannot go on. After TellContinue, Run is called again with the
	// same trial and attempt and may go on from what it still holds.
	Run(ctx context.Context, work protocol.Work) (Result, error)
	// Release frees what Run kept for going on.
	Release()
}

// Metrics keeps the rows that belong to a report, whole or not at all.
type Metrics interface {
	Write(ctx context.Context, key string, rows []results.Row) error
	Delete(ctx context.Context, key string) error
}

// Result is what [Runner.Run] measured: what is told, and the rows behind it.
type Result struct {
	Epochs          []protocol.EpochMetrics
	Rows            []results.Row
	PeakMemoryBytes int64
	Baseline        *protocol.Baseline
	Began           time.Time // when the first step was taken, also by a run that failed; zero: none was
}

// A TrialError is a trial's failure. Its message must not hold post text.
type TrialError struct {
	Kind protocol.FailureKind // oom, nan or data; crash: counted against the trial, and the process ends
	Err  error
}

// Error is the cause's message.
func (e *TrialError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *TrialError) Unwrap() error { return e.Err }

// ErrOrphaned is the cause of a context's end when whoever started the slot is gone: there
// is nobody to tell.
var ErrOrphaned = errors.New("the process that started this slot is gone")

// errLeaseLost ends a run whose trial another attempt owns.
var errLeaseLost = errors.New("the lease is lost")

// Slot is one trainer's loop. All fields are needed but Grace and Observe.
type Slot struct {
	Study   Study
	Runner  Runner
	Metrics Metrics
	Log     *slog.Logger

	Name      string // names this life of the process, never reused
	StudyName string
	Stage     protocol.Stage
	Device    protocol.Device
	Grace     time.Duration // how long a last report may take after ctx ends; 0: 10 s
	Observe   func(Times)   // is told, after each rung, how the time was spent; nil: nobody is

	times stopwatch
}

const defaultGrace = 10 * time.Second

// Run works until the stage has no more work, or until ctx ends, which is no error: the
// trial in training is given back as interrupted. An error means that the process should
// end, because the study refused it or because training is not possible here.
func (s *Slot) Run(ctx context.Context) error {
	s.times = stopwatch{since: time.Now()}
	for token := int64(1); ctx.Err() == nil; token++ {
		reply, err := s.ask(ctx, token)
		if err != nil && ctx.Err() != nil {
			return nil //nolint:nilerr // being stopped is no error, whatever became of the call
		}
		if err != nil {
			return fmt.Errorf("ask for work: %w", err)
		}
		switch reply.Kind {
		case protocol.AskDone:
			s.Log.Info("no more work", "stage", s.Stage)
			return nil
		case protocol.AskWait:
			began := time.Now()
			_ = pause.For(ctx, time.Duration(reply.RetryAfterSeconds*float64(time.Second))) // the loop sees that ctx ended
			s.times.wait(began)
		case protocol.AskWork:
			if reply.Work == nil {
				return fmt.Errorf("ask for work: the answer is %q without any", reply.Kind)
			}
			if err := s.trial(ctx, *reply.Work); err != nil {
				return err
			}
		default:
			return fmt.Errorf("ask for work: the answer %q is not known", reply.Kind)
		}
	}
	return nil
}

// ask asks for work. When ctx ends meanwhile, the answer is still heard: it may be a lease,
// which would run out and count against the trial if nobody gave it back.
func (s *Slot) ask(ctx context.Context, token int64) (protocol.AskReply, error) {
	late, done := s.afterwards(ctx)
	defer done()
	return s.Study.Ask(late, protocol.AskRequest{
		SchemaVersion: protocol.Version, Study: s.StudyName, Stage: s.Stage,
		Slot: s.Name, Device: s.Device, Token: token,
	})
}

// afterwards returns a context for what must still be said when ctx ends: it lives for
// the grace time longer, or ends at once when nobody is left to hear it.
func (s *Slot) afterwards(ctx context.Context) (context.Context, context.CancelFunc) {
	grace := s.Grace
	if grace == 0 {
		grace = defaultGrace
	}
	late, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		if errors.Is(context.Cause(ctx), ErrOrphaned) {
			cancel()
			return
		}
		t := time.AfterFunc(grace, cancel)
		context.AfterFunc(late, func() { t.Stop() })
	})
	return late, func() { stop(); cancel() }
}
