package load

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"
)

// faults is a way to DynamoDB on which a share of the calls goes wrong. What it does to a
// call the SDK sees as it would see it of a network: the SDK's own repetitions go through
// here again.
type faults struct {
	share float64
	seed  uint64
	next  http.RoundTripper

	late sync.WaitGroup // second comings under way

	mu     sync.Mutex
	rng    *rand.Rand
	calls  int
	counts [6]int
}

// The faults.
const (
	failedBefore = iota // DynamoDB never hears of the call
	refused             // it answers with an error of its own, and does nothing
	failedAfter         // it does the call, but the answer is lost
	twice               // the call arrives twice
	delayed             // the call arrives late
	comesAgain          // the call arrives a second time, long after it was answered
)

var faultNames = [...]string{"failed before", "refused", "failed after", "sent twice", "delayed", "came again later"}

var errBroken = errors.New("connection reset by peer")

// draw decides what happens to a call, -1: nothing.
func (f *faults) draw() (fault int, delay time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.rng == nil {
		f.rng = rand.New(rand.NewPCG(f.seed, f.seed))
	}
	f.calls++
	if f.rng.Float64() >= f.share {
		return -1, 0
	}
	fault = f.rng.IntN(len(f.counts))
	f.counts[fault]++
	return fault, time.Duration(f.rng.Int64N(int64(500 * time.Millisecond)))
}

func (f *faults) RoundTrip(req *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	_ = req.Body.Close()
	send := func(ctx context.Context) (*http.Response, error) {
		again := req.Clone(ctx)
		again.Body = io.NopCloser(bytes.NewReader(body))
		return f.next.RoundTrip(again)
	}
	drop := func(ctx context.Context) {
		if resp, err := send(ctx); err == nil {
			_, _ = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
		}
	}
	fault, delay := f.draw()
	switch fault {
	case failedBefore:
		return nil, errBroken
	case refused:
		const text = `{"__type": "com.amazonaws.dynamodb.v20120810#InternalServerError", "message": "injected"}`
		return &http.Response{StatusCode: http.StatusInternalServerError, ProtoMajor: 1, ProtoMinor: 1, Request: req,
			Header: http.Header{"Content-Type": {"application/x-amz-json-1.0"}}, Body: io.NopCloser(bytes.NewReader([]byte(text)))}, nil
	case failedAfter:
		drop(req.Context())
		return nil, errBroken
	case twice:
		drop(req.Context())
	case delayed:
		time.Sleep(delay)
	case comesAgain:
		f.late.Go(func() {
			time.Sleep(10 * delay)
			drop(context.WithoutCancel(req.Context()))
		})
	}
	return send(req.Context())
}

func (f *faults) String() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	text := fmt.Sprintf("%d calls to DynamoDB", f.calls)
	for i, n := range f.counts {
		text += fmt.Sprintf(", %d %s", n, faultNames[i])
	}
	return text
}
