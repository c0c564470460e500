package function

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/supermax-hpo/supermax/lambdas/handler"
	"github.com/supermax-hpo/supermax/shared/protocol"
)

// lines returns the values of the lines that were put since the last call.
func (w *world) lines() []map[string]any {
	w.t.Helper()
	var all []map[string]any
	for line := range strings.Lines(w.metrics.String()) {
		var values map[string]any
		if err := json.Unmarshal([]byte(line), &values); err != nil {
			w.t.Fatal(err)
		}
		delete(values, "_aws")
		delete(values, "AskMilliseconds") // as long as it took
		delete(values, "TellMilliseconds")
		all = append(all, values)
	}
	w.metrics.Reset()
	return all
}

// Four trials: one fails, one is running, one reports 0.5 and one 0.75. A slot's second
// costs a dollar, and every tell told of two.
func TestMetrics(t *testing.T) {
	w := created(t)
	budget := 10.0
	if _, err := w.service.Resume(t.Context(), protocol.ResumeRequest{SchemaVersion: protocol.Version, Study: "small", BudgetDollars: &budget}); err != nil {
		t.Fatal(err)
	}
	var works []protocol.Work
	for _, slot := range []string{"a", "b", "c", "d"} {
		works = append(works, w.under(slot))
	}
	tell := function(w, "tell", (*handler.Service).Tell)
	failed := protocol.TellRequest{SchemaVersion: protocol.Version, Study: "small", Trial: works[0].Trial}
	failed.Outcome = protocol.Outcome{CostSeconds: 2, Failed: &protocol.Failure{Kind: protocol.FailedOOM}}
	for _, request := range []protocol.TellRequest{failed, trained(works[1], 0.5), trained(works[2], 0.75)} {
		if _, refused := w.invoke(tell, request); refused != nil {
			t.Fatal(refused)
		}
	}
	state := func(running, paused, failed, seconds float64) map[string]any {
		return map[string]any{"Study": "small", "Stage": "A", "Conflicts": 0.0, "TrialsCreated": 4.0, "TrialsQueued": 0.0,
			"TrialsRunning": running, "TrialsPaused": paused, "TrialsCompleted": 0.0, "TrialsFailed": failed, "OOMTrials": failed,
			"SlotSeconds": seconds, "DollarsSpent": seconds, "BudgetUsedPercent": 10 * seconds}
	}
	// The state comes with the first tell; the next ones come within ten seconds.
	plain := map[string]any{"Study": "small", "Stage": "A", "Conflicts": 0.0}
	if d := cmp.Diff([]map[string]any{state(3, 0, 1, 2), plain, plain}, w.lines()); d != "" {
		t.Errorf("tell: -want +got\n%s", d)
	}
	w.now = w.now.Add(putEvery)
	if _, refused := w.invoke(tell, trained(works[1], 0.5)); refused != nil { // again
		t.Fatal(refused)
	}
	// 0.75 was the best of the three results, and was promoted on the spot.
	want := state(2, 1, 1, 6)
	want["BestF1Macro"] = 0.75
	if d := cmp.Diff([]map[string]any{want}, w.lines()); d != "" {
		t.Errorf("tell after ten seconds: -want +got\n%s", d)
	}
	if _, refused := w.invoke(function(w, "check", (*handler.Service).Check), `{"schema_version": 1, "study": "small", "stage": "A"}`); refused != nil {
		t.Fatal(refused)
	}
	if d := cmp.Diff([]map[string]any{want}, w.lines()); d != "" {
		t.Errorf("check: -want +got\n%s", d)
	}
	if _, refused := w.invoke(function(w, "heartbeat", (*handler.Service).Heartbeat), `{"schema_version": 1, "study": "small", "trial": 3}`); refused != nil {
		t.Fatal(refused)
	}
	if d := cmp.Diff([]map[string]any{plain}, w.lines()); d != "" {
		t.Errorf("heartbeat: -want +got\n%s", d)
	}
}

// A call's own time is measured.
func TestMilliseconds(t *testing.T) {
	w := created(t)
	if _, refused := w.invoke(function(w, "ask", (*handler.Service).Ask), asking("slot", 1)); refused != nil {
		t.Fatal(refused)
	}
	var line struct{ AskMilliseconds *float64 }
	if err := json.Unmarshal(w.metrics.Bytes(), &line); err != nil {
		t.Fatal(err)
	}
	if line.AskMilliseconds == nil || *line.AskMilliseconds <= 0 || *line.AskMilliseconds > float64(time.Minute/time.Millisecond) {
		t.Errorf("%s", &w.metrics)
	}
}
