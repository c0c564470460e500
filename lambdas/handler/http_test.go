package handler

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/supermax-hpo/supermax/shared/protocol"
	"github.com/supermax-hpo/supermax/shared/store"
)

// A slot trains a stage over HTTP, through the client that trainers use.
func TestHTTP(t *testing.T) {
	w := newWorld(t)
	w.create()
	ctx := t.Context()
	if _, err := w.Plan(ctx, w.request(protocol.StageA)); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(HTTP(w.Service, "secret"))
	defer server.Close()
	c := &protocol.Client{Transport: &protocol.HTTPTransport{Endpoint: server.URL, Token: "secret"}}
	reports := 0
	for token := int64(1); ; token++ {
		reply, err := c.Ask(ctx, protocol.AskRequest{Study: "small", Stage: protocol.StageA, Slot: "slot", Token: token})
		if err != nil {
			t.Fatal(err)
		}
		if reply.Kind == protocol.AskDone {
			break
		}
		work := *reply.Work
		beat, err := c.Heartbeat(ctx, protocol.HeartbeatRequest{Study: "small", Trial: work.Trial, Attempt: work.Attempt})
		if err != nil || beat.Lost {
			t.Fatalf("Heartbeat = %+v, %v", beat, err)
		}
		for more := true; more; {
			outcome, _ := w.train(protocol.StageA, work)
			told, err := c.Tell(ctx, tell(work, outcome))
			if err != nil {
				t.Fatal(err)
			}
			reports++
			more = told.Kind == protocol.TellContinue
			work.Rung, work.FromEpoch, work.ToEpoch = told.Rung, told.FromEpoch, told.ToEpoch
		}
	}
	st, err := w.State(ctx, "small")
	if err != nil || len(st.Accepted(protocol.StageA)) != reports || reports < 12 {
		t.Errorf("%d reports were told, %d accepted, %v", reports, len(st.Accepted(protocol.StageA)), err)
	}

	var refused *protocol.Error
	_, err = c.Tell(ctx, protocol.TellRequest{Study: "small", Trial: 999})
	if !errors.As(err, &refused) || refused.Code != protocol.CodeNotFound || refused.Status != http.StatusNotFound {
		t.Errorf("Tell of trial 999 = %v", err)
	}
	_, err = c.Ask(ctx, protocol.AskRequest{Study: "other", Stage: protocol.StageA, Slot: "slot", Token: 1})
	if !errors.As(err, &refused) || refused.Code != protocol.CodeNotFound {
		t.Errorf("Ask of another study = %v", err)
	}
	c.Transport.(*protocol.HTTPTransport).Token = "guess"
	_, err = c.Ask(ctx, protocol.AskRequest{})
	if !errors.As(err, &refused) || refused.Code != protocol.CodeUnauthorized || refused.Status != http.StatusUnauthorized {
		t.Errorf("Ask with a wrong token = %v", err)
	}
}

func TestHTTPRefuses(t *testing.T) {
	w := newWorld(t)
	w.create()
	for name, c := range map[string]struct {
		token, header, method, path, body string
		status                            int
		want                              string
	}{
		"no token":        {"t", "", "POST", "/v1/ask", "{}", 401, "token is missing or wrong"},
		"wrong token":     {"t", "Bearer x", "POST", "/v1/ask", "{}", 401, "token"},
		"no bearer":       {"t", "t", "POST", "/v1/ask", "{}", 401, "token"},
		"empty token":     {"", "Bearer ", "POST", "/v1/ask", "{}", 401, "token"},
		"hidden path":     {"t", "", "GET", "/v1/none", "", 401, "token"},
		"unknown path":    {"t", "Bearer t", "POST", "/v1/promote", "{}", 404, "no such call"},
		"method":          {"t", "Bearer t", "GET", "/v1/ask", "", 405, "the method is GET; allowed: POST"},
		"no JSON":         {"t", "Bearer t", "POST", "/v1/ask", "x", 400, "read request"},
		"no version":      {"t", "Bearer t", "POST", "/v1/ask", "{}", 400, "schema_version is missing"},
		"unknown field":   {"t", "Bearer t", "POST", "/v1/ask", `{"schema_version": 1, "x": 1}`, 400, `unknown field \"x\"`},
		"too large":       {"t", "Bearer t", "POST", "/v1/tell", strings.Repeat(" ", maxBody+1), 413, "too large"},
		"bad study":       {"t", "Bearer t", "POST", "/v1/ask", `{"schema_version": 1, "study": "../x"}`, 400, "study name"},
		"slot is missing": {"t", "Bearer t", "POST", "/v1/ask", `{"schema_version": 1, "study": "small", "stage": "A"}`, 400, "slot name"},
	} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest(c.method, c.path, strings.NewReader(c.body))
			if c.header != "" {
				r.Header.Set("Authorization", c.header)
			}
			rec := httptest.NewRecorder()
			HTTP(w.Service, c.token).ServeHTTP(rec, r)
			body, err := io.ReadAll(rec.Body)
			if err != nil || rec.Code != c.status || !strings.Contains(string(body), c.want) {
				t.Errorf("status %d, %s; want %d …%s…", rec.Code, body, c.status, c.want)
			}
			if got := rec.Header().Get("Content-Type"); got != "application/json" {
				t.Errorf("content type %q", got)
			}
		})
	}
}

// What is nobody's fault is worth another try, and is logged.
func TestHTTPUnavailable(t *testing.T) {
	w := newWorld(t)
	var logged bytes.Buffer
	w.Logger = slog.New(slog.NewTextHandler(&logged, nil))
	w.Log = &fakeLog{load: func(int64) (store.Records, error) { return store.Records{}, errors.New("the disk is full") }}
	r := httptest.NewRequest("POST", "/v1/heartbeat", strings.NewReader(`{"schema_version": 1, "study": "small"}`))
	r.Header.Set("Authorization", "Bearer t")
	rec := httptest.NewRecorder()
	HTTP(w.Service, "t").ServeHTTP(rec, r)
	if rec.Code != http.StatusServiceUnavailable || !strings.Contains(rec.Body.String(), `"code":"unavailable"`) {
		t.Errorf("status %d, %s", rec.Code, rec.Body)
	}
	if !strings.Contains(logged.String(), "the disk is full") {
		t.Errorf("logged %q", logged.String())
	}
}
