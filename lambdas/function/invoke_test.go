package function

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/supermax-hpo/supermax/lambdas/handler"
	"github.com/supermax-hpo/supermax/shared/protocol"
)

func TestInvoke(t *testing.T) {
	w := created(t)
	ask := function(w, "ask", (*handler.Service).Ask)
	data, refused := w.invoke(ask, asking("slot-1", 1))
	if refused != nil {
		t.Fatal(refused)
	}
	var reply protocol.AskReply
	if err := json.Unmarshal(data, &reply); err != nil || reply.Kind != protocol.AskWork || reply.Work.Trial != 0 {
		t.Fatalf("ask: %s, %v", data, err)
	}
	w.logged.Reset()
	tell := function(w, "tell", (*handler.Service).Tell)
	request := trained(*reply.Work, 0.5)
	if data, refused = w.invoke(tell, request); refused != nil || !bytes.Contains(data, []byte(`"kind":`)) {
		t.Fatalf("tell: %s, %v", data, refused)
	}
	// One line of JSON with the request's ID and names, and nothing else of the request.
	var line map[string]any
	if err := json.Unmarshal(w.logged.Bytes(), &line); err != nil {
		t.Fatalf("%v: %s", err, &w.logged)
	}
	for key, want := range map[string]any{"msg": "request answered", "level": "INFO", "function": "test",
		"request_id": "c6af9ac6-7b61-11e6-9a41-93e8deadbeef", "study": "small", "trial": 0.0, "attempt": 0.0, "rung": 0.0} {
		if line[key] != want {
			t.Errorf("log: %s is %v, want %v", key, line[key], want)
		}
	}
	if len(line) != 10 { // the above, the time and the milliseconds
		t.Errorf("log: %s", &w.logged)
	}
}

func TestInvokeRefuses(t *testing.T) {
	w := created(t)
	work := w.under("slot-1")
	calls := map[string]invoker{
		"ask":       function(w, "ask", (*handler.Service).Ask),
		"tell":      function(w, "tell", (*handler.Service).Tell),
		"promote":   function(w, "promote", (*handler.Service).Promote),
		"start":     function(w, "create", (*handler.Service).Start),
		"heartbeat": function(w, "heartbeat", (*handler.Service).Heartbeat),
	}
	megabyte := strings.Repeat("a", 1<<20)
	stale := trained(work, 0.5)
	stale.Attempt = 7
	for name, c := range map[string]struct {
		call, kind, want string
		request          any
	}{
		"empty":           {"ask", "Invalid", "read request: the JSON ends early", ""},
		"no object":       {"ask", "Invalid", "a JSON array is not allowed", "[1]"},
		"no version":      {"ask", "Invalid", "schema_version is missing", "{}"},
		"newer":           {"ask", "Invalid", "schema_version 99", `{"schema_version": 99}`},
		"unknown field":   {"ask", "Invalid", `unknown field "slott"`, `{"schema_version": 1, "slott": "x"}`},
		"long field":      {"ask", "Invalid", `unknown field "aaa`, `{"schema_version": 1, "` + megabyte + `": "x"}`},
		"mistyped":        {"start", "Invalid", "study: a JSON object is not allowed", `{"schema_version": 1, "study": {}}`},
		"too long":        {"tell", "Invalid", "4194305 bytes; allowed: up to 4194304", strings.Repeat(" ", 4<<20+1)},
		"path":            {"start", "Invalid", "../../etc/passwd", `{"schema_version": 1, "study": "../../etc/passwd"}`},
		"long study":      {"start", "Invalid", "study name", `{"schema_version": 1, "study": "` + megabyte + `"}`},
		"long agent":      {"start", "Invalid", "is no agent", `{"schema_version": 1, "study": "small", "agents": ["` + megabyte + `"]}`},
		"line breaks":     {"start", "Invalid", "study name", `{"schema_version": 1, "study": "a\r\nb"}`},
		"no such study":   {"heartbeat", "NotFound", `there is no study "other"`, `{"schema_version": 1, "study": "other"}`},
		"no definition":   {"start", "NotFound", "it has no definition", `{"schema_version": 1, "study": "other"}`},
		"no such attempt": {"tell", "Invalid", "trial 0 has no attempt 7", stale},
		"not done":        {"promote", "Conflict", "stage A", `{"schema_version": 1, "study": "small", "stage": "A"}`},
		"late":            {"ask", "Invalid", "attempt token 0", asking("slot-1", 0)},
	} {
		t.Run(name, func(t *testing.T) {
			w.logged.Reset()
			reply, refused := w.invoke(calls[c.call], c.request)
			if refused == nil {
				t.Fatalf("it was answered: %s", reply)
			}
			if refused.Type != c.kind || !strings.Contains(refused.Message, c.want) || refused.ShouldExit {
				t.Errorf("%s: %s; want %s: …%s…", refused.Type, refused.Message, c.kind, c.want)
			}
			checkSentence(t, refused.Message)
			if !strings.Contains(w.logged.String(), `"type":"`+c.kind+`"`) || w.logged.Len() > 2500 {
				t.Errorf("log: %.3000s", &w.logged)
			}
		})
	}
}

func checkSentence(t testing.TB, s string) {
	t.Helper()
	if s == "" || len(s) > maxSentence || strings.ContainsAny(s, "\n\r\t\x00") {
		t.Errorf("the sentence has %d bytes: %q", len(s), s)
	}
}

func TestInvokeStart(t *testing.T) {
	w := created(t)
	w.upload(uploaded(t))
	data, refused := w.invoke(function(w, "create", (*handler.Service).Start),
		`{"schema_version": 1, "study": "small", "agents": ["criteria", "evidence"], "slots": 2, "budget_dollars": 5}`)
	want := `{"schema_version":1,"studies":[{"study":"small","agent":"criteria","slots":2},{"study":"small-evidence","agent":"evidence","slots":2}]}`
	if refused != nil || string(data) != want {
		t.Errorf("start: %s, %v; want %s", data, refused, want)
	}
}

// A fault of what the function needs is worth another try.
func TestInvokeUnavailable(t *testing.T) {
	w := created(t)
	w.log.faults = errors.New("ProvisionedThroughputExceededException: slow down")
	_, refused := w.invoke(function(w, "ask", (*handler.Service).Ask), asking("slot", 1))
	if refused == nil || refused.Type != "Unavailable" || !strings.Contains(refused.Message, "slow down") {
		t.Errorf("refused %+v", refused)
	}
	if !strings.Contains(w.logged.String(), `"level":"ERROR"`) || w.metrics.Len() > 0 {
		t.Errorf("log: %s, metrics: %s", &w.logged, &w.metrics)
	}
}

// The function gives up in time to say so.
func TestInvokeInTime(t *testing.T) {
	w := created(t)
	slow := function(w, "ask", func(_ *handler.Service, ctx context.Context, _ protocol.AskRequest) (protocol.AskReply, error) {
		<-ctx.Done()
		return protocol.AskReply{}, ctx.Err()
	})
	ctx, cancel := context.WithTimeout(requested(t.Context()), answering+50*time.Millisecond)
	defer cancel()
	_, err := slow.Invoke(ctx, []byte(`{"schema_version": 1}`))
	if err == nil || !strings.Contains(err.Error(), "Unavailable") || ctx.Err() != nil {
		t.Errorf("Invoke = %v; its time: %v", err, ctx.Err())
	}
}

// A panic ends the process, and tells the caller nothing of the request.
func TestInvokePanics(t *testing.T) {
	w := created(t)
	broken := function(w, "ask", func(_ *handler.Service, _ context.Context, r protocol.AskRequest) (protocol.AskReply, error) {
		panic("index out of range: " + r.Slot)
	})
	_, refused := w.invoke(broken, asking("secret", 1))
	if refused == nil || refused.Type != "Crashed" || !refused.ShouldExit || strings.Contains(refused.Message, "secret") {
		t.Errorf("refused %+v", refused)
	}
	if log := w.logged.String(); !strings.Contains(log, "index out of range") || !strings.Contains(log, "invoke_test.go") {
		t.Errorf("log: %s", log)
	}
}

func TestInvokeReplyThatIsNoJSON(t *testing.T) {
	w := created(t)
	odd := function(w, "ask", func(*handler.Service, context.Context, protocol.AskRequest) (chan int, error) { return nil, nil })
	if _, refused := w.invoke(odd, asking("slot", 1)); refused == nil || refused.Type != "Unavailable" || !strings.Contains(refused.Message, "write reply; ") {
		t.Errorf("refused %+v", refused)
	}
}

func TestSentence(t *testing.T) {
	long := strings.Repeat("ä", 300) + "," + strings.Repeat("x", 1<<20) + ", because of the last thing"
	// Of 495 bytes beside the gap three quarters, 371, begin it, and 123 end it.
	for in, want := range map[string]string{
		"trial 3 does not exist": "trial 3 does not exist",
		"a\nb\r\n\nc":            "a; b; c",
		"tab\tand\x00nul":        "tab and nul",
		"bro\xffken":             "bro\uFFFDken",
		long:                     strings.Repeat("ä", 185) + " … " + strings.Repeat("x", 96) + ", because of the last thing",
	} {
		if got := sentence(in); got != want {
			t.Errorf("sentence(%.40q…) = %q, want %q", in, got, want)
		}
	}
}

func FuzzSentence(f *testing.F) {
	f.Add("one line")
	f.Add(strings.Repeat("ä\n", 300))
	f.Fuzz(func(t *testing.T, s string) {
		if strings.TrimFunc(s, func(r rune) bool { return r < ' ' }) == "" {
			return
		}
		checkSentence(t, sentence(s))
	})
}
