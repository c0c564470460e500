package trainertest

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/supermax-hpo/supermax/cmd/supermax/internal/models"
	"github.com/supermax-hpo/supermax/lambdas/handler"
	"github.com/supermax-hpo/supermax/shared/config"
	"github.com/supermax-hpo/supermax/shared/objects"
	"github.com/supermax-hpo/supermax/shared/protocol"
	"github.com/supermax-hpo/supermax/shared/results"
	"github.com/supermax-hpo/supermax/shared/store/sqlite"
	"github.com/supermax-hpo/supermax/shared/study"
)

// studyFile is a study of 6 + 4 + 2×2 trials.
const studyFile = `version: 1
name: small
agent: criteria
corpus: {dir: corpus, layout: groundtruth}
models: {tiny: tiny}
price_per_hour: 2
constraints:
  model.name: [tiny]
  model.gradient_checkpointing: false
  tok.max_length: 128
  optim.name: [adamw]
  sched.name: [linear]
  train.amp: false
  aug.enabled: false
  null.strategy: none
stages:
  a: {trials: 6, epochs: 4, rungs: {min: 1, max: 4, factor: 2}, seeds: [1, 2], patience: 0, sampler: random, export: 5}
  b: {trials: 4, epochs: 4, rungs: {min: 1, max: 4, factor: 2}, seeds: [1], patience: 0, enqueue: 2, export: 4}
  c: {candidates: 2, folds: 2, seeds: [1], epochs: 3, patience: 0}
`

// File makes a folder with a study file, a corpus of twelve posts and a backbone, all that
// a run needs, and returns the study file's path.
func File(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	posts, truth := "post_id,text\n", "post_id,criterion_id,label\n"
	for i := range 12 {
		posts += fmt.Sprintf("p%d,a quiet %s rain\n", i, []string{"old", "tired"}[i%2])
		truth += fmt.Sprintf("p%d,fatigue,%d\n", i, i%2)
	}
	for name, text := range map[string]string{"study.yaml": studyFile, "corpus/posts.csv": posts, "corpus/groundtruth.csv": truth} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := models.Init(t.Context(), filepath.Join(dir, "tiny"), models.Options{
		Like: models.LikeBERT, Layers: 1, Hidden: 8, Heads: 2, Vocab: 60, MaxPositions: 128, Seed: 1,
		Corpus: config.Corpus{Dir: filepath.Join(dir, "corpus"), Layout: "groundtruth"},
	}); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, "study.yaml")
}

// World is a study without processes: its handlers, and trainers in this process.
type World struct {
	*handler.Service
	Study *config.Study
	Slots int // how many trainers there were so far
	t     testing.TB
}

// NewWorld creates the study of [File]; edit changes it before, nil leaves it.
func NewWorld(t testing.TB, edit func(*config.Study)) *World {
	t.Helper()
	c, err := config.Parse("study.yaml", []byte(studyFile))
	if err != nil {
		t.Fatal(err)
	}
	if edit != nil {
		edit(c)
	}
	db, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "study.db"))
	if err != nil {
		t.Fatal(err)
	}
	bucket, err := objects.Open(t.Context(), objects.FileURL(t.TempDir()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = db.Close(), bucket.Close() })
	now := time.Date(2025, 5, 1, 12, 0, 0, 0, time.UTC)
	w := &World{t: t, Study: c, Service: &handler.Service{Log: db, Objects: bucket, Clock: func() time.Time {
		now = now.Add(time.Millisecond)
		return now
	}}}
	if err := w.Create(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	return w
}

// Request is a step's request.
func (w *World) Request(stage protocol.Stage) protocol.StageRequest {
	return protocol.StageRequest{SchemaVersion: protocol.Version, Study: w.Study.Name, Stage: stage}
}

// Open plans a stage.
func (w *World) Open(stage protocol.Stage) {
	w.t.Helper()
	if _, err := w.Plan(w.t.Context(), w.Request(stage)); err != nil {
		w.t.Fatal(err)
	}
}

// Train has one trainer of that behaviour work on an open stage to its end.
func (w *World) Train(stage protocol.Stage, mode string) {
	w.t.Helper()
	w.Slots++
	trainer := Trainer{Calls: w.Service, Objects: w.Objects, Study: w.Study, Mode: mode}
	if err := trainer.Run(w.t.Context(), stage, fmt.Sprintf("slot-%d", w.Slots)); err != nil {
		w.t.Fatal(err)
	}
}

// Close ends a stage whose work is done.
func (w *World) Close(stage protocol.Stage) {
	w.t.Helper()
	if _, err := w.Aggregate(w.t.Context(), w.Request(stage)); err != nil {
		w.t.Fatal(err)
	}
	if _, err := w.Promote(w.t.Context(), w.Request(stage)); err != nil {
		w.t.Fatal(err)
	}
}

// Walk takes the study through the stages that are named, and finishes it after C.
func (w *World) Walk(stages ...protocol.Stage) {
	w.t.Helper()
	for _, stage := range stages {
		w.Open(stage)
		w.Train(stage, Working)
		w.Close(stage)
		if stage == protocol.StageC {
			if _, err := w.Finish(w.t.Context(), protocol.StudyRequest{SchemaVersion: protocol.Version, Study: w.Study.Name}); err != nil {
				w.t.Fatal(err)
			}
		}
	}
}

// Now returns the study's state.
func (w *World) Now() *study.State {
	w.t.Helper()
	state, err := w.State(w.t.Context(), w.Study.Name)
	if err != nil {
		w.t.Fatal(err)
	}
	return state
}

// Rows returns the metrics rows.
func (w *World) Rows() []results.Row {
	w.t.Helper()
	rows, err := results.ReadAll(w.t.Context(), w.Objects, "metrics/")
	if err != nil {
		w.t.Fatal(err)
	}
	return rows
}
