package protocol

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/supermax-hpo/supermax/shared/space"
)

func TestDecode(t *testing.T) {
	got, err := Decode[HeartbeatRequest](strings.NewReader(` {"schema_version": 1, "study": "s", "trial": 12, "attempt": 1} `))
	want := HeartbeatRequest{SchemaVersion: 1, Study: "s", Trial: 12, Attempt: 1}
	if err != nil || got != want {
		t.Fatalf("Decode = %+v, %v", got, err)
	}
	for body, want := range map[string]string{
		``:                                     "ends early",
		`{"schema_version": 1`:                 "ends early",
		`[]`:                                   "read request: the request: a JSON array is not allowed; allowed: an object",
		`{}`:                                   "schema_version is missing; allowed: 1",
		`{"schema_version": 2, "whatever": 1}`: "schema_version 2 is not supported; allowed: 1",
		`{"schema_version": 1, "studyy": "s"}`: `unknown field "studyy"`,
		`{"schema_version": 1, "trial": "12"}`: "read request: trial: a JSON string is not allowed; allowed: a whole number",
		`{"schema_version": true}`:             "read request: schema_version: a JSON bool is not allowed; allowed: a whole number",
		`{"schema_version": 1, "study": {}}`:   "study: a JSON object is not allowed; allowed: a string",
		`{"schema_version": 1, "study": trux}`: "invalid character",
		`{"schema_version": 1} {}`:             "something follows",
		`{"schema_version": 1, "trial": 99999999999999999999}`: `trial: a JSON number "99999999999999999999" is not allowed; allowed: a whole number`,
	} {
		if _, err := Decode[HeartbeatRequest](strings.NewReader(body)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Decode(%s) = %v, want …%s…", body, err, want)
		}
	}
	for body, want := range map[string]string{
		`{"schema_version": 1, "outcome": {"epochs": 1}}`:                     "outcome.epochs: a JSON number is not allowed; allowed: an array",
		`{"schema_version": 1, "outcome": {"cost_seconds": "1"}}`:             "outcome.cost_seconds: a JSON string is not allowed; allowed: a number",
		`{"schema_version": 1, "outcome": {"epochs": [{"auroc": true}]}}`:     "auroc: a JSON bool is not allowed; allowed: a number",
		`{"schema_version": 1, "` + strings.Repeat("x", 1<<20) + `": 1}`:      `unknown field "` + strings.Repeat("x", 80) + `…"`,
		`{"schema_version": 1, "trial": 1` + strings.Repeat("0", 1<<20) + `}`: `…" is not allowed; allowed: a whole number`,
	} {
		if _, err := Decode[TellRequest](strings.NewReader(body)); err == nil || !strings.Contains(err.Error(), want) || len(err.Error()) > 300 {
			t.Errorf("Decode(%.80s) = %.500v, want …%s…", body, err, want)
		}
	}
	type flagged struct {
		SchemaVersion int  `json:"schema_version"`
		Flag          bool `json:"flag"`
	}
	if _, err := Decode[flagged](strings.NewReader(`{"schema_version": 1, "flag": 1}`)); err == nil || !strings.Contains(err.Error(), "flag: a JSON number is not allowed; allowed: true or false") {
		t.Errorf("Decode of a number for a flag = %v", err)
	}
	broken := errors.New("broken pipe")
	if _, err := Decode[HeartbeatRequest](iotest.ErrReader(broken)); !errors.Is(err, broken) {
		t.Errorf("Decode of a broken reader = %v", err)
	}
}

func TestAskAndTellRoundTrip(t *testing.T) {
	auroc, fold := 0.5, 2
	reply := AskReply{SchemaVersion: 1, Kind: AskWork, Work: &Work{
		Trial: 7, Attempt: 1, Rung: 2, FromEpoch: 2, ToEpoch: 6, Fold: &fold, Seeds: []int64{1, -2},
		Params:     space.Assignment{"optim.lr": space.Float(1e-5), "train.amp": space.Bool(false)},
		Checkpoint: "checkpoints/x/", LeaseUntil: time.Date(2025, 5, 1, 12, 0, 0, 5, time.UTC), HeartbeatEverySeconds: 0.25,
	}}
	tell := TellRequest{SchemaVersion: 1, Study: "s", Trial: 7, Outcome: Outcome{
		Epochs:   []EpochMetrics{{Seed: 1, Epoch: 3, Loss: 0.1, AUROC: &auroc}, {Seed: 1, Epoch: 4}},
		Baseline: &Baseline{MajorityF1Macro: 0.25}, CostSeconds: 1.5,
	}}
	data, err := json.Marshal(tell)
	if err != nil {
		t.Fatal(err)
	}
	gotTell, err := Decode[TellRequest](strings.NewReader(string(data)))
	if d := cmp.Diff(tell, gotTell); d != "" || err != nil {
		t.Errorf("tell: %v %s", err, d)
	}
	if data, err = json.Marshal(reply); err != nil {
		t.Fatal(err)
	}
	gotReply, err := Decode[AskReply](strings.NewReader(string(data)))
	if d := cmp.Diff(reply, gotReply, cmp.Comparer(func(a, b space.Value) bool { return a == b })); d != "" || err != nil {
		t.Errorf("ask reply: %v %s", err, d)
	}
	for _, not := range []string{"retry_after", "lease_until\":\"0001"} {
		if strings.Contains(string(data), not) {
			t.Errorf("the reply %s holds %s", data, not)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(`{"schema_version": 1, "study": "s", "outcome": {"epochs": [{"seed": 1, "auroc": null}]}}`)
	f.Fuzz(func(t *testing.T, body string) {
		req, err := Decode[TellRequest](strings.NewReader(body))
		if err == nil && req.SchemaVersion != Version {
			t.Fatalf("Decode(%q) took schema version %d", body, req.SchemaVersion)
		}
		if err != nil && len(err.Error()) > 500 {
			t.Fatalf("Decode(%q) says %q", body, err)
		}
	})
}
