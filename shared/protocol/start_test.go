package protocol

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestBatchSlot(t *testing.T) {
	for _, c := range []struct {
		job     string
		attempt int
		want    string
	}{
		{"4c7599ae-0a82-49aa-ba5a-4727fcce14a8", 1, "4c7599ae-0a82-49aa-ba5a-4727fcce14a8/1"},
		{"4c7599ae-0a82-49aa-ba5a-4727fcce14a8:12", 10, "4c7599ae-0a82-49aa-ba5a-4727fcce14a8:12/10"},
	} {
		if got := BatchSlot(c.job, c.attempt); got != c.want {
			t.Errorf("BatchSlot(%s, %d) = %s, want %s", c.job, c.attempt, got, c.want)
		}
	}
}

// The input of an execution, as the README and the state machine write it.
func TestStartRequestRoundTrip(t *testing.T) {
	budget := 5.0
	want := StartRequest{SchemaVersion: 1, Study: "quickstart", Agents: []string{"criteria", "evidence"}, Slots: 2, BudgetDollars: &budget}
	text := `{"schema_version":1,"study":"quickstart","agents":["criteria","evidence"],"slots":2,"budget_dollars":5}`
	got, err := Decode[StartRequest](strings.NewReader(text))
	if d := cmp.Diff(want, got); err != nil || d != "" {
		t.Fatalf("Decode: %v %s", err, d)
	}
	if data, err := json.Marshal(got); err != nil || string(data) != text {
		t.Errorf("written again it is %s, %v", data, err)
	}
	if data, err := json.Marshal(StartRequest{SchemaVersion: 1, Study: "s"}); err != nil || string(data) != `{"schema_version":1,"study":"s"}` {
		t.Errorf("without options it is %s, %v", data, err)
	}
}

func TestErrorSentence(t *testing.T) {
	for want, e := range map[string]Error{
		"trial 3 does not exist":                         {Status: 404, Code: CodeNotFound, Message: "trial 3 does not exist"},
		"the study answered with HTTP status 502":        {Status: 502},
		"the study refused the call without a reason":    {},
		"the lease was lost (the status is no sentence)": {Message: "the lease was lost (the status is no sentence)"},
	} {
		if got := e.Error(); got != want {
			t.Errorf("%+v says %q, want %q", e, got, want)
		}
	}
}
