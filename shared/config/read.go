package config

import (
	"path/filepath"

	"github.com/supermax-hpo/supermax/shared/internal/yamltree"
	"github.com/supermax-hpo/supermax/shared/space"
)

// A key is one key of a mapping and what reads its value.
type key struct {
	name string
	read func(yamltree.Node) error
}

// readMap reads the mapping n, whose keys are among those given.
func readMap(n yamltree.Node, keys ...key) error {
	names, byName := make([]string, len(keys)), make(map[string]key, len(keys))
	for i, k := range keys {
		names[i], byName[k.name] = k.name, k
	}
	fields, err := n.Map(names...)
	if err != nil {
		return err
	}
	for _, f := range fields {
		if err := byName[f.Key].read(f.Value); err != nil {
			return err
		}
	}
	return nil
}

// into returns a reader that stores what get returns in dst.
func into[T any](dst *T, get func(yamltree.Node) (T, error)) func(yamltree.Node) error {
	return func(n yamltree.Node) (err error) {
		*dst, err = get(n)
		return err
	}
}

func sub(keys ...key) func(yamltree.Node) error {
	return func(n yamltree.Node) error { return readMap(n, keys...) }
}

func (s *Study) read(top yamltree.Node, dir string) error {
	folder := func(n yamltree.Node) (string, error) { return readFolder(n, dir) }
	return readMap(top,
		key{"version", into(&s.Version, yamltree.Node.Int)},
		key{"name", into(&s.Name, yamltree.Node.Text)},
		key{"agent", into(&s.Agent, yamltree.Node.Str)},
		key{"seed", into(&s.Seed, readUint)},
		key{"corpus", sub(
			key{"dir", into(&s.Corpus.Dir, folder)},
			key{"layout", into(&s.Corpus.Layout, yamltree.Node.Str)},
			key{"criteria", into(&s.Corpus.Criteria, readTexts)},
			key{"max_posts", into(&s.Corpus.MaxPosts, yamltree.Node.Int)},
		)},
		key{"models", func(n yamltree.Node) error { return s.readModels(n, folder) }},
		key{"constraints", s.readConstraints},
		key{"training", sub(
			key{"valid_fraction", into(&s.Training.ValidFraction, yamltree.Node.Float)},
			key{"split_seed", into(&s.Training.SplitSeed, readInt64)},
			key{"class_weights", into(&s.Training.ClassWeights, yamltree.Node.Str)},
		)},
		key{"stages", s.Stages.read},
		key{"lease_seconds", into(&s.LeaseSeconds, yamltree.Node.Float)},
		key{"price_per_hour", into(&s.PricePerHour, yamltree.Node.Float)},
	)
}

func (s *Stages) read(n yamltree.Node) error {
	return readMap(n,
		key{"a", s.A.reader(key{"objective", into(&s.A.Objective, yamltree.Node.Str)})},
		key{"b", s.B.reader(key{"enqueue", into(&s.B.Enqueue, yamltree.Node.Int)})},
		key{"c", sub(
			key{"candidates", into(&s.C.Candidates, yamltree.Node.Int)},
			key{"folds", into(&s.C.Folds, yamltree.Node.Int)},
			key{"seeds", into(&s.C.Seeds, readSeeds)},
			key{"fold_seed", into(&s.C.FoldSeed, readInt64)},
			key{"epochs", into(&s.C.Epochs, yamltree.Node.Int)},
			key{"patience", into(&s.C.Patience, yamltree.Node.Int)},
		)},
	)
}

func (s *Search) reader(more ...key) func(yamltree.Node) error {
	return sub(append([]key{
		{"trials", into(&s.Trials, yamltree.Node.Int)},
		{"epochs", into(&s.Epochs, yamltree.Node.Int)},
		{"rungs", sub(
			key{"min", into(&s.Rungs.Min, yamltree.Node.Int)},
			key{"max", into(&s.Rungs.Max, yamltree.Node.Int)},
			key{"factor", into(&s.Rungs.Factor, yamltree.Node.Int)},
		)},
		{"seeds", into(&s.Seeds, readSeeds)},
		{"patience", into(&s.Patience, yamltree.Node.Int)},
		{"sampler", into(&s.Sampler, yamltree.Node.Str)},
		{"export", into(&s.Export, yamltree.Node.Int)},
		{"limits", sub(
			key{"ece", into(&s.Limits.ECE, readLimit)},
			key{"seconds_per_epoch", into(&s.Limits.SecondsPerEpoch, readLimit)},
			key{"peak_memory_gb", into(&s.Limits.PeakMemoryGB, readLimit)},
		)},
		{"cost_weight", into(&s.CostWeight, yamltree.Node.Float)},
		{"scheduler", s.readScheduler},
		{"budget", sub(
			key{"epochs", into(&s.Budget.Epochs, readCount)},
			key{"gpu_hours", into(&s.Budget.GPUHours, readLimit)},
			key{"dollars", into(&s.Budget.Dollars, readLimit)},
		)},
	}, more...)...)
}

// readScheduler reads a kind by its name alone, or with its options as a mapping.
func (s *Search) readScheduler(n yamltree.Node) error {
	o := &s.Scheduler
	if !n.IsMap() {
		return into(&o.Kind, yamltree.Node.Str)(n)
	}
	o.Kind = ""
	return readMap(n,
		key{"kind", into(&o.Kind, yamltree.Node.Str)},
		key{"min_early_stopping_rate", into(&o.MinEarlyStoppingRate, yamltree.Node.Int)},
		key{"bootstrap", into(&o.Bootstrap, yamltree.Node.Int)},
		key{"percentile", into(&o.Percentile, yamltree.Node.Float)},
		key{"startup_trials", into(&o.StartupTrials, yamltree.Node.Int)},
		key{"warmup_epochs", into(&o.WarmupEpochs, yamltree.Node.Int)},
		key{"interval_epochs", into(&o.IntervalEpochs, readCount)},
		key{"min_trials", into(&o.MinTrials, readCount)},
	)
}

// readCount reads a number of what there must be one of at least.
func readCount(n yamltree.Node) (int, error) {
	i, err := n.Int()
	if err == nil && i < 1 {
		err = n.Errorf("%d is not allowed; allowed: a whole number from 1, or no such key", i)
	}
	return i, err
}

// readLimit reads a limit. To have none, its key is left away: a 0 would say that nothing is
// allowed.
func readLimit(n yamltree.Node) (float64, error) {
	x, err := n.Float()
	if err == nil && !(x > 0) {
		err = n.Errorf("%v is not allowed; allowed: a number above 0, or no such key", x)
	}
	return x, err
}

// readFolder reads a folder's path, relative to dir, and returns it absolute.
func readFolder(n yamltree.Node, dir string) (string, error) {
	p, err := n.Text()
	if err != nil {
		return "", err
	}
	if p == "" {
		return "", n.Errorf(`"" is not allowed; allowed: a folder`)
	}
	if !filepath.IsAbs(p) {
		p = filepath.Join(dir, p)
	}
	return filepath.Clean(p), nil
}

func (s *Study) readModels(n yamltree.Node, folder func(yamltree.Node) (string, error)) error {
	fields, err := n.Map()
	if err != nil {
		return err
	}
	for _, f := range fields {
		if s.Models[f.Key], err = folder(f.Value); err != nil {
			return err
		}
	}
	return nil
}

// readConstraints reads a list as choices, a mapping as a range and a plain value as the
// one to fix.
func (s *Study) readConstraints(n yamltree.Node) error {
	fields, err := n.Map()
	if err != nil {
		return err
	}
	for _, f := range fields {
		var c space.Constraint
		switch {
		case f.Value.IsList():
			c.Choices, err = readList(f.Value, readValue)
			if c.Choices == nil {
				c.Choices = []space.Value{}
			}
		case f.Value.IsMap():
			c.Low, c.High, err = readRange(f.Value)
		default:
			c.Fix, err = readValue(f.Value)
		}
		if err != nil {
			return err
		}
		s.Constraints[f.Key] = c
	}
	return nil
}

func readRange(n yamltree.Node) (low, high *float64, err error) {
	bound := func(dst **float64) func(yamltree.Node) error {
		return func(n yamltree.Node) error {
			*dst = new(float64)
			return into(*dst, yamltree.Node.Float)(n)
		}
	}
	if err := readMap(n, key{"low", bound(&low)}, key{"high", bound(&high)}); err != nil {
		return nil, nil, err
	}
	if low == nil && high == nil {
		return nil, nil, n.Errorf("is empty; allowed: low, high or both")
	}
	return low, high, nil
}

func readValue(n yamltree.Node) (space.Value, error) {
	x, err := n.Scalar()
	if err != nil {
		return space.Value{}, err
	}
	v, _ := space.ValueOf(x)
	return v, nil
}

func readList[T any](n yamltree.Node, read func(yamltree.Node) (T, error)) ([]T, error) {
	items, err := n.List()
	if err != nil {
		return nil, err
	}
	var list []T
	for _, item := range items {
		x, err := read(item)
		if err != nil {
			return nil, err
		}
		list = append(list, x)
	}
	return list, nil
}

func readTexts(n yamltree.Node) ([]string, error) { return readList(n, yamltree.Node.Text) }

func readSeeds(n yamltree.Node) ([]int64, error) { return readList(n, readInt64) }

func readInt64(n yamltree.Node) (int64, error) {
	i, err := n.Int()
	return int64(i), err
}

func readUint(n yamltree.Node) (uint64, error) {
	i, err := n.Int()
	if err == nil && i < 0 {
		err = n.Errorf("%d is not allowed; allowed: a whole number from 0", i)
	}
	return uint64(max(i, 0)), err
}
