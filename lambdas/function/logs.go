package function

import (
	"context"
	"io"
	"log/slog"

	"github.com/aws/aws-lambda-go/lambdacontext"
)

// newLogger returns a logger of lines of JSON, each with the function's name and the ID of
// the request that it is about.
func newLogger(w io.Writer, name string) *slog.Logger {
	return slog.New(requests{slog.NewJSONHandler(w, nil)}).With("function", name)
}

// requests adds the request's ID to the records that have one in their context.
type requests struct{ slog.Handler }

// Handle implements [slog.Handler].
func (h requests) Handle(ctx context.Context, r slog.Record) error {
	if lc, ok := lambdacontext.FromContext(ctx); ok {
		r.AddAttrs(slog.String("request_id", lc.AwsRequestID))
	}
	return h.Handler.Handle(ctx, r)
}

// WithAttrs implements [slog.Handler].
func (h requests) WithAttrs(attrs []slog.Attr) slog.Handler {
	return requests{h.Handler.WithAttrs(attrs)}
}

// WithGroup implements [slog.Handler].
func (h requests) WithGroup(name string) slog.Handler {
	return requests{h.Handler.WithGroup(name)}
}
