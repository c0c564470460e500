package hub

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/supermax-hpo/supermax/cmd/supermax/internal/mistake"
)

const (
	attempts     = 8 // in a row without progress
	firstPause   = 500 * time.Millisecond
	longestPause = 30 * time.Second
	// longestAsked is how long the server may ask to wait; its limits are counted in five
	// minutes.
	longestAsked = 10 * time.Minute
)

// final marks an error that another attempt would meet again.
type final struct{ error }

func (f final) Unwrap() error { return f.error }

// later is the server's wish to be asked again after a while.
type later struct {
	error
	wait time.Duration // 0: not said
}

func (l later) Unwrap() error { return l.error }

// persist tries until it succeeds, the error is final, or too many attempts in a row brought
// nothing.
func (c *Client) persist(ctx context.Context, try func() (progress bool, err error)) error {
	for n := 1; ; n++ {
		progress, err := try()
		var never final
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case errors.As(err, &never):
			return err
		case progress:
			n = 1
		}
		if n >= attempts {
			return fmt.Errorf("%w (tried %d times)", err, n)
		}
		longest := min(firstPause<<(n-1), longestPause)
		wait := longest/2 + rand.N(longest/2) // clients that failed together part
		var asked later
		if errors.As(err, &asked) && asked.wait > 0 {
			if asked.wait > longestAsked {
				return fmt.Errorf("%w; it asks to wait %s", err, asked.wait.Round(time.Second))
			}
			wait = asked.wait
		}
		if err := c.pause(ctx, wait); err != nil {
			return err
		}
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-t.C:
		return nil
	}
}

// get sends a request and returns the answer's head; its body breaks off when no byte has
// come for a while.
func (c *Client) get(ctx context.Context, u *url.URL, header http.Header) (*http.Response, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		cancel(nil)
		return nil, err
	}
	for key, values := range header {
		req.Header[key] = values
	}
	resp, err := c.http.Do(req)
	if err != nil {
		cancel(nil)
		return nil, withoutURL(err)
	}
	b := &watched{body: resp.Body, cancel: cancel, stall: c.stall}
	b.timer = time.AfterFunc(c.stall, func() { cancel(fmt.Errorf("no byte came for %s", c.stall)) })
	b.ctx = ctx
	resp.Body = b
	return resp, nil
}

// withoutURL leaves out the address, which may hold a signature.
func withoutURL(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

// watched is a body with a limit on the time between its bytes.
type watched struct {
	body   io.ReadCloser
	ctx    context.Context // of the request; its cause says why it was broken off
	cancel context.CancelCauseFunc
	timer  *time.Timer
	stall  time.Duration
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.body.Read(p)
	if n > 0 {
		w.timer.Reset(w.stall)
	}
	if err != nil && !errors.Is(err, io.EOF) && w.ctx.Err() != nil {
		err = context.Cause(w.ctx)
	}
	return n, err
}

func (w *watched) Close() error {
	w.timer.Stop()
	w.cancel(nil)
	return w.body.Close()
}

// refusal says what a status other than the wanted one means.
func refusal(resp *http.Response) error {
	switch s := resp.StatusCode; {
	case s == http.StatusUnauthorized || s == http.StatusForbidden:
		return final{mistake.Errorf("the server answers %s: there is no such model, or it is private or gated; set HF_TOKEN to a token that may read it, and accept its terms on its page", resp.Status)}
	case s == http.StatusNotFound || s == http.StatusGone:
		return final{mistake.Errorf("the server answers %s: there is no such model, revision or file", resp.Status)}
	case s == http.StatusTooManyRequests || s == http.StatusRequestTimeout || s >= 500:
		return later{fmt.Errorf("the server answers %s", resp.Status), retryAfter(resp.Header.Get("Retry-After"), time.Now())}
	default:
		return final{fmt.Errorf("the server answers %s", resp.Status)}
	}
}

// retryAfter reads the header of that name: seconds, or a time.
func retryAfter(value string, now time.Time) time.Duration {
	if seconds, err := strconv.ParseUint(value, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(value); err == nil {
		return max(at.Sub(now), 0)
	}
	return 0
}
