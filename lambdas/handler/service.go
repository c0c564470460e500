// Package handler is what a study's functions do: start, plan, ask, tell, heartbeat, release
// slot, check, aggregate, promote, finish, stop, resume. Each reads the study's events, lets package
// study decide, and appends what was decided on condition that nothing came between. On
// AWS each is a Lambda; on a laptop the command calls them and serves those that slots
// need over loopback HTTP ([HTTP]).
package handler

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/supermax-hpo/supermax/shared/objects"
	"github.com/supermax-hpo/supermax/shared/protocol"
	"github.com/supermax-hpo/supermax/shared/store"
	"github.com/supermax-hpo/supermax/shared/study"
)

// A Service handles the requests of any number of studies. Its fields are set before the
// first call; its methods may be called from many goroutines, and from many processes on
// the same Log.
//
// A refusal is a [*study.Error], whose code says why; any other error means that the
// request may be repeated ([protocol.CodeUnavailable]).
type Service struct {
	Log     store.Log
	Objects *objects.Bucket // Create, Aggregate, Promote and Finish need it, the others do without
	Clock   func() time.Time
	Logger  *slog.Logger // nil: nothing is logged
	// Observe is told of each command before its caller is, while other commands of the
	// study wait. nil: nobody measures.
	Observe func(context.Context, Observation)

	// Start needs these.
	Definitions *objects.Bucket // the data bucket: definitions, corpora and backbones
	Bundle      Bundle          // nil: no study comes with the program

	mu      sync.Mutex
	studies map[string]*entry
}

// State returns the study as it is now. The state is the caller's: it never changes.
func (s *Service) State(ctx context.Context, name string) (*study.State, error) {
	e, err := s.lock(ctx, name)
	if err != nil {
		return nil, err
	}
	defer e.unlock()
	if _, err := e.refresh(ctx, s.Log); err != nil {
		return nil, err
	}
	return e.state.Clone(), nil
}

// Plan opens a stage.
func (s *Service) Plan(ctx context.Context, req protocol.StageRequest) (protocol.PlanReply, error) {
	return do(ctx, s, planCommand, req.Study, req)
}

// Ask gives a slot its next work.
func (s *Service) Ask(ctx context.Context, req protocol.AskRequest) (protocol.AskReply, error) {
	return do(ctx, s, askCommand, req.Study, req)
}

// Tell takes an attempt's outcome.
func (s *Service) Tell(ctx context.Context, req protocol.TellRequest) (protocol.TellReply, error) {
	return do(ctx, s, tellCommand, req.Study, req)
}

// Heartbeat renews a lease.
func (s *Service) Heartbeat(ctx context.Context, req protocol.HeartbeatRequest) (protocol.HeartbeatReply, error) {
	return do(ctx, s, heartbeatCommand, req.Study, req)
}

// ReleaseSlot gives back what a slot held that is gone.
func (s *Service) ReleaseSlot(ctx context.Context, req protocol.ReleaseSlotRequest) (protocol.ReleaseSlotReply, error) {
	return do(ctx, s, releaseSlotCommand, req.Study, req)
}

// Check takes back the leases that ran out and says how far a stage is.
func (s *Service) Check(ctx context.Context, req protocol.StageRequest) (protocol.CheckReply, error) {
	return do(ctx, s, checkCommand, req.Study, req)
}

// Resume lets a stopped study go on, and sets its budget.
func (s *Service) Resume(ctx context.Context, req protocol.ResumeRequest) (protocol.ResumeReply, error) {
	return do(ctx, s, resumeCommand, req.Study, req)
}

// Stop ends a study's work until it is resumed; what runs may finish.
func (s *Service) Stop(ctx context.Context, req protocol.StopRequest) (protocol.StopReply, error) {
	return do(ctx, s, stopCommand, req.Study, req)
}

// Promote closes a done stage, and then removes its checkpoints: nothing goes on from them
// any more. Those of stage C stay, they are the models.
func (s *Service) Promote(ctx context.Context, req protocol.StageRequest) (protocol.PromoteReply, error) {
	reply, err := do(ctx, s, promoteCommand, req.Study, req)
	if err != nil || req.Stage == protocol.StageC {
		return reply, err
	}
	keys, err := s.Objects.List(ctx, study.StageCheckpoints(req.Study, req.Stage))
	if err != nil {
		return reply, err
	}
	return reply, s.Objects.Delete(ctx, keys...)
}

func (s *Service) logger() *slog.Logger {
	if s.Logger == nil {
		return slog.New(slog.DiscardHandler)
	}
	return s.Logger
}
