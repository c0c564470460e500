package dynamo

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/supermax-hpo/supermax/shared/config"
	"github.com/supermax-hpo/supermax/shared/protocol"
	"github.com/supermax-hpo/supermax/shared/study"
)

// maxSnapshot is what the snapshot of a stage of the default size may take in the table.
const maxSnapshot = 300_000

// explored returns a study over the whole space after its stage A, of so many trials with
// the default rungs and seeds: full-precision random measurements, a slot for each trial,
// a clock with nanoseconds. It also returns every append's events.
func explored(t testing.TB, trials int) (*study.State, [][][]byte) {
	t.Helper()
	c, err := config.Parse("explored.yaml", fmt.Appendf(nil, `version: 1
name: explored
agent: criteria
corpus: {dir: data, layout: groundtruth}
stages:
  a: {trials: %d, sampler: random}
`, trials))
	if err != nil {
		t.Fatal(err)
	}
	search := func(s config.Search) study.SearchStage {
		return study.SearchStage{Trials: s.Trials, Rungs: study.Rungs(s.Rungs), Seeds: s.Seeds, Patience: s.Patience, Sampler: s.Sampler, Enqueue: s.Enqueue}
	}
	rng := rand.New(rand.NewPCG(1, 2))
	now := time.Date(2026, 3, 4, 5, 6, 7, 891011121, time.UTC)
	tick := func() time.Time {
		now = now.Add(time.Duration(rng.Int64N(int64(3 * time.Second))))
		return now
	}
	s, events, err := study.New(now, study.Settings{Study: c.Name, Agent: c.Agent, Seed: c.Seed, Space: c.Space,
		A: search(c.Stages.A), B: search(c.Stages.B), C: study.ConfirmStage{Candidates: 10, Folds: 5, Seeds: []int64{1}, Epochs: 40, Patience: 10}})
	if err != nil {
		t.Fatal(err)
	}
	var appends [][][]byte
	kept := func(events []study.Event) {
		var data [][]byte
		for _, e := range events {
			one, err := json.Marshal(e)
			if err != nil {
				t.Fatal(err)
			}
			data = append(data, one)
		}
		if len(data) > 0 {
			appends = append(appends, data)
		}
	}
	do := func(events []study.Event, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range events {
			if err := s.Apply(e); err != nil {
				t.Fatal(err)
			}
		}
		kept(events)
	}
	kept(events)
	_, events, err = s.Plan(tick(), protocol.StageRequest{SchemaVersion: 1, Study: c.Name, Stage: "A"})
	do(events, err)
	for i := 1; ; i++ {
		slot := fmt.Sprintf("5f1b4a58-9b0e-4c8e-8c59-%012d:%d/1", i%100, i%100)
		reply, events, err := s.Ask(tick(), protocol.AskRequest{SchemaVersion: 1, Study: c.Name, Stage: "A", Slot: slot, Token: int64(i)})
		do(events, err)
		if reply.Kind != protocol.AskWork {
			return s, appends
		}
		for w := *reply.Work; ; {
			outcome := protocol.Outcome{CostSeconds: 100 * rng.Float64(), PeakMemoryBytes: rng.Int64N(1 << 34)}
			for _, seed := range w.Seeds {
				best := 0.5 + 0.4*rand.New(rand.NewPCG(uint64(w.Trial), uint64(seed))).Float64()
				for epoch := w.FromEpoch + 1; epoch <= w.ToEpoch; epoch++ {
					f1 := best * (1 - math.Exp(-float64(epoch)/6)) // grows: no seed stops early
					outcome.Epochs = append(outcome.Epochs, protocol.EpochMetrics{Seed: seed, Epoch: epoch, Loss: rng.Float64(),
						F1Macro: f1, ECE: 0.3 * rng.Float64(), Accuracy: f1, NLL: rng.Float64(), Brier: rng.Float64()})
				}
			}
			told, events, err := s.Tell(tick(), protocol.TellRequest{SchemaVersion: 1, Study: c.Name, Trial: w.Trial, Attempt: w.Attempt, Rung: w.Rung, Outcome: outcome})
			do(events, err)
			if told.Kind != protocol.TellContinue {
				break
			}
			w.Rung, w.FromEpoch, w.ToEpoch = told.Rung, told.FromEpoch, told.ToEpoch
		}
	}
}

// The snapshot of a stage of the greatest default size is one item, and an append of the
// usual size one write unit or two.
func TestSnapshotSize(t *testing.T) {
	if testing.Short() {
		t.Skip("plays 1,500 trials")
	}
	s, appends := explored(t, 1500)
	snapshot, err := s.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	packed, err := packSnapshot(snapshot)
	if err != nil {
		t.Fatal(err)
	}
	took := time.Since(began)
	events, bytesOfEvents := 0, 0
	l := newFake(t).open()
	for _, data := range appends {
		made, err := l.eventItem("s", 1, data, nil)
		if err != nil {
			t.Fatal(err)
		}
		events, bytesOfEvents = events+len(data), bytesOfEvents+made.size()
	}
	t.Logf("1,500 trials, %d events: snapshot %d bytes of JSON, %d stored (%.0f a trial), compressed in %v; %d appends of %d bytes on average",
		events, len(snapshot), len(packed), float64(len(packed))/1500, took.Round(time.Millisecond), len(appends), bytesOfEvents/len(appends))
	if len(packed) > maxSnapshot {
		t.Errorf("the snapshot takes %d bytes, more than %d", len(packed), maxSnapshot)
	}
}

// A snapshot of 100,000 trials goes into chunks and comes back.
func TestSnapshotOf100000Trials(t *testing.T) {
	if testing.Short() {
		t.Skip("compresses 100 MB")
	}
	small, _ := explored(t, 50)
	one, err := small.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	// 100,000 trials' worth of such JSON, every block different.
	rng := rand.New(rand.NewPCG(3, 4))
	var big bytes.Buffer
	for range 100_000 / 50 {
		block := bytes.Clone(one)
		for i, b := range block {
			if b >= '1' && b <= '9' && i%3 == 0 {
				block[i] = '1' + byte(rng.IntN(9))
			}
		}
		big.Write(block)
	}
	f := newFake(t)
	l := f.open()
	if err := l.Append(t.Context(), "s", 0, [][]byte{{1}, {2}}); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if err := l.Compact(t.Context(), "s", 2, big.Bytes()); err != nil {
		t.Fatal(err)
	}
	wrote := time.Since(began)
	chunks := f.count("s", snapshotPrefix, nil)
	if n := f.count("s", snapshotPrefix, func(i item) bool { return i.size() > chunkSize+1000 }); n > 0 || chunks < 2 {
		t.Fatalf("%d chunks, %d of them too big", chunks, n)
	}
	began = time.Now()
	r, err := f.open().Load(t.Context(), "s", 0)
	if err != nil || !bytes.Equal(r.Snapshot, big.Bytes()) || r.Seq != 2 {
		t.Fatalf("Load = %d bytes at %d, %v; want %d", len(r.Snapshot), r.Seq, err, big.Len())
	}
	t.Logf("%d MB of JSON: %d chunks, written in %v, read in %v", big.Len()>>20, chunks, wrote.Round(time.Millisecond), time.Since(began).Round(time.Millisecond))
}
