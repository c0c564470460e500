package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/supermax-hpo/supermax/shared/asha"
	"github.com/supermax-hpo/supermax/shared/space"
)

// minimal is the shortest study file: everything else has a default.
const minimal = `version: 1
name: first
agent: criteria
corpus:
  dir: data
  layout: redsm5
`

func parse(t testing.TB, text string) *Study {
	t.Helper()
	s, err := Parse("dir/x.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// The defaults are the table of DESIGN.md; C's six seeds and B's 20 enqueued are its too.
func TestDefaults(t *testing.T) {
	dir, err := filepath.Abs("dir")
	if err != nil {
		t.Fatal(err)
	}
	got := parse(t, minimal)
	want := &Study{
		Version: 1, Name: "first", Agent: "criteria", Seed: 2025,
		Corpus:      Corpus{Dir: filepath.Join(dir, "data"), Layout: "redsm5"},
		Models:      map[string]string{},
		Constraints: space.Constraints{},
		Training:    Training{ValidFraction: 0.2, SplitSeed: 42, ClassWeights: "balanced"},
		Stages: Stages{
			A: Search{Trials: 1000, Epochs: 20, Rungs: Rungs{2, 20, 3}, Seeds: []int64{1, 2, 3}, Patience: 5, Sampler: "tpe", Export: 50, Objective: "f1_macro", Scheduler: asha.Options{Kind: "asha"}},
			B: Search{Trials: 1500, Epochs: 30, Rungs: Rungs{3, 30, 3}, Seeds: []int64{1, 2, 3, 4}, Patience: 8, Sampler: "nsga2", Enqueue: 20, Export: 20, Scheduler: asha.Options{Kind: "asha"}},
			C: Confirm{Candidates: 10, Folds: 5, Seeds: []int64{1, 2, 3, 4, 5, 6}, FoldSeed: 42, Epochs: 40, Patience: 10},
		},
		LeaseSeconds: 120,
		Space:        got.Space, Whole: got.Whole,
	}
	if diff := cmp.Diff(want, got, exact); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(got.Whole, got.Space, exact); diff != "" {
		t.Errorf("nothing narrows the space, yet: %s", diff)
	}
	if n := len(got.Whole.Params); n != 29 {
		t.Errorf("the whole space has %d parameters, issue 3 lists 29", n)
	}
}

var exact = cmp.AllowUnexported(space.Value{})

func TestDependentDefaults(t *testing.T) {
	s := parse(t, minimal+"stages:\n  a: {epochs: 7}\n  b: {trials: 12}\n")
	if s.Stages.A.Rungs.Max != 7 || s.Stages.B.Rungs.Max != 30 {
		t.Errorf("last rungs end at %d and %d, want 7 and 30", s.Stages.A.Rungs.Max, s.Stages.B.Rungs.Max)
	}
	if s.Stages.B.Enqueue != 12 {
		t.Errorf("B of 12 trials starts with %d", s.Stages.B.Enqueue)
	}
}

// A scheduler is a name or a mapping, and what it does not say has a default by its kind.
func TestSchedulers(t *testing.T) {
	for text, want := range map[string]asha.Options{
		"asha": {Kind: "asha"},
		"none": {Kind: "none"},
		"{kind: asha, min_early_stopping_rate: 1}": {Kind: "asha", MinEarlyStoppingRate: 1},
		"hyperband": {Kind: "hyperband"},
		"median":    {Kind: "median", StartupTrials: 5},
		"{kind: median, startup_trials: 0, min_trials: 3}": {Kind: "median", MinTrials: 3},
		"percentile":                        {Kind: "percentile", StartupTrials: 5, Percentile: 25},
		"{kind: percentile, percentile: 0}": {Kind: "percentile", StartupTrials: 5},
	} {
		s := parse(t, minimal+"stages: {a: {scheduler: "+text+"}}\n")
		if diff := cmp.Diff(want, s.Stages.A.Scheduler); diff != "" {
			t.Errorf("%s: %s", text, diff)
		}
	}
}

func TestEveryKeyIsRead(t *testing.T) {
	got := parse(t, `
version: 1
name: all-keys
agent: evidence
seed: 7
corpus: {dir: /corpus, layout: groundtruth, criteria: [sleep, 1.10], max_posts: 50}
models: {tiny: ../m/tiny, org/large: /models/large, roberta-base: rb}
constraints: {optim.lr: {low: 3e-4}, train.amp: false, optim.name: [adamw], tok.max_length: {high: 256}}
training: {valid_fraction: 0.25, split_seed: 1, class_weights: none}
stages:
  a: {trials: 4, epochs: 6, rungs: {min: 1, max: 6, factor: 2}, seeds: [9], patience: 0, sampler: random, export: 3, objective: f1_per_dollar, limits: {seconds_per_epoch: 60, peak_memory_gb: 16}, scheduler: {kind: percentile, percentile: 60, startup_trials: 10, warmup_epochs: 3, interval_epochs: 2, min_trials: 4}, budget: {epochs: 30, gpu_hours: 1.5, dollars: 2}}
  b: {trials: 5, epochs: 7, rungs: {min: 2, max: 7, factor: 4}, seeds: [8, 7], patience: 2, sampler: tpe, enqueue: 0, export: 2, limits: {ece: 0.1}, cost_weight: 0.5, scheduler: {kind: asha-stopping, min_early_stopping_rate: 0, bootstrap: 3}}
  c: {candidates: 3, folds: 2, seeds: [0], fold_seed: 5, epochs: 9, patience: 4}
lease_seconds: 30.5
price_per_hour: 1.25
`)
	here, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	low, high := 3e-4, 256.0
	want := &Study{
		Version: 1, Name: "all-keys", Agent: "evidence", Seed: 7,
		Corpus: Corpus{Dir: "/corpus", Layout: "groundtruth", Criteria: []string{"sleep", "1.10"}, MaxPosts: 50},
		Models: map[string]string{"tiny": filepath.Join(here, "m", "tiny"), "org/large": "/models/large", "roberta-base": filepath.Join(here, "dir", "rb")},
		Constraints: space.Constraints{
			"optim.lr": {Low: &low}, "train.amp": {Fix: space.Bool(false)},
			"optim.name": {Choices: []space.Value{space.String("adamw")}}, "tok.max_length": {High: &high},
		},
		Training: Training{ValidFraction: 0.25, SplitSeed: 1, ClassWeights: "none"},
		Stages: Stages{
			A: Search{Trials: 4, Epochs: 6, Rungs: Rungs{1, 6, 2}, Seeds: []int64{9}, Sampler: "random", Export: 3,
				Objective: "f1_per_dollar", Limits: Limits{SecondsPerEpoch: 60, PeakMemoryGB: 16},
				Scheduler: asha.Options{Kind: "percentile", Percentile: 60, StartupTrials: 10, WarmupEpochs: 3, IntervalEpochs: 2, MinTrials: 4},
				Budget:    Budget{Epochs: 30, GPUHours: 1.5, Dollars: 2}},
			B: Search{Trials: 5, Epochs: 7, Rungs: Rungs{2, 7, 4}, Seeds: []int64{8, 7}, Patience: 2, Sampler: "tpe", Export: 2,
				Limits: Limits{ECE: 0.1}, CostWeight: 0.5, Scheduler: asha.Options{Kind: "asha-stopping", Bootstrap: 3}},
			C: Confirm{Candidates: 3, Folds: 2, Seeds: []int64{0}, FoldSeed: 5, Epochs: 9, Patience: 4},
		},
		LeaseSeconds: 30.5, PricePerHour: 1.25,
		Space: got.Space, Whole: got.Whole,
	}
	if diff := cmp.Diff(want, got, exact); diff != "" {
		t.Error(diff)
	}
	for param, allowed := range map[string]string{
		"optim.lr":       "a number from 0.0003 to 0.003",
		"train.amp":      "false",
		"optim.name":     "adamw",
		"tok.max_length": "a whole number from 128 to 256 in steps of 64",
	} {
		if p, _ := got.Space.Param(param); p.Allowed() != allowed {
			t.Errorf("%s takes %s, want %s", param, p.Allowed(), allowed)
		}
	}
	// The study's own backbones join the eight in a fixed order; roberta-base was there.
	p, _ := got.Whole.Param("model.name")
	if n := len(p.Choices); n != 10 || p.Choices[8] != space.String("org/large") || p.Choices[9] != space.String("tiny") {
		t.Errorf("model.name takes %s", p.Allowed())
	}
	if p, _ := got.Whole.Param("train.amp"); p.Count() != 2 {
		t.Error("the whole space is narrowed")
	}
}

func TestShippedStudies(t *testing.T) {
	files, err := filepath.Glob("../../configs/study/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no study files: %v", err)
	}
	for _, file := range files {
		s, err := Load(file)
		if err != nil {
			t.Error(err)
			continue
		}
		if want := strings.TrimSuffix(filepath.Base(file), ".yaml"); s.Name != want {
			t.Errorf("%s is named %s", file, s.Name)
		}
		if _, err := os.Stat(s.Corpus.Dir); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
}

// full.yaml spells out the defaults of the design and the whole space.
func TestFullIsTheDefaults(t *testing.T) {
	full, err := Load("../../configs/study/full.yaml")
	if err != nil {
		t.Fatal(err)
	}
	want := parse(t, minimal)
	want.Name, want.Corpus = full.Name, full.Corpus
	if diff := cmp.Diff(want, full, exact); diff != "" {
		t.Error(diff)
	}
}

func TestLoadMissingFile(t *testing.T) {
	_, err := Load(filepath.Join(t.TempDir(), "none.yaml"))
	if !errors.Is(err, os.ErrNotExist) || !strings.HasPrefix(err.Error(), "read study file: open ") {
		t.Error(err)
	}
}
