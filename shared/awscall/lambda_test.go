package awscall

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/google/go-cmp/cmp"

	"github.com/supermax-hpo/supermax/shared/protocol"
)

// functions is Lambda's endpoint, answering as it is told.
func functions(t *testing.T, answer http.HandlerFunc) *Lambda {
	t.Helper()
	server := httptest.NewServer(answer)
	t.Cleanup(server.Close)
	alone(t)
	t.Setenv("AWS_ENDPOINT_URL", server.URL)
	cfg, err := Config(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return &Lambda{Client: lambda.NewFromConfig(cfg), Functions: map[string]string{"ask": "supermax-ask", "tell": "t", "heartbeat": "h"}}
}

// failed answers as Lambda does for a function that returned an error.
func failed(payload string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Amz-Function-Error", "Unhandled")
		_, _ = io.WriteString(w, payload)
	}
}

// refused answers as Lambda does for a call that reached no function.
func refused(status int, code string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Amzn-ErrorType", code)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, `{"Message": "no today"}`)
	}
}

func TestCall(t *testing.T) {
	refusal := func(code protocol.ErrorCode) *protocol.Error {
		return &protocol.Error{Code: code, Message: "there is no study \"x\""}
	}
	said := func(kind string) http.HandlerFunc {
		return failed(`{"errorType": "` + kind + `", "errorMessage": "there is no study \"x\""}`)
	}
	for name, tt := range map[string]struct {
		answer http.HandlerFunc
		retry  bool
		want   string
		as     *protocol.Error
	}{
		"invalid":           {said("Invalid"), false, "no study", refusal(protocol.CodeInvalid)},
		"unauthorized":      {said("Unauthorized"), false, "no study", refusal(protocol.CodeUnauthorized)},
		"not found":         {said("NotFound"), false, "no study", refusal(protocol.CodeNotFound)},
		"conflict":          {said("Conflict"), false, "no study", refusal(protocol.CodeConflict)},
		"unavailable":       {said("Unavailable"), true, "no study", refusal(protocol.CodeUnavailable)},
		"timed out":         {failed(`{"errorType": "Sandbox.Timedout", "errorMessage": "secret"}`), true, "ended without an answer (Sandbox.Timedout, 1 in a row)", nil},
		"panicked":          {failed(`{"errorType": "a post's text", "errorMessage": "secret", "stackTrace": []}`), true, "ended without an answer (Unhandled, 1 in a row)", nil},
		"no JSON":           {failed(`secret`), true, "ended without an answer (Unhandled, 1 in a row)", nil},
		"throttled":         {refused(http.StatusTooManyRequests, "TooManyRequestsException"), true, "TooManyRequestsException: no today", nil},
		"fault of Lambda":   {refused(http.StatusInternalServerError, "ServiceException"), true, "ServiceException", nil},
		"a proxy's fault":   {refused(http.StatusBadGateway, ""), true, "supermax-ask", nil},
		"updating":          {refused(http.StatusConflict, "ResourceConflictException"), true, "ResourceConflictException", nil},
		"no such function":  {refused(http.StatusNotFound, "ResourceNotFoundException"), false, "ResourceNotFoundException", nil},
		"not allowed":       {refused(http.StatusForbidden, "AccessDeniedException"), false, "invoke function supermax-ask: AccessDeniedException: no today", nil},
		"connection broken": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, true, "EOF", nil},
	} {
		t.Run(name, func(t *testing.T) {
			var attempts atomic.Int64
			l := functions(t, func(w http.ResponseWriter, r *http.Request) {
				attempts.Add(1)
				tt.answer(w, r)
			})
			reply, retry, err := l.Call(t.Context(), "ask", []byte(`{}`))
			if err == nil || reply != nil || retry != tt.retry || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %q, repeat %t, %v; want repeat %t, …%s…", reply, retry, err, tt.retry, tt.want)
			}
			var got *protocol.Error
			errors.As(err, &got)
			if d := cmp.Diff(tt.as, got); d != "" {
				t.Errorf("as a refusal: -want +got\n%s", d)
			}
			if err != nil && (strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "post")) {
				t.Errorf("the error repeats what the function said: %v", err)
			}
			if n := attempts.Load(); n != 1 {
				t.Errorf("%d attempts in one", n)
			}
		})
	}
}

// A client over the transport asks again through faults, and gets the reply.
func TestClientOverLambda(t *testing.T) {
	var calls []string
	l := functions(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		calls = append(calls, r.URL.Path+" "+string(body))
		if len(calls) == 1 {
			failed(`{"errorType": "Unavailable", "errorMessage": "the table is busy"}`)(w, r)
			return
		}
		_ = json.NewEncoder(w).Encode(protocol.AskReply{SchemaVersion: protocol.Version, Kind: protocol.AskDone})
	})
	client := &protocol.Client{Transport: l}
	reply, err := client.Ask(t.Context(), protocol.AskRequest{Study: "s"})
	if err != nil || reply.Kind != protocol.AskDone {
		t.Fatalf("got %+v, %v", reply, err)
	}
	if len(calls) != 2 || calls[0] != calls[1] || !strings.HasPrefix(calls[0], "/2015-03-31/functions/supermax-ask/invocations {") {
		t.Errorf("calls %q", calls)
	}
	if _, _, err := l.Call(t.Context(), "plan", nil); err == nil || err.Error() != `no function is known for the call "plan"` {
		t.Errorf("an unknown call: %v", err)
	}
}

// A function that always fails is given up; an answer between starts the count again.
func TestFaultsInARow(t *testing.T) {
	broken := true
	l := functions(t, func(w http.ResponseWriter, r *http.Request) {
		if broken {
			failed(`{"errorType": "Runtime.ExitError"}`)(w, r)
		}
	})
	for range 2 {
		broken = true
		for i := 1; i <= faultsInARow; i++ {
			if _, retry, err := l.Call(t.Context(), "tell", nil); err == nil || retry != (i < faultsInARow) {
				t.Fatalf("fault %d: repeat %t, %v", i, retry, err)
			}
		}
		broken = false
		if _, _, err := l.Call(t.Context(), "heartbeat", nil); err != nil {
			t.Fatal(err)
		}
	}
}
