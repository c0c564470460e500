package protocol

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/supermax-hpo/supermax/shared/pause"
)

const (
	firstPause = 100 * time.Millisecond
	maxPause   = 5 * time.Second
	// attemptTimeout ends an attempt that a frozen server would hold for ever. It is far
	// beyond what an answer takes; the call is then repeated.
	attemptTimeout = time.Minute
	// maxReply bounds what is read of an answer.
	maxReply = 16 << 20
)

// A Client speaks to a study for a slot. A call that finds nobody, or that is told to try
// again, is repeated with growing pauses until its context ends: every request is safe to
// arrive twice. A refusal comes back as [*Error]. Its methods fill in the schema version
// and may be called from many goroutines at once.
type Client struct {
	Endpoint string       // for example http://127.0.0.1:7411
	Token    string       // the bearer token
	HTTP     *http.Client // nil: http.DefaultClient
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

// call posts a request until it is answered. When ctx ends first, the error wraps both
// ctx's and the last attempt's.
func call[R any](ctx context.Context, c *Client, name string, req any) (R, error) {
	var reply R
	body, err := json.Marshal(req)
	if err != nil {
		return reply, fmt.Errorf("%s: write request: %w", name, err)
	}
	var last error // why the study did not answer; not that ctx ended while it was asked
	for wait := firstPause; ; wait = min(2*wait, maxPause) {
		data, retry, err := c.post(ctx, name, body)
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

// post makes one attempt and returns the body of a 200. retry says that another attempt
// may go better.
func (c *Client) post(ctx context.Context, name string, body []byte) (data []byte, retry bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.Endpoint+"/v1/"+name, bytes.NewReader(body))
	if err != nil {
		return nil, false, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+c.Token)
	client := c.HTTP
	if client == nil {
		client = http.DefaultClient
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, true, err
	}
	defer func() { _ = resp.Body.Close() }()
	data, err = io.ReadAll(io.LimitReader(resp.Body, maxReply+1))
	switch {
	case err != nil:
		return nil, true, fmt.Errorf("read reply: %w", err)
	case len(data) > maxReply:
		return nil, false, errors.New("read reply: it is too long")
	case resp.StatusCode == http.StatusOK:
		return data, false, nil
	}
	refused := &Error{Status: resp.StatusCode}
	var reply ErrorReply
	if json.Unmarshal(data, &reply) == nil { // a proxy's answer is no ErrorReply
		refused.Code, refused.Message = reply.Code, reply.Message
	}
	switch resp.StatusCode {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return nil, true, refused
	}
	return nil, false, refused
}
