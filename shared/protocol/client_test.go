package protocol

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// answers serves the given answers one after the other, then the last again.
func answers(t *testing.T, list ...func(http.ResponseWriter, *http.Request)) (*Client, *atomic.Int64) {
	t.Helper()
	var calls atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := int(calls.Add(1)) - 1
		list[min(n, len(list)-1)](w, r)
	}))
	t.Cleanup(server.Close)
	return &Client{Transport: &HTTPTransport{Endpoint: server.URL, Token: "secret"}}, &calls
}

func status(code int, body string) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(code)
		_, _ = fmt.Fprint(w, body)
	}
}

func TestClientCalls(t *testing.T) {
	c, calls := answers(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost || r.Header.Get("Authorization") != "Bearer secret" ||
			r.Header.Get("Content-Type") != "application/json" {
			t.Errorf("request %s %v", r.Method, r.Header)
		}
		switch r.URL.Path {
		case "/v1/ask":
			if req, err := Decode[AskRequest](r.Body); err != nil || req.Slot != "slot" {
				t.Errorf("ask %+v, %v", req, err)
			}
			_, _ = fmt.Fprint(w, `{"schema_version": 1, "kind": "wait", "retry_after_seconds": 2, "newer": true}`)
		case "/v1/tell":
			if req, err := Decode[TellRequest](r.Body); err != nil || req.Trial != 3 {
				t.Errorf("tell %+v, %v", req, err)
			}
			_, _ = fmt.Fprint(w, `{"schema_version": 1, "kind": "continue", "to_epoch": 6}`)
		case "/v1/heartbeat":
			if req, err := Decode[HeartbeatRequest](r.Body); err != nil || req.Attempt != 1 {
				t.Errorf("heartbeat %+v, %v", req, err)
			}
			_, _ = fmt.Fprint(w, `{"schema_version": 1, "lost": true}`)
		}
	})
	ctx := t.Context()
	if r, err := c.Ask(ctx, AskRequest{Slot: "slot"}); err != nil || r.Kind != AskWait || r.RetryAfterSeconds != 2 {
		t.Errorf("Ask = %+v, %v", r, err)
	}
	c.Transport.(*HTTPTransport).HTTP = &http.Client{}
	if r, err := c.Tell(ctx, TellRequest{Trial: 3}); err != nil || r.Kind != TellContinue || r.ToEpoch != 6 {
		t.Errorf("Tell = %+v, %v", r, err)
	}
	if r, err := c.Heartbeat(ctx, HeartbeatRequest{Attempt: 1}); err != nil || !r.Lost {
		t.Errorf("Heartbeat = %+v, %v", r, err)
	}
	if calls.Load() != 3 {
		t.Errorf("%d calls, want 3", calls.Load())
	}
}

func TestClientRetries(t *testing.T) {
	c, calls := answers(t,
		status(http.StatusServiceUnavailable, `{"schema_version": 1, "code": "unavailable", "message": "busy"}`),
		status(http.StatusBadGateway, "<html>"),
		func(w http.ResponseWriter, _ *http.Request) { // the connection breaks within the answer
			w.Header().Set("Content-Length", "100")
			_, _ = fmt.Fprint(w, `{"sche`)
		},
		status(http.StatusOK, `{"schema_version": 1, "kind": "done"}`))
	if r, err := c.Ask(t.Context(), AskRequest{}); err != nil || r.Kind != AskDone || calls.Load() != 4 {
		t.Fatalf("Ask = %+v, %v after %d calls", r, err, calls.Load())
	}
}

// A study that comes up later is waited for.
func TestClientWaitsForTheServer(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	c := &Client{Transport: &HTTPTransport{Endpoint: "http://" + address}}
	short, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	_, err = c.Ask(short, AskRequest{})
	if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "refused") {
		t.Fatalf("Ask of nobody = %v, want the deadline and the refused connection", err)
	}
	go func() {
		time.Sleep(150 * time.Millisecond)
		l, err := net.Listen("tcp", address)
		if err != nil {
			t.Error(err)
			return
		}
		server := &http.Server{Handler: http.HandlerFunc(status(http.StatusOK, `{"schema_version": 1, "kind": "done"}`))}
		t.Cleanup(func() { _ = server.Close() })
		_ = server.Serve(l)
	}()
	if r, err := c.Ask(t.Context(), AskRequest{}); err != nil || r.Kind != AskDone {
		t.Fatalf("Ask = %+v, %v", r, err)
	}
}

func TestClientRefused(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		body   string
		code   ErrorCode
		want   string
	}{
		"invalid":  {400, `{"schema_version": 1, "code": "invalid", "message": "trial 9 has no attempt 3"}`, CodeInvalid, "ask: trial 9 has no attempt 3"},
		"conflict": {409, `{"schema_version": 1, "code": "conflict", "message": "late"}`, CodeConflict, "ask: late"},
		"page":     {404, `<html>`, "", "ask: the study answered with HTTP status 404"},
		"redirect": {http.StatusNotModified, "", "", "HTTP status 304"},
	} {
		client, calls := answers(t, status(c.status, c.body))
		_, err := client.Ask(t.Context(), AskRequest{})
		var refused *Error
		if !errors.As(err, &refused) || refused.Code != c.code || refused.Status != c.status || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
		if calls.Load() != 1 {
			t.Errorf("%s: called %d times, want once", name, calls.Load())
		}
	}
	for body, want := range map[string]string{
		`{"schema_version": 2, "kind": "done"}`: "schema_version 2",
		`{"schema_version": 1, "kind": 1}`:      "read reply",
		strings.Repeat(" ", maxReply+1):         "too long",
	} {
		client, _ := answers(t, status(200, body))
		if _, err := client.Ask(t.Context(), AskRequest{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("reply %.40q: %v, want …%s…", body, err, want)
		}
	}
	if _, err := (&Client{Transport: &HTTPTransport{Endpoint: "http://\x00"}}).Ask(t.Context(), AskRequest{}); err == nil {
		t.Error("Ask of a bad endpoint succeeded")
	}
	bad := AskRequest{Device: Device{Name: "cpu"}}
	if _, err := call[AskReply](t.Context(), &Client{}, "ask", map[string]any{"x": make(chan int), "y": bad}); err == nil {
		t.Error("a request that is no JSON was sent")
	}
}
