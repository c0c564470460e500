package function

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/supermax-hpo/supermax/lambdas/handler"
	"github.com/supermax-hpo/supermax/lambdas/jobevent"
	"github.com/supermax-hpo/supermax/shared/protocol"
	"github.com/supermax-hpo/supermax/shared/study"
)

const (
	// maxPayload bounds a request: a tell of 40 epochs with 6 seeds has about 60 KB.
	maxPayload = 4 << 20
	// answering is how long before Lambda would end the function it gives up, so that its
	// caller is answered and its log says why.
	answering = 500 * time.Millisecond
)

// invoker answers invocations.
type invoker struct {
	name   string
	logger *slog.Logger
	meter  *meter
	call   calling
}

// calling answers a payload and returns the names in it, for the log.
type calling func(ctx context.Context, payload []byte) (reply any, about []any, err error)

// decoding returns a call that reads its request strictly.
func decoding[Req, Reply any](s *handler.Service, call func(*handler.Service, context.Context, Req) (Reply, error)) calling {
	return func(ctx context.Context, payload []byte) (any, []any, error) {
		if len(payload) > maxPayload {
			return nil, nil, &study.Error{Code: protocol.CodeInvalid,
				Message: fmt.Sprintf("read request: it has %d bytes; allowed: up to %d", len(payload), maxPayload)}
		}
		req, err := protocol.Decode[Req](bytes.NewReader(payload))
		if err != nil {
			return nil, nil, &study.Error{Code: protocol.CodeInvalid, Message: err.Error()}
		}
		reply, err := call(s, ctx, req)
		return reply, about(req), err
	}
}

// jobEvents returns a call that reads events as far as it needs them.
func jobEvents(s *handler.Service, logger *slog.Logger) calling {
	return func(ctx context.Context, payload []byte) (any, []any, error) {
		event, err := jobevent.Parse(payload)
		if err != nil {
			return nil, nil, &study.Error{Code: protocol.CodeInvalid, Message: err.Error()}
		}
		reply, err := jobevent.Release(ctx, s, event, logger)
		return reply, []any{"job", event.Detail.ID, "status", brief(event.Detail.Status), "attempts", len(event.Detail.Attempts)}, err
	}
}

// Invoke implements [lambda.Handler]. Neither the request nor the reply is logged, but for
// the names in them.
func (f invoker) Invoke(ctx context.Context, payload []byte) (data []byte, err error) {
	began := time.Now()
	ctx, cancel := inTime(ctx)
	defer cancel()
	ctx, measured := f.meter.begin(ctx)
	defer func() {
		if p := recover(); p != nil {
			// What the function knows may be half changed: Lambda starts another process.
			f.logger.ErrorContext(ctx, "the function crashed", "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			data, err = nil, crashed()
		}
	}()
	reply, names, err := f.call(ctx, payload)
	took := time.Since(began)
	names = append(names, "milliseconds", float64(took.Microseconds())/1000)
	if err != nil {
		refused := refusal(err)
		level := slog.LevelWarn
		if refused.Type == unavailable {
			level = slog.LevelError
		}
		f.logger.Log(ctx, level, "request refused", append(names, "type", refused.Type, "error", err)...)
		return nil, refused
	}
	f.meter.put(ctx, f.name, measured, took)
	if data, err = json.Marshal(reply); err != nil {
		return nil, refusal(errors.Join(errors.New("write reply"), err))
	}
	f.logger.InfoContext(ctx, "request answered", names...)
	return data, nil
}

// inTime returns a context that ends while there is still time to answer.
func inTime(ctx context.Context) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return ctx, func() {}
	}
	return context.WithDeadline(ctx, deadline.Add(-answering))
}

// about returns the names in a request, for the log.
func about(req any) []any {
	switch r := req.(type) {
	case protocol.StartRequest:
		return []any{"study", brief(r.Study), "agents", len(r.Agents), "slots", r.Slots}
	case protocol.StageRequest:
		return []any{"study", brief(r.Study), "stage", brief(string(r.Stage))}
	case protocol.AskRequest:
		return []any{"study", brief(r.Study), "stage", brief(string(r.Stage)), "slot", brief(r.Slot), "token", r.Token}
	case protocol.TellRequest:
		return []any{"study", brief(r.Study), "trial", r.Trial, "attempt", r.Attempt, "rung", r.Rung}
	case protocol.HeartbeatRequest:
		return []any{"study", brief(r.Study), "trial", r.Trial, "attempt", r.Attempt}
	case protocol.StopRequest:
		return []any{"study", brief(r.Study), "reason", brief(r.Reason)}
	case protocol.StudyRequest:
		return []any{"study", brief(r.Study)}
	}
	return nil
}

// brief cuts what a caller made long.
func brief(s string) string { return fmt.Sprintf("%.200s", s) }
