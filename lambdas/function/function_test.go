package function

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/supermax-hpo/supermax/lambdas/handler"
	"github.com/supermax-hpo/supermax/lambdas/jobevent"
	"github.com/supermax-hpo/supermax/shared/emf"
	"github.com/supermax-hpo/supermax/shared/protocol"
)

func TestOpen(t *testing.T) {
	t.Setenv("AWS_REGION", "us-east-1")
	good := map[string]string{"SUPERMAX_TABLE": "Supermax-Table.1_x", "SUPERMAX_RESULTS": "s3://supermax-results", "SUPERMAX_DATA": "s3://supermax-data"}
	for name, c := range map[string]struct{ variable, value, want string }{
		"good":           {},
		"no table":       {"SUPERMAX_TABLE", "", "SUPERMAX_TABLE is not set; it must be a table's name"},
		"odd table":      {"SUPERMAX_TABLE", "a table", `SUPERMAX_TABLE is "a table"; allowed: a table's name`},
		"no results":     {"SUPERMAX_RESULTS", "", "SUPERMAX_RESULTS is not set; it must be s3:// and a bucket's name"},
		"results folder": {"SUPERMAX_RESULTS", "/tmp", `SUPERMAX_RESULTS is "/tmp"`},
		"prefix":         {"SUPERMAX_RESULTS", "s3://bucket/x", `SUPERMAX_RESULTS is "s3://bucket/x"`},
		"no data":        {"SUPERMAX_DATA", "", "SUPERMAX_DATA is not set"},
		"long":           {"SUPERMAX_DATA", strings.Repeat("x", 1000), `xxx"; allowed: s3:// and a bucket's name`},
	} {
		t.Run(name, func(t *testing.T) {
			environment := func(key string) string {
				if key == c.variable {
					return c.value
				}
				return good[key]
			}
			s, err := open(t.Context(), environment, newWorld(t, &memory{}).logger(), []Need{Results, Data})
			if c.want != "" {
				if err == nil || !strings.Contains(err.Error(), c.want) || len(err.Error()) > 200 {
					t.Errorf("open = %v, want …%s…", err, c.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if s.Objects.URL() != "s3://supermax-results" || s.Definitions.URL() != "s3://supermax-data" || s.Bundle == nil || s.Log == nil {
				t.Errorf("open = %+v", s)
			}
		})
	}
	t.Setenv("AWS_REGION", "")
	t.Setenv("AWS_DEFAULT_REGION", "")
	t.Setenv("AWS_CONFIG_FILE", os.DevNull)
	lacking := func(key string) string { return good[key] }
	if _, err := open(t.Context(), lacking, newWorld(t, &memory{}).logger(), nil); err == nil || !strings.Contains(err.Error(), "AWS_REGION") {
		t.Errorf("open without a region = %v", err)
	}
}

// What needs no bucket opens none.
func TestOpenTheTableAlone(t *testing.T) {
	t.Setenv("AWS_REGION", "us-east-1")
	s, err := open(t.Context(), func(key string) string { return map[string]string{"SUPERMAX_TABLE": "table"}[key] }, newWorld(t, &memory{}).logger(), nil)
	if err != nil || s.Objects != nil || s.Definitions != nil {
		t.Errorf("open = %+v, %v", s, err)
	}
}

// A slot dies with its job, and its trial is given to the next one that asks.
func TestJobEvents(t *testing.T) {
	w := created(t)
	const job = "4c7599ae-0a82-49aa-ba5a-4727fcce14a8"
	held := w.under(protocol.BatchSlot(job, 1))
	f := newInvoker("on-job-event", w.service, w.logger(), emf.Writer{W: &w.metrics, Now: w.service.Clock}, jobEvents)
	event, err := os.ReadFile("../jobevent/testdata/runnable-again.json")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.ReplaceAll(string(event), `"quickstart"`, `"small"`)
	for i, want := range []string{`{"released":1,"requeued":[0]}`, `{"released":1,"requeued":[]}`} {
		if reply, refused := w.invoke(f, text); refused != nil || string(reply) != want {
			t.Errorf("event, time %d: %s, %v; want %s", i+1, reply, refused, want)
		}
	}
	if again := w.under("next"); again.Trial != held.Trial || again.Attempt != held.Attempt+1 {
		t.Errorf("the next slot got trial %d, attempt %d", again.Trial, again.Attempt)
	}
	if _, refused := w.invoke(f, `{"source": "aws.ec2"}`); refused == nil || refused.Type != "Invalid" {
		t.Errorf("an event of something else: %+v", refused)
	}
	// The machine was lost: that is nobody's fault, and not counted.
	st, err := w.service.State(t.Context(), "small")
	if err != nil {
		t.Fatal(err)
	}
	trial, _ := st.Trial(held.Trial)
	if trial.Requeues != 0 || len(trial.Ended) != 1 || trial.Ended[0].Failure.Kind != protocol.FailedInterrupted {
		data, _ := json.Marshal(trial)
		t.Errorf("the trial is %s", data)
	}
}

var _ jobevent.Releaser = (*handler.Service)(nil)
