package study

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/supermax-hpo/supermax/shared/asha"
	"github.com/supermax-hpo/supermax/shared/protocol"
	"github.com/supermax-hpo/supermax/shared/sampler"
	"github.com/supermax-hpo/supermax/shared/space"
)

// Settings are what a study was created with; they never change.
type Settings struct {
	Study string       `json:"study"` // names the study in keys: letters, digits, dot, dash, underscore
	Agent string       `json:"agent"` // the task; kept, not interpreted
	Seed  uint64       `json:"seed"`  // with a trial's number, what its parameters are drawn from
	Space *space.Space `json:"space"` // narrowed
	A     SearchStage  `json:"a"`     // explore: F1-macro
	B     SearchStage  `json:"b"`     // refine: F1-macro and ECE
	C     ConfirmStage `json:"c"`     // confirm: cross-validation

	LeaseSeconds     float64 `json:"lease_seconds"`     // 0: 120
	HeartbeatSeconds float64 `json:"heartbeat_seconds"` // 0: a quarter of the lease
	RetrySeconds     float64 `json:"retry_seconds"`     // how long a slot waits that got no work; 0: 2
	MaxRequeues      int     `json:"max_requeues"`      // how often a trial is taken back from crashes; 0: 3

	PricePerHour float64 `json:"price_per_hour,omitempty"` // of one slot, in dollars; 0: not known, and so no budget
}

// SearchStage is a stage that samples trials and promotes them through rungs.
type SearchStage struct {
	Trials   int     `json:"trials"`   // how many may be started, enqueued ones included
	Rungs    Rungs   `json:"rungs"`    //
	Seeds    []int64 `json:"seeds"`    // each trial is trained once with each
	Patience int     `json:"patience"` // see [SeedBest.Stopped]; 0: no seed stops early
	Sampler  string  `json:"sampler"`  // a name that [sampler.New] knows
	Enqueue  int     `json:"enqueue"`  // stage B: how many of A's best are tried first

	Scheduler  asha.Options `json:"scheduler,omitzero"`    // no Kind: asha
	Budget     Budget       `json:"budget,omitzero"`       // beside Trials
	Objective  string       `json:"objective,omitempty"`   // stage A: see [ObjectiveF1]; empty: f1_macro
	Limits     Limits       `json:"limits,omitzero"`       //
	CostWeight float64      `json:"cost_weight,omitempty"` // how much TPE shuns expensive configurations, see [sampler.Options]; 0: not at all
}

// Rungs are the arguments of [asha.New], in epochs. Max is the stage's whole length; the
// others mean nothing to schedulers that compare trials in other ways.
type Rungs struct {
	Min    int `json:"min"`
	Max    int `json:"max"`
	Factor int `json:"factor"`
}

// ConfirmStage cross-validates candidates: every candidate is trained on every fold.
type ConfirmStage struct {
	Candidates int     `json:"candidates"`
	Folds      int     `json:"folds"`
	Seeds      []int64 `json:"seeds"`
	Epochs     int     `json:"epochs"`
	Patience   int     `json:"patience"`
}

const (
	defaultLeaseSeconds = 120
	defaultRetrySeconds = 2
	defaultMaxRequeues  = 3
	// maxSeconds bounds leases and waits well inside what a time.Duration holds.
	maxSeconds = 30 * 24 * 3600
)

// withDefaults returns a copy in which zero values are replaced by what they mean.
func (s Settings) withDefaults() Settings {
	if s.LeaseSeconds == 0 {
		s.LeaseSeconds = defaultLeaseSeconds
	}
	if s.HeartbeatSeconds == 0 {
		s.HeartbeatSeconds = s.LeaseSeconds / 4
	}
	if s.RetrySeconds == 0 {
		s.RetrySeconds = defaultRetrySeconds
	}
	if s.MaxRequeues == 0 {
		s.MaxRequeues = defaultMaxRequeues
	}
	if s.A.Objective == "" {
		s.A.Objective = ObjectiveF1
	}
	for _, stage := range []*SearchStage{&s.A, &s.B} {
		if stage.Scheduler.Kind == "" {
			stage.Scheduler.Kind = asha.KindASHA
		}
	}
	return s
}

// studyName is what stores and metrics files allow too.
var studyName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// Validate returns every fault of s, each named by its field.
func (s Settings) Validate() error {
	var errs []error
	bad := func(field string, value any, allowed string) {
		errs = append(errs, fmt.Errorf("%s: %v is not allowed; allowed: %s", field, value, allowed))
	}
	if !studyName.MatchString(s.Study) {
		bad("study", fmt.Sprintf("%q", s.Study), "1 to 64 letters, digits, dots, dashes and underscores, the first a letter or digit")
	}
	if s.Space == nil || len(s.Space.Params) == 0 {
		bad("space", "an empty space", "at least one parameter")
	} else if err := s.Space.Validate(); err != nil {
		errs = append(errs, fmt.Errorf("space: %w", err))
	}
	s.A.validate("a", dirsA, bad)
	s.B.validate("b", dirsB, bad)
	s.C.validate(bad)
	s.validateObjectives(bad)
	s.A.validateBudget("a", dirsA, s.PricePerHour, bad)
	s.B.validateBudget("b", dirsB, s.PricePerHour, bad)
	s.A.validateGrid("a", s.Space, bad)
	s.B.validateGrid("b", s.Space, bad)
	s.A.validateCostWeight("a", s.Space, bad)
	s.B.validateCostWeight("b", s.Space, bad)
	if s.A.Enqueue != 0 {
		bad("a.enqueue", s.A.Enqueue, "0, as no stage comes before")
	}
	for _, f := range []struct {
		name  string
		value float64
	}{{"lease_seconds", s.LeaseSeconds}, {"heartbeat_seconds", s.HeartbeatSeconds}, {"retry_seconds", s.RetrySeconds}} {
		if !(f.value >= 0 && f.value <= maxSeconds) {
			bad(f.name, f.value, "0 (the default) to 30 days")
		}
	}
	if d := s.withDefaults(); d.HeartbeatSeconds >= d.LeaseSeconds {
		bad("heartbeat_seconds", d.HeartbeatSeconds, fmt.Sprintf("less than lease_seconds, which is %v", d.LeaseSeconds))
	}
	if p := s.PricePerHour; !(p >= 0) || math.IsInf(p, 0) {
		bad("price_per_hour", p, "a number from 0")
	}
	if s.MaxRequeues < 0 {
		bad("max_requeues", s.MaxRequeues, "1 or more, or 0 for the default")
	}
	return errors.Join(errs...)
}

func (s SearchStage) validate(name string, dirs []sampler.Direction, bad func(field string, value any, allowed string)) {
	if s.Trials < 1 {
		bad(name+".trials", s.Trials, "1 or more")
	}
	if _, err := asha.New(s.Rungs.Min, s.Rungs.Max, s.Rungs.Factor); err != nil {
		bad(name+".rungs", s.Rungs, err.Error())
	} else {
		s.validateScheduler(name, dirs, bad)
	}
	if s.Patience < 0 {
		bad(name+".patience", s.Patience, "0 or more epochs")
	}
	if _, err := sampler.New(s.Sampler, sampler.Options{}); err != nil {
		bad(name+".sampler", fmt.Sprintf("%q", s.Sampler), strings.Join(sampler.Names(), ", "))
	}
	if s.Enqueue < 0 || s.Enqueue > s.Trials {
		bad(name+".enqueue", s.Enqueue, fmt.Sprintf("0 to %d, the stage's trials", s.Trials))
	}
	s.Limits.validate(name, bad)
	validateSeeds(name, s.Seeds, bad)
}

func (c ConfirmStage) validate(bad func(field string, value any, allowed string)) {
	if c.Candidates < 1 {
		bad("c.candidates", c.Candidates, "1 or more")
	}
	if c.Folds < 2 {
		bad("c.folds", c.Folds, "2 or more")
	}
	if c.Epochs < 1 {
		bad("c.epochs", c.Epochs, "1 or more")
	}
	if c.Patience < 0 {
		bad("c.patience", c.Patience, "0 or more epochs")
	}
	validateSeeds("c", c.Seeds, bad)
}

func validateSeeds(stage string, seeds []int64, bad func(field string, value any, allowed string)) {
	sorted := slices.Sorted(slices.Values(seeds))
	if len(seeds) == 0 || len(slices.Compact(sorted)) != len(seeds) {
		bad(stage+".seeds", seeds, "one or more, all different")
	}
}

// plan is what the machine needs to know of a stage, whichever kind it is.
type plan struct {
	scheduler *asha.Scheduler
	budget    Budget
	seeds     []int64
	patience  int
	dirs      []sampler.Direction
	sampler   string // empty: the stage samples nothing
	enqueue   int

	pricePerHour float64 // that the objective divides by; 0: it does not
	limits       Limits
	costWeight   float64
}

// What the stages' objectives, F1-macro and ECE, should be.
var (
	dirsA = []sampler.Direction{sampler.Maximize}
	dirsB = []sampler.Direction{sampler.Maximize, sampler.Minimize}
	dirsC = []sampler.Direction{sampler.Maximize}
)

// plans returns the plans of the stages A, B and C. The settings must be valid.
func (s Settings) plans() ([3]plan, error) {
	search := func(st SearchStage, dirs ...sampler.Direction) (plan, error) {
		scheduler, err := asha.NewScheduler(st.options(s.Study, dirs))
		return plan{scheduler: scheduler, budget: st.Budget, seeds: st.Seeds, patience: st.Patience,
			dirs: dirs, sampler: st.Sampler, enqueue: st.Enqueue, limits: st.Limits, costWeight: st.CostWeight}, err
	}
	a, errA := search(s.A, dirsA...)
	if s.A.Objective == ObjectiveF1PerDollar {
		a.pricePerHour = s.PricePerHour
	}
	b, errB := search(s.B, dirsB...)
	inFull, errC := asha.NewScheduler(asha.Options{Kind: asha.KindNone, Directions: dirsC, Last: s.C.Epochs})
	c := plan{scheduler: inFull, seeds: s.C.Seeds, patience: s.C.Patience, dirs: dirsC}
	return [3]plan{a, b, c}, errors.Join(errA, errB, errC)
}

// rungs returns the rungs of a trial.
func (p plan) rungs(trial int) asha.Rungs { return p.scheduler.Rungs(trial) }

// NewScheduler returns what decides how far a stage's trials are trained, or what is wrong
// with the settings.
func (s Settings) NewScheduler(stage protocol.Stage) (*asha.Scheduler, error) {
	i, err := indexOf(stage)
	if err != nil {
		return nil, err
	}
	plans, err := s.plans()
	return plans[i].scheduler, err
}

// last returns the last rung of a trial.
func (p plan) last(trial int) int { return len(p.rungs(trial)) - 1 }

// stages are the stages in the order in which a study walks them.
var stages = [3]protocol.Stage(protocol.Stages())

// seconds returns s as a duration.
func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
