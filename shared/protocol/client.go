package protocol

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/supermax-hpo/supermax/shared/pause"
)

const (
	firstPause = 100 * time.Millisecond
	maxPause   = 5 * time.Second
)

// A Transport carries a call to the study: over HTTP on a laptop ([HTTPTransport]), by
// invoking a Lambda function on AWS.
type Transport interface {
	// Call makes one attempt at the call of that name (ask, tell, heartbeat) and returns
	// the reply's JSON. A refusal is a [*Error]. retry says that another attempt may go
	// better; the request is one that may arrive twice.
	Call(ctx context.Context, name string, body []byte) (reply []byte, retry bool, err error)
}

// A Client speaks to a study for a slot. A call that finds nobody, or that is told to try
// again, is repeated with growing pauses until its context ends: every request is safe to
// arrive twice. A refusal comes back as [*Error]. Its methods fill in the schema version
// and may be called from many goroutines at once.
type Client struct {
	Transport Transport
}

// Ask asks for work.
func (c *Client) Ask(ctx context.Context, req AskRequest) (AskReply, error) {
	req.SchemaVersion = Version
	return call[AskReply](ctx, c, "ask", req)
}

// Tell reports an outcome.
func (c *Client) Tell(ctx context.Context, req TellRequest) (TellReply, error) {
	req.SchemaVersion = Version
	return call[TellReply](ctx, c, "tell", req)
}

// Heartbeat keeps a lease alive.
func (c *Client) Heartbeat(ctx context.Context, req HeartbeatRequest) (HeartbeatReply, error) {
	req.SchemaVersion = Version
	return call[HeartbeatReply](ctx, c, "heartbeat", req)
}

// call sends a request until it is answered. When ctx ends first, the error wraps both
// ctx's and the last attempt's.
func call[R any](ctx context.Context, c *Client, name string, req any) (R, error) {
	var reply R
	body, err := json.Marshal(req)
	if err != nil {
		return reply, fmt.Errorf("%s: write request: %w", name, err)
	}
	var last error // why the study did not answer; not that ctx ended while it was asked
	for wait := firstPause; ; wait = min(2*wait, maxPause) {
		data, retry, err := c.Transport.Call(ctx, name, body)
		if err == nil {
			if err := json.Unmarshal(data, &reply); err != nil {
				return reply, fmt.Errorf("%s: read reply: %w", name, err)
			}
			if err := checkVersion(data); err != nil {
				return reply, fmt.Errorf("%s: read reply: %w", name, err)
			}
			return reply, nil
		}
		if !retry {
			return reply, fmt.Errorf("%s: %w", name, err)
		}
		if ctx.Err() == nil || last == nil {
			last = err
		}
		// Slots that lost the study together should not come back together.
		if err := pause.For(ctx, wait/2+rand.N(wait/2)); err != nil {
			return reply, fmt.Errorf("%s: %w; the last attempt: %w", name, err, last)
		}
	}
}
