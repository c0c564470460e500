package config

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/supermax-hpo/supermax/shared/asha"
	"github.com/supermax-hpo/supermax/shared/internal/show"
	"github.com/supermax-hpo/supermax/shared/sampler"
	"github.com/supermax-hpo/supermax/shared/space"
)

// A fault is one value that is not allowed, at its path of keys and list indexes.
type fault struct {
	path    []string
	problem string
}

// key is the path without indexes.
func (f *fault) key() string {
	var keys []string
	for _, k := range f.path {
		if _, err := strconv.Atoi(k); err != nil {
			keys = append(keys, k)
		}
	}
	return strings.Join(keys, ".")
}

func (f *fault) Error() string { return f.key() + ": " + f.problem }

var (
	studyName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}$`)
	modelName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,62}(/[A-Za-z0-9][A-Za-z0-9._-]{0,62})?$`)
)

// Limits that no study of this kind needs to pass.
const (
	maxTrials = 1_000_000
	maxEpochs = 10_000
	maxSeeds  = 1_000
	maxSeed   = math.MaxUint32 // the folds and splits seed a Mersenne Twister with 32 bits
	maxLease  = 24 * 60 * 60   // seconds
	maxFolds  = 100
	maxFactor = 1_000
	maxPosts  = math.MaxInt32
)

// checks collects the first fault of a list of checks.
type checks struct{ err error }

func (c *checks) fail(problem string, path ...string) {
	if c.err == nil {
		c.err = &fault{path: path, problem: problem}
	}
}

func (c *checks) between(v, low, high int, path ...string) {
	if v < low || v > high {
		c.fail(fmt.Sprintf("%d is not allowed; allowed: a whole number from %d to %d", v, low, high), path...)
	}
}

func (c *checks) oneOf(v string, allowed []string, path ...string) {
	switch {
	case v == "":
		c.fail("is missing; allowed: "+strings.Join(allowed, ", "), path...)
	case !slices.Contains(allowed, v):
		c.fail(show.Quote(v)+" is not allowed; allowed: "+strings.Join(allowed, ", "), path...)
	}
}

// validateFields checks everything but the space, in the order of the file.
func (s *Study) validateFields() error {
	c := &checks{}
	switch {
	case s.Version == 0:
		c.fail(fmt.Sprintf("is missing; allowed: %d", Version), "version")
	case s.Version != Version:
		c.fail(fmt.Sprintf("%d is not allowed; allowed: %d", s.Version, Version), "version")
	}
	const nameForm = "lower-case letters, digits and hyphens, at most 63, the first a letter or digit"
	switch {
	case s.Name == "":
		c.fail("is missing; allowed: "+nameForm, "name")
	case !studyName.MatchString(s.Name):
		c.fail(show.Quote(s.Name)+" is not allowed; allowed: "+nameForm, "name")
	}
	c.oneOf(s.Agent, Agents(), "agent")
	c.corpus(s.Corpus)
	for _, name := range slices.Sorted(maps.Keys(s.Models)) {
		if !modelName.MatchString(name) {
			c.fail("is not a backbone's name; allowed: letters, digits, dots, hyphens and underscores, with at most one slash inside", "models", name)
		}
	}
	if f := s.Training.ValidFraction; !(f > 0 && f < 1) {
		c.fail(fmt.Sprintf("%v is not allowed; allowed: a number between 0 and 1", f), "training", "valid_fraction")
	}
	c.seed(s.Training.SplitSeed, "training", "split_seed")
	c.oneOf(s.Training.ClassWeights, []string{"balanced", "none"}, "training", "class_weights")
	c.search(s.Stages.A, "a")
	c.scheduler(s.Stages.A, "a", s.PricePerHour, sampler.Maximize)
	c.search(s.Stages.B, "b")
	c.scheduler(s.Stages.B, "b", s.PricePerHour, sampler.Maximize, sampler.Minimize)
	c.between(s.Stages.B.Enqueue, 0, s.Stages.B.Trials, "stages", "b", "enqueue")
	c.confirm(s.Stages)
	if l := s.LeaseSeconds; !(l >= 1 && l <= maxLease) {
		c.fail(fmt.Sprintf("%v is not allowed; allowed: seconds from 1 to %d", l, maxLease), "lease_seconds")
	}
	if p := s.PricePerHour; !(p >= 0) || math.IsInf(p, 0) {
		c.fail(fmt.Sprintf("%v is not allowed; allowed: a number from 0", p), "price_per_hour")
	}
	c.objective(s)
	return c.err
}

func (c *checks) corpus(corpus Corpus) {
	if corpus.Dir == "" {
		c.fail("is missing; allowed: a folder", "corpus", "dir")
	}
	c.oneOf(corpus.Layout, []string{"groundtruth", "redsm5"}, "corpus", "layout")
	for i, id := range corpus.Criteria {
		switch {
		case id == "":
			c.fail(`"" is not allowed; allowed: a criterion's id`, "corpus", "criteria", strconv.Itoa(i))
		case slices.Contains(corpus.Criteria[:i], id):
			c.fail(show.Quote(id)+" is listed twice", "corpus", "criteria", strconv.Itoa(i))
		}
	}
	c.between(corpus.MaxPosts, 0, maxPosts, "corpus", "max_posts")
}

func (c *checks) search(s Search, stage string) {
	at := func(keys ...string) []string { return append([]string{"stages", stage}, keys...) }
	c.between(s.Trials, 1, maxTrials, at("trials")...)
	c.between(s.Epochs, 1, maxEpochs, at("epochs")...)
	c.between(s.Rungs.Min, 1, s.Epochs, at("rungs", "min")...)
	if s.Rungs.Max != s.Epochs {
		c.fail(fmt.Sprintf("%d is not allowed; allowed: the stage's epochs, %d", s.Rungs.Max, s.Epochs), at("rungs", "max")...)
	}
	c.between(s.Rungs.Factor, 2, maxFactor, at("rungs", "factor")...)
	c.seeds(s.Seeds, at("seeds")...)
	c.between(s.Patience, 0, maxEpochs, at("patience")...)
	c.oneOf(s.Sampler, sampler.Names(), at("sampler")...)
	c.between(s.Export, 1, maxTrials, at("export")...)
	c.limit(s.Limits.ECE, at("limits", "ece")...)
	c.limit(s.Limits.SecondsPerEpoch, at("limits", "seconds_per_epoch")...)
	c.limit(s.Limits.PeakMemoryGB, at("limits", "peak_memory_gb")...)
	switch w := s.CostWeight; {
	case !(w >= 0) || math.IsInf(w, 0):
		c.fail(fmt.Sprintf("%v is not allowed; allowed: a number from 0", w), at("cost_weight")...)
	case w > 0 && s.Sampler != sampler.NameTPE:
		c.fail(fmt.Sprintf("%v is not allowed; allowed: 0 with any other sampler than %s", w, sampler.NameTPE), at("cost_weight")...)
	}
}

// scheduler checks a stage whose objectives go in these directions, and the budget, which
// must suffice for the first rung.
func (c *checks) scheduler(s Search, stage string, pricePerHour float64, objectives ...sampler.Direction) {
	if s.Scheduler.Kind == "" {
		c.oneOf("", asha.Kinds(), "stages", stage, "scheduler", "kind")
	}
	if c.err != nil { // the rungs must be valid
		return
	}
	o := s.Scheduler
	o.Directions, o.First, o.Last, o.Factor = objectives, s.Rungs.Min, s.Rungs.Max, s.Rungs.Factor
	scheduler, err := asha.NewScheduler(o)
	var refused *asha.OptionError
	if errors.As(err, &refused) {
		c.fail(fmt.Sprintf("%v is not allowed; allowed: %s", refused.Value, refused.Allowed), "stages", stage, "scheduler", refused.Option)
		return
	}
	at := func(key string) []string { return []string{"stages", stage, "budget", key} }
	if first, n := scheduler.First()*len(s.Seeds), s.Budget.Epochs; n < 0 || n > 0 && n < first {
		c.fail(fmt.Sprintf("%d is not allowed; allowed: a whole number from %d, which a trial takes to its first rung with all seeds", n, first), at("epochs")...)
	}
	c.limit(s.Budget.GPUHours, at("gpu_hours")...)
	c.limit(s.Budget.Dollars, at("dollars")...)
	if s.Budget.Dollars > 0 && pricePerHour == 0 {
		c.fail(fmt.Sprintf("%v is not allowed; allowed: no such key, as price_per_hour is 0 or missing", s.Budget.Dollars), at("dollars")...)
	}
}

func (c *checks) limit(x float64, path ...string) {
	if !(x >= 0) || math.IsInf(x, 0) {
		c.fail(fmt.Sprintf("%v is not allowed; allowed: a number above 0", x), path...)
	}
}

func (c *checks) objective(s *Study) {
	const perDollar = "f1_per_dollar"
	c.oneOf(s.Stages.A.Objective, []string{defaultObjective, perDollar}, "stages", "a", "objective")
	if s.Stages.A.Objective == perDollar && s.PricePerHour == 0 {
		c.fail(perDollar+" is not allowed; allowed: "+defaultObjective+", as price_per_hour is 0 or missing", "stages", "a", "objective")
	}
	if o := s.Stages.B.Objective; o != "" {
		c.fail(show.Quote(o)+" is not allowed; allowed: none, as stage B maximises F1-macro and minimises ECE", "stages", "b", "objective")
	}
}

func (c *checks) confirm(s Stages) {
	at := func(key string) []string { return []string{"stages", "c", key} }
	if n := s.C.Candidates; n < 1 || n > s.B.Trials {
		c.fail(fmt.Sprintf("%d is not allowed; allowed: a whole number from 1 to stage B's trials, %d", n, s.B.Trials), at("candidates")...)
	}
	c.between(s.C.Folds, 2, maxFolds, at("folds")...)
	c.seeds(s.C.Seeds, at("seeds")...)
	c.seed(s.C.FoldSeed, at("fold_seed")...)
	c.between(s.C.Epochs, 1, maxEpochs, at("epochs")...)
	c.between(s.C.Patience, 0, maxEpochs, at("patience")...)
}

func (c *checks) seeds(seeds []int64, path ...string) {
	if len(seeds) == 0 || len(seeds) > maxSeeds {
		c.fail(fmt.Sprintf("has %d seeds; allowed: 1 to %d", len(seeds), maxSeeds), path...)
	}
	for i, seed := range seeds {
		at := append(slices.Clone(path), strconv.Itoa(i))
		c.seed(seed, at...)
		if slices.Contains(seeds[:i], seed) {
			c.fail(fmt.Sprintf("%d is listed twice", seed), at...)
		}
	}
}

func (c *checks) seed(seed int64, path ...string) {
	if seed < 0 || seed > maxSeed {
		c.fail(fmt.Sprintf("%d is not allowed; allowed: a whole number from 0 to %d", seed, uint32(maxSeed)), path...)
	}
}

// validateSpaces checks what a study read from JSON says about its spaces.
func (s *Study) validateSpaces() error {
	for _, sp := range []*space.Space{s.Whole, s.Space} {
		if sp == nil {
			return &fault{path: []string{"space"}, problem: "space or whole_space is missing"}
		}
		if err := sp.Validate(); err != nil {
			return err
		}
	}
	want, err := s.narrowed()
	if err != nil {
		return err
	}
	if !reflect.DeepEqual(want, s.Space) {
		return &fault{path: []string{"space"}, problem: "is not whole_space narrowed by constraints"}
	}
	return nil
}
