// Package config reads a study file: which corpus, which backbones, which part of the
// search space, and how large the three stages are. Reading is strict: a key that does not
// exist or a value that is not allowed is an error that names file, line, key, value and
// what is allowed.
package config

import (
	"math"

	"github.com/supermax-hpo/supermax/shared/asha"
	"github.com/supermax-hpo/supermax/shared/space"
)

// Version is the version of the study file and of its JSON form.
const Version = 1

// A Study is a study file with its defaults filled in, its folders absolute and its space
// narrowed. It is read-only and safe for concurrent use.
type Study struct {
	Version     int               `json:"schema_version"`
	Name        string            `json:"name"`  // also a folder's name
	Agent       string            `json:"agent"` // one of [Agents]
	Seed        uint64            `json:"seed"`  // of the samplers
	Corpus      Corpus            `json:"corpus"`
	Models      map[string]string `json:"models"` // where a backbone lies: name → absolute folder
	Constraints space.Constraints `json:"constraints"`
	Training    Training          `json:"training"`
	Stages      Stages            `json:"stages"`

	LeaseSeconds float64 `json:"lease_seconds"`  // a slot not heard of for so long has lost its trial
	PricePerHour float64 `json:"price_per_hour"` // of one slot, in the user's currency; 0: not known

	// Space is what the study searches. Whole is the space before narrowing, the study's own
	// backbones included; the Parquet files have its columns, so that studies compare.
	Space *space.Space `json:"space"`
	Whole *space.Space `json:"whole_space"`
}

// Corpus says what is learnt from.
type Corpus struct {
	Dir      string   `json:"dir"`       // absolute
	Layout   string   `json:"layout"`    // groundtruth or redsm5
	Criteria []string `json:"criteria"`  // the ids to keep; empty: all
	MaxPosts int      `json:"max_posts"` // keep the first so many; 0: all
}

// Training holds what all trials of the study share.
type Training struct {
	ValidFraction float64 `json:"valid_fraction"` // of the posts, held out in stages A and B
	SplitSeed     int64   `json:"split_seed"`
	ClassWeights  string  `json:"class_weights"` // balanced or none
}

// Stages are the three stages of a study.
type Stages struct {
	A Search  `json:"a"` // explore: F1-macro
	B Search  `json:"b"` // refine: F1-macro and ECE
	C Confirm `json:"c"` // confirm by cross-validation
}

// Search sizes stage A or B.
type Search struct {
	Trials   int     `json:"trials"`
	Epochs   int     `json:"epochs"` // of a trial that is promoted to the last rung
	Rungs    Rungs   `json:"rungs"`
	Seeds    []int64 `json:"seeds"`    // a trial trains once with each
	Patience int     `json:"patience"` // epochs without a better F1-macro before a seed stops; 0: none stops early
	Sampler  string  `json:"sampler"`  // one of [sampler.Names]
	Enqueue  int     `json:"enqueue"`  // stage B: starts from A's best so many; stage A: 0
	Export   int     `json:"export"`   // so many of the best are exported

	Scheduler asha.Options `json:"scheduler"`       // its kind and options; the rest follows from the stage
	Budget    Budget       `json:"budget,omitzero"` // ends the stage beside Trials

	Objective  string  `json:"objective,omitempty"`   // stage A: f1_macro or f1_per_dollar; stage B has its own two
	Limits     Limits  `json:"limits,omitzero"`       // a trial that breaks one ranks last and is not handed on
	CostWeight float64 `json:"cost_weight,omitempty"` // how much TPE shuns slow configurations; 0: not at all
}

// Budget bounds what a stage takes. 0: no bound.
type Budget struct {
	Epochs   int     `json:"epochs,omitempty"` // each seed's counted
	GPUHours float64 `json:"gpu_hours,omitempty"`
	Dollars  float64 `json:"dollars,omitempty"` // at PricePerHour
}

// Limits bound what a trial may be beside its objectives. 0: no limit.
type Limits struct {
	ECE             float64 `json:"ece,omitempty"`
	SecondsPerEpoch float64 `json:"seconds_per_epoch,omitempty"` // of one seed's epoch
	PeakMemoryGB    float64 `json:"peak_memory_gb,omitempty"`    // of 2^30 bytes
}

// Rungs are the epochs at which asha, asha-stopping and hyperband compare trials: Min,
// Min·Factor, …, Max. Other schedulers use Max alone.
type Rungs struct {
	Min    int `json:"min"`
	Max    int `json:"max"` // the stage's epochs
	Factor int `json:"factor"`
}

// Confirm sizes stage C: candidates × folds × seeds trainings.
type Confirm struct {
	Candidates int     `json:"candidates"`
	Folds      int     `json:"folds"`
	Seeds      []int64 `json:"seeds"`
	FoldSeed   int64   `json:"fold_seed"`
	Epochs     int     `json:"epochs"`
	Patience   int     `json:"patience"`
}

// unset marks a value that [Study.setDependent] fills in.
const unset = math.MinInt

// What median and percentile begin with: so many trials in full, and the best quarter.
const (
	defaultStartupTrials = 5
	defaultPercentile    = 25
)

// defaultObjective is what stage A maximises.
const defaultObjective = "f1_macro"

// defaultEnqueue is how many of A's best start stage B, if it has so many trials.
const defaultEnqueue = 20

// defaults returns the study of an empty file. What depends on another value is unset.
func defaults() *Study {
	return &Study{
		Seed:        2025,
		Models:      map[string]string{},
		Constraints: space.Constraints{},
		Training:    Training{ValidFraction: 0.2, SplitSeed: 42, ClassWeights: "balanced"},
		Stages: Stages{
			A: Search{Trials: 1000, Epochs: 20, Rungs: Rungs{Min: 2, Max: unset, Factor: 3}, Seeds: []int64{1, 2, 3},
				Patience: 5, Sampler: "tpe", Export: 50, Scheduler: asha.Options{Kind: asha.KindASHA, StartupTrials: unset, Percentile: unset}, Objective: defaultObjective},
			B: Search{Trials: 1500, Epochs: 30, Rungs: Rungs{Min: 3, Max: unset, Factor: 3}, Seeds: []int64{1, 2, 3, 4},
				Patience: 8, Sampler: "nsga2", Enqueue: unset, Export: 20, Scheduler: asha.Options{Kind: asha.KindASHA, StartupTrials: unset, Percentile: unset}},
			C: Confirm{Candidates: 10, Folds: 5, Seeds: []int64{1, 2, 3, 4, 5, 6}, FoldSeed: 42,
				Epochs: 40, Patience: 10},
		},
		LeaseSeconds: 120,
	}
}

// setDependent fills in the defaults that follow another value: the last rung ends with
// the stage's epochs, some schedulers begin with a few trials in full, and B cannot start
// from more trials than it has.
func (s *Study) setDependent() {
	for _, stage := range []*Search{&s.Stages.A, &s.Stages.B} {
		if stage.Rungs.Max == unset {
			stage.Rungs.Max = stage.Epochs
		}
		stage.Scheduler = withDefaults(stage.Scheduler)
	}
	if s.Stages.B.Enqueue == unset {
		s.Stages.B.Enqueue = min(defaultEnqueue, s.Stages.B.Trials)
	}
}

// withDefaults returns the options with those filled in that are unset.
func withDefaults(o asha.Options) asha.Options {
	startup, percentile := 0, 0.0
	if o.Kind == asha.KindMedian || o.Kind == asha.KindPercentile {
		startup = defaultStartupTrials
	}
	if o.Kind == asha.KindPercentile {
		percentile = defaultPercentile
	}
	if o.StartupTrials == unset {
		o.StartupTrials = startup
	}
	if o.Percentile == unset {
		o.Percentile = percentile
	}
	return o
}
