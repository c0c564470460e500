package handler

import (
	"context"
	"encoding/json"
	"hash/fnv"
	"math"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/supermax-hpo/supermax/shared/config"
	"github.com/supermax-hpo/supermax/shared/exports"
	"github.com/supermax-hpo/supermax/shared/objects"
	"github.com/supermax-hpo/supermax/shared/protocol"
	"github.com/supermax-hpo/supermax/shared/results"
	"github.com/supermax-hpo/supermax/shared/store"
	"github.com/supermax-hpo/supermax/shared/store/sqlite"
	"github.com/supermax-hpo/supermax/shared/study"
)

// small is a study of 12 + 8 + 2×3 trials with rungs at the epochs 1, 2 and 4.
const small = `version: 1
name: small
agent: criteria
corpus: {dir: data, layout: groundtruth}
stages:
  a: {trials: 12, epochs: 4, rungs: {min: 1, max: 4, factor: 2}, seeds: [1, 2], patience: 2, sampler: random, export: 5}
  b: {trials: 8, epochs: 4, rungs: {min: 1, max: 4, factor: 2}, seeds: [1, 2], patience: 2, sampler: random, enqueue: 3, export: 4}
  c: {candidates: 2, folds: 3, seeds: [1, 2], epochs: 3, patience: 2}
`

// world is a study's surroundings: a log on disk, objects, a clock, and trainers that
// measure what a formula says.
type world struct {
	t      *testing.T
	config *config.Study
	bucket *objects.Bucket
	log    *recorder
	ticks  atomic.Int64
	*Service
}

func newWorld(t *testing.T) *world {
	t.Helper()
	c, err := config.Parse("small.yaml", []byte(small))
	if err != nil {
		t.Fatal(err)
	}
	bucket, err := objects.Open(t.Context(), "mem://")
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, config: c, bucket: bucket}
	w.log = &recorder{events: map[int64]study.Event{}}
	w.Service = w.another(filepath.Join(t.TempDir(), "study.db"))
	return w
}

// another is a Service as another process would have it: its own connection to the log and
// its own cache. The first one names the file.
func (w *world) another(path ...string) *Service {
	w.t.Helper()
	if len(path) > 0 {
		w.log.path = path[0]
	}
	db, err := sqlite.Open(w.t.Context(), w.log.path)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = db.Close() })
	return &Service{Log: &recorded{Log: db, to: w.log}, Objects: w.bucket, Clock: w.now}
}

// now is a clock that moves a millisecond a look.
func (w *world) now() time.Time {
	return time.Date(2025, 5, 1, 12, 0, 0, 0, time.UTC).Add(time.Duration(w.ticks.Add(1)) * time.Millisecond)
}

func (w *world) create() {
	w.t.Helper()
	if err := w.Create(w.t.Context(), w.config); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) request(stage protocol.Stage) protocol.StageRequest {
	return protocol.StageRequest{SchemaVersion: 1, Study: w.config.Name, Stage: stage}
}

// measured is the formula: a learning curve that depends on trial, seed and fold.
func measured(work protocol.Work, seed int64, epoch int) protocol.EpochMetrics {
	h := fnv.New64a()
	_ = json.NewEncoder(h).Encode([]any{work.Trial, seed, epoch})
	noise := float64(h.Sum64()%1000) / 1000
	rate := 0.2 + 0.6*float64(work.Trial%7)/7
	f1 := 0.3 + 0.5*(1-math.Exp(-rate*float64(epoch))) + 0.1*noise
	return protocol.EpochMetrics{Seed: seed, Epoch: epoch, Loss: 1 - f1, F1Macro: f1, ECE: 0.5 - 0.4*noise, Accuracy: f1, NLL: 1, Brier: 0.2}
}

// train measures a work's epochs; a seed stops when its patience is at an end.
func (w *world) train(stage protocol.Stage, work protocol.Work) (protocol.Outcome, []results.Row) {
	patience := map[protocol.Stage]int{"A": w.config.Stages.A.Patience, "B": w.config.Stages.B.Patience, "C": w.config.Stages.C.Patience}[stage]
	o := protocol.Outcome{CostSeconds: 1, PeakMemoryBytes: 1 << 20}
	if stage == protocol.StageC {
		o.Baseline = &protocol.Baseline{MajorityF1Macro: 0.4, UntrainedF1Macro: 0.35}
	}
	var rows []results.Row
	for _, seed := range work.Seeds {
		best := study.SeedBest{Seed: seed}
		row := func(m protocol.EpochMetrics) {
			rows = append(rows, results.Row{Study: w.config.Name, Stage: stage, Agent: w.config.Agent,
				Trial: work.Trial, Attempt: work.Attempt, Rung: work.Rung, Seed: seed, Fold: work.Fold, Epoch: m.Epoch,
				Params: work.Params, Loss: m.Loss, F1Macro: m.F1Macro, ECE: m.ECE, Accuracy: m.Accuracy, NLL: m.NLL, Brier: m.Brier})
		}
		if stage == protocol.StageC {
			row(measured(work, seed, 0)) // before training
		}
		for epoch := 1; epoch <= work.ToEpoch && !best.Stopped(patience); epoch++ {
			m := measured(work, seed, epoch)
			best = best.Seen(epoch, m.F1Macro, m.ECE)
			if epoch <= work.FromEpoch {
				continue
			}
			o.Epochs = append(o.Epochs, m)
			row(m)
		}
	}
	return o, rows
}

// keep writes what a trainer leaves in the objects for a work.
func (w *world) keep(ctx context.Context, stage protocol.Stage, work protocol.Work, rows []results.Row) error {
	key := results.Key(w.config.Name, stage, work.Trial, work.Rung, work.Attempt)
	if err := results.Write(ctx, w.bucket, key, w.config.Whole, rows); err != nil {
		return err
	}
	if stage != protocol.StageC {
		return nil
	}
	best := make(map[int64]study.SeedBest)
	for _, row := range rows {
		if row.Epoch > 0 {
			best[row.Seed] = best[row.Seed].Seen(row.Epoch, row.F1Macro, row.ECE)
		}
	}
	for _, seed := range work.Seeds {
		if err := w.bucket.Write(ctx, exports.ModelFile(w.config.Name, work.Trial, seed, best[seed].Epoch), []byte("weights")); err != nil {
			return err
		}
	}
	return nil
}

// work trains everything of a stage with one obedient slot.
func (w *world) work(stage protocol.Stage) {
	w.t.Helper()
	ctx := w.t.Context()
	for token := int64(1); ; token++ {
		ask := protocol.AskRequest{SchemaVersion: 1, Study: w.config.Name, Stage: stage, Slot: "only-" + string(stage), Token: token}
		reply, err := w.Ask(ctx, ask)
		if err != nil {
			w.t.Fatal(err)
		}
		if reply.Kind != protocol.AskWork {
			return
		}
		work := *reply.Work
		for more := true; more; {
			outcome, rows := w.train(stage, work)
			if err := w.keep(ctx, stage, work, rows); err != nil {
				w.t.Fatal(err)
			}
			told, err := w.Tell(ctx, tell(work, outcome))
			if err != nil {
				w.t.Fatal(err)
			}
			more = told.Kind == protocol.TellContinue
			work.Rung, work.FromEpoch, work.ToEpoch = told.Rung, told.FromEpoch, told.ToEpoch
		}
	}
}

func tell(work protocol.Work, o protocol.Outcome) protocol.TellRequest {
	return protocol.TellRequest{SchemaVersion: 1, Study: "small", Trial: work.Trial, Attempt: work.Attempt, Rung: work.Rung, Outcome: o}
}

// walk takes the study through stages with one slot.
func (w *world) walk(stages ...protocol.Stage) {
	w.t.Helper()
	for _, stage := range stages {
		req := w.request(stage)
		if _, err := w.Plan(w.t.Context(), req); err != nil {
			w.t.Fatal(err)
		}
		w.work(stage)
		if _, err := w.Aggregate(w.t.Context(), req); err != nil {
			w.t.Fatal(err)
		}
		if _, err := w.Promote(w.t.Context(), req); err != nil {
			w.t.Fatal(err)
		}
	}
}

// recorder remembers every event that any process appended, by its sequence number.
type recorder struct {
	mu     sync.Mutex
	path   string
	events map[int64]study.Event
	twice  int // sequence numbers that were given twice
	lost   int // appends that a conflict refused
}

// recorded is a Log that reports to a recorder.
type recorded struct {
	store.Log
	to *recorder
}

func (r *recorded) Append(ctx context.Context, name string, after int64, events [][]byte) error {
	time.Sleep(time.Millisecond) // as far away as a database of the network: others get between
	err := r.Log.Append(ctx, name, after, events)
	r.to.mu.Lock()
	defer r.to.mu.Unlock()
	if err != nil {
		r.to.lost++
		return err
	}
	for i, data := range events {
		var e study.Event // stays empty where the event is: it only carries answers
		if err := json.Unmarshal(data, &e); len(data) > 0 && err != nil {
			return err
		}
		seq := after + int64(i) + 1
		if _, there := r.to.events[seq]; there {
			r.to.twice++
		}
		r.to.events[seq] = e
	}
	return nil
}

// replayed folds all recorded events into a new state.
func (r *recorder) replayed(t *testing.T) *study.State {
	t.Helper()
	if r.twice > 0 {
		t.Fatalf("%d sequence numbers were given twice", r.twice)
	}
	s := new(study.State)
	for seq := int64(1); seq <= int64(len(r.events)); seq++ {
		if err := s.Apply(r.events[seq]); r.events[seq].Type != "" && err != nil {
			t.Fatalf("event %d: %v", seq, err)
		}
	}
	return s
}
