package study

import (
	"bytes"
	"encoding/json"
	"os"
	"testing"
	"time"

	"github.com/supermax-hpo/supermax/shared/protocol"
)

// Whatever bytes a store returns, they are an error or a study that can be worked with.
func FuzzRestore(f *testing.F) {
	data, err := midway(f).Snapshot()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte(`{"schema_version":1}`))
	for _, file := range []string{"testdata/snapshot_v1.json", "testdata/snapshot_v2.json", "testdata/snapshot_v3.json"} {
		old, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(old)
	}
	f.Add(bytes.Replace(data, []byte(`"sampler":"random","enqueue":0`), []byte(
		`"sampler":"tpe","enqueue":0,"limits":{"ece":0.05,"seconds_per_epoch":1,"peak_memory_gb":1},"cost_weight":0`), 1))
	f.Add(bytes.Replace(data, []byte(`"sampler":"random","enqueue":0`), []byte(`"sampler":"nsga2","enqueue":0,"objective":"f1_per_dollar"`), 1))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := Restore(data)
		if err != nil {
			return
		}
		again, err := s.Snapshot()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Restore(again); err != nil {
			t.Fatalf("a snapshot's snapshot is refused: %v\n%s", err, again)
		}
		now := testStart.Add(time.Hour)
		study := s.settings.Study
		for _, stage := range stages {
			_, _, _ = s.Check(now, protocol.StageRequest{Study: study, Stage: stage})
			_, _, _ = s.Promote(now, protocol.StageRequest{Study: study, Stage: stage})
			for slot := range s.slots.all() {
				_, _, _ = s.Ask(now, protocol.AskRequest{Study: study, Stage: stage, Slot: slot, Token: 1})
				_, _, _ = s.Ask(now, protocol.AskRequest{Study: study, Stage: stage, Slot: slot, Token: 2})
			}
			s.Best(stage)
			s.Pareto(stage)
			s.Accepted(stage)
		}
		for _, t := range s.trials.All() {
			_, _, _ = s.Tell(now, protocol.TellRequest{Study: study, Trial: t.Number, Attempt: t.Attempt, Rung: t.Rung,
				Outcome: protocol.Outcome{Epochs: []protocol.EpochMetrics{epochOf(1, 1, 0.5, 0.1)}}})
			_, _, _ = s.Heartbeat(now, protocol.HeartbeatRequest{Study: study, Trial: t.Number, Attempt: t.Attempt})
		}
		s.Candidates()
		s.Chosen()
	})
}

// A log of events that nobody wrote is refused, not a crash.
func FuzzApply(f *testing.F) {
	f.Add(`[{"v":1,"type":"leased","trial":0,"attempt":1,"slot":"x"}]`)
	f.Add(`[{"v":1,"type":"promoted","trial":0,"rung":1},{"type":"stage_closed","stage":"A","at":"2025-05-01T12:00:00Z"}]`)
	f.Fuzz(func(t *testing.T, log string) {
		var events []Event
		if json.Unmarshal([]byte(log), &events) != nil {
			return
		}
		s := midway(t)
		for _, e := range events {
			if s.Apply(e) != nil {
				continue
			}
			data, err := s.Snapshot()
			if err != nil {
				t.Fatal(err)
			}
			if _, err := Restore(data); err != nil && !stale(s) {
				t.Fatalf("%v\n%s", err, data)
			}
		}
		for _, stage := range stages {
			s.Best(stage)
			s.Counts(stage)
		}
		s.Candidates()
	})
}

// stale reports whether the state stands within a command's events, where nobody writes it.
func stale(s *State) bool {
	for _, t := range s.trials.All() {
		if t.State == Stale {
			return true
		}
	}
	return false
}
