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
		`[]`:                                   "cannot unmarshal array",
		`{}`:                                   "schema_version is missing; allowed: 1",
		`{"schema_version": 2, "whatever": 1}`: "schema_version 2 is not supported; allowed: 1",
		`{"schema_version": 1, "studyy": "s"}`: `unknown field "studyy"`,
		`{"schema_version": 1, "trial": "12"}`: "cannot unmarshal string",
		`{"schema_version": 1} {}`:             "something follows",
		`{"schema_version": 1, "trial": 99999999999999999999}`: "cannot unmarshal number",
	} {
		if _, err := Decode[HeartbeatRequest](strings.NewReader(body)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Decode(%s) = %v, want …%s…", body, err, want)
		}
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
	})
}
