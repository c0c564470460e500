package jobevent

import (
	"context"
	"errors"
	"log/slog"

	"github.com/supermax-hpo/supermax/shared/protocol"
	"github.com/supermax-hpo/supermax/shared/study"
)

// A Releaser gives back what slots held that are gone.
type Releaser interface {
	ReleaseSlot(context.Context, protocol.ReleaseSlotRequest) (protocol.ReleaseSlotReply, error)
}

// Reply says what an event led to.
type Reply struct {
	Released int   `json:"released"` // slots that are gone, those that were known to be gone before included
	Requeued []int `json:"requeued"` // trials taken back by this call
}

// Release tells a study that the job's ended attempts are gone. Events may come twice and
// in any order. A job of nothing that is here is no error: logger is told why nothing
// happened.
func Release(ctx context.Context, to Releaser, e Event, logger *slog.Logger) (Reply, error) {
	reply := Reply{Requeued: []int{}}
	name, ok := e.Detail.Study()
	if !ok {
		logger.InfoContext(ctx, "event ignored", "reason", "the job's environment has no "+StudyVariable, "job", e.Detail.ID)
		return reply, nil
	}
	for _, end := range e.Detail.Ended() {
		r, err := to.ReleaseSlot(ctx, protocol.ReleaseSlotRequest{SchemaVersion: protocol.Version, Study: name, Slot: end.Slot, Cause: end.Cause})
		var refused *study.Error
		if errors.As(err, &refused) && refused.Code == protocol.CodeNotFound {
			logger.InfoContext(ctx, "event ignored", "reason", err.Error(), "job", e.Detail.ID)
			return reply, nil
		}
		if err != nil {
			return reply, err
		}
		reply.Released++
		reply.Requeued = append(reply.Requeued, r.Requeued...)
		logger.InfoContext(ctx, "slot released", "study", name, "slot", end.Slot, "cause", end.Cause, "requeued", r.Requeued)
	}
	return reply, nil
}
