package function

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/lambda/messages"

	"github.com/supermax-hpo/supermax/lambdas/handler"
	"github.com/supermax-hpo/supermax/shared/protocol"
	"github.com/supermax-hpo/supermax/shared/study"
)

// midway is the log of a study with trials of every kind: two paused, one failed, one
// running.
func midway(t testing.TB) *memory {
	w := created(t)
	works := []protocol.Work{w.under("a"), w.under("b"), w.under("c")}
	failed := protocol.TellRequest{SchemaVersion: protocol.Version, Study: "small", Trial: works[0].Trial}
	failed.Outcome.Failed = &protocol.Failure{Kind: protocol.FailedNaN}
	for _, request := range []protocol.TellRequest{failed, trained(works[1], 0.5), trained(works[2], 0.25)} {
		if _, err := w.service.Tell(t.Context(), request); err != nil {
			t.Fatal(err)
		}
	}
	w.under("d")
	return w.log
}

// hostile are values that somebody may put in the place of any other.
var hostile = []any{
	nil, true, 0, -1, 1, 1e308, 0.5, 1 << 62, "", "A", "B", "small", "a", "..", "../../etc/passwd", "s3://other/x", "a\nb", "\x00", "ä\u202e",
	strings.Repeat("x", 5000), []any{}, []any{"a", "a"}, []any{map[string]any{}}, map[string]any{}, map[string]any{"kind": "oom"},
}

// mutate changes a JSON value in one of its places.
func mutate(r *rand.Rand, v any) any {
	switch v := v.(type) {
	case map[string]any:
		keys := make([]string, 0, len(v))
		for key := range v {
			keys = append(keys, key)
		}
		slices.Sort(keys)
		switch n := r.IntN(10); {
		case n == 0:
			v[[]string{"extra", "Study", "__proto__", ""}[r.IntN(4)]] = hostile[r.IntN(len(hostile))]
		case n == 1 && len(keys) > 0:
			delete(v, keys[r.IntN(len(keys))])
		case len(keys) > 0:
			key := keys[r.IntN(len(keys))]
			v[key] = mutate(r, v[key])
		}
		return v
	case []any:
		if len(v) > 0 && r.IntN(3) > 0 {
			i := r.IntN(len(v))
			if r.IntN(4) == 0 {
				return append(v, v[i])
			}
			v[i] = mutate(r, v[i])
			return v
		}
	}
	return hostile[r.IntN(len(hostile))]
}

// attack sends a request to a function with some of its places changed, and checks that
// the answer is one, that a refusal is a sentence of a known type and changed nothing, and
// that the study is whole.
func attack[Req, Reply any](f *testing.F, name string, call func(*handler.Service, context.Context, Req) (Reply, error), requests ...any) {
	log, data := midway(f), uploaded(f)
	for i := range requests {
		for n := range 60 {
			f.Add(uint8(i), uint8(n), uint64(n))
		}
	}
	f.Fuzz(func(t *testing.T, which, mutations uint8, seed uint64) {
		payload, err := json.Marshal(requests[int(which)%len(requests)])
		if err != nil {
			t.Fatal(err)
		}
		var request any
		if err := json.Unmarshal(payload, &request); err != nil {
			t.Fatal(err)
		}
		r := rand.New(rand.NewPCG(seed, 0))
		for range mutations % 4 {
			request = mutate(r, request)
		}
		if payload, err = json.Marshal(request); err != nil {
			return
		}
		w := newWorld(t, log.copied())
		w.upload(data)
		before := len(w.log.events["small"])
		reply, err := function(w, name, call).Invoke(requested(t.Context()), payload)
		refused, isRefusal := err.(messages.InvokeResponse_Error) //nolint:errorlint // as the runtime looks at it
		switch {
		case err == nil && !json.Valid(reply):
			t.Fatalf("%s\nis answered with %s", payload, reply)
		case err != nil && !isRefusal:
			t.Fatalf("%s\nends with a %T", payload, err)
		case err != nil:
			checkSentence(t, refused.Message)
			if !slices.Contains([]string{"Invalid", "NotFound", "Conflict"}, refused.Type) {
				t.Fatalf("%s\nis refused as %s: %s", payload, refused.Type, refused.Message)
			}
			if after := len(w.log.events["small"]); after != before {
				t.Fatalf("%s\nis refused (%s), but wrote %d events", payload, refused.Message, after-before)
			}
			if err := untouched(t.Context(), w); err != nil {
				t.Fatalf("%s\nis refused (%s), but %v", payload, refused.Message, err)
			}
		}
		whole(t, w, payload)
	})
}

// untouched reports what was written beside the study "small".
func untouched(ctx context.Context, w *world) error {
	keys, err := w.service.Objects.List(ctx, "")
	if err == nil && len(keys) > 0 {
		return fmt.Errorf("it wrote %v", keys)
	}
	if n := len(w.log.events); n != 1 {
		return fmt.Errorf("there are %d studies", n)
	}
	return err
}

// whole checks that the study can be loaded, and stands a snapshot's checks.
func whole(t *testing.T, w *world, request []byte) {
	s := &handler.Service{Log: w.log, Clock: w.service.Clock}
	st, err := s.State(t.Context(), "small")
	if err != nil {
		t.Fatalf("after %s\nthe study cannot be loaded: %v", request, err)
	}
	data, err := st.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := study.Restore(data); err != nil {
		t.Fatalf("after %s\nthe study contradicts itself: %v", request, err)
	}
}

func stage() protocol.StageRequest {
	return protocol.StageRequest{SchemaVersion: protocol.Version, Study: "small", Stage: protocol.StageA}
}

func FuzzAsk(f *testing.F) {
	attack(f, "ask", (*handler.Service).Ask, asking("d", 1), asking("d", 2), asking("e", 1))
}

func FuzzTell(f *testing.F) {
	running := protocol.Work{Trial: 3, ToEpoch: 1}
	failed := protocol.TellRequest{SchemaVersion: protocol.Version, Study: "small", Trial: 3}
	failed.Outcome.Failed = &protocol.Failure{Kind: protocol.FailedCrash, Message: "a signal"}
	attack(f, "tell", (*handler.Service).Tell, trained(running, 0.75), trained(protocol.Work{Trial: 1, ToEpoch: 1}, 0.5), failed)
}

func FuzzHeartbeat(f *testing.F) {
	attack(f, "heartbeat", (*handler.Service).Heartbeat, protocol.HeartbeatRequest{SchemaVersion: protocol.Version, Study: "small", Trial: 3})
}

func FuzzStart(f *testing.F) {
	budget := 5.0
	attack(f, "create", (*handler.Service).Start, protocol.StartRequest{SchemaVersion: protocol.Version, Study: "small",
		Agents: []string{"criteria", "evidence"}, Slots: 2, BudgetDollars: &budget})
}

func FuzzPlan(f *testing.F)      { attack(f, "plan", (*handler.Service).Plan, stage()) }
func FuzzCheck(f *testing.F)     { attack(f, "check", (*handler.Service).Check, stage()) }
func FuzzAggregate(f *testing.F) { attack(f, "aggregate", (*handler.Service).Aggregate, stage()) }
func FuzzPromote(f *testing.F)   { attack(f, "promote", (*handler.Service).Promote, stage()) }

func FuzzFinish(f *testing.F) {
	attack(f, "finish", (*handler.Service).Finish, protocol.StudyRequest{SchemaVersion: protocol.Version, Study: "small"})
}

func FuzzStop(f *testing.F) {
	attack(f, "stop", (*handler.Service).Stop, protocol.StopRequest{SchemaVersion: protocol.Version, Study: "small", Reason: "user"})
}
