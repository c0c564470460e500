package asha

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/supermax-hpo/supermax/shared/sampler"
)

// The kinds of schedulers.
const (
	// KindASHA pauses every trial at each rung and promotes the best of a rung whenever a
	// slot is free: Li et al. (2020), algorithm 2.
	KindASHA = "asha"
	// KindStopping decides once, when a trial reports a rung: it goes on if it is among the
	// best so far, or is stopped for good. It is what Optuna and Ray call ASHA.
	KindStopping = "asha-stopping"
	// KindHyperband is KindStopping in brackets that begin to stop later and later: Li et
	// al., "Hyperband" (2018). A trial's bracket follows from the study's name and its number.
	KindHyperband = "hyperband"
	// KindMedian stops a trial whose best value so far is worse than the median of the
	// completed trials' at the same epoch: Golovin et al., "Google Vizier" (2017).
	KindMedian = "median"
	// KindPercentile is KindMedian with another percentile.
	KindPercentile = "percentile"
	// KindNone trains every trial in full.
	KindNone = "none"
)

// Kinds returns the kinds that [NewScheduler] knows.
func Kinds() []string {
	return []string{KindASHA, KindStopping, KindHyperband, KindMedian, KindPercentile, KindNone}
}

// Options say how trials are looked at. An option that its kind does not know is refused
// unless it is zero.
type Options struct {
	Kind       string
	Directions []sampler.Direction // of the objectives, one or two; one for median and percentile
	Last       int                 // epochs of a trial that runs in full

	First                int // asha, asha-stopping, hyperband: epochs to the first rung
	Factor               int // the same: one of so many goes on from a rung
	MinEarlyStoppingRate int // asha, asha-stopping: the first rung is at First·Factor^rate
	Bootstrap            int // the same and hyperband: with no more results than that, nobody goes on from a rung

	Percentile     float64 // percentile: a trial goes on while it is no worse than the best so many of a hundred; 0 to 100
	StartupTrials  int     // median, percentile: so many trials are completed before the first is stopped
	WarmupEpochs   int     // the same: nothing is stopped before this epoch
	IntervalEpochs int     // the same: from one look to the next; 0: 1
	MinTrials      int     // the same: fewer values at an epoch stop nothing there; 0: 1

	Study string // hyperband: what the brackets follow from, with the trial's number
}

const (
	// maxRate bounds the early stopping rate, whose power of the factor is worked out.
	maxRate = 62
	// maxEpochs bounds how many rungs there can be.
	maxEpochs = 1_000_000
)

// Validate returns every fault of o, each named by the option as study files call it.
func (o Options) Validate() error {
	if !slices.Contains(Kinds(), o.Kind) {
		return fmt.Errorf("kind: %q is not allowed; allowed: %s", o.Kind, strings.Join(Kinds(), ", "))
	}
	var errs []error
	bad := func(option string, value any, allowed string) {
		errs = append(errs, fmt.Errorf("%s: %v is not allowed; allowed: %s", option, value, allowed))
	}
	for _, option := range []struct {
		name  string
		value float64
		kinds []string
	}{
		{"min_early_stopping_rate", float64(o.MinEarlyStoppingRate), []string{KindASHA, KindStopping}},
		{"bootstrap", float64(o.Bootstrap), []string{KindASHA, KindStopping, KindHyperband}},
		{"percentile", o.Percentile, []string{KindPercentile}},
		{"startup_trials", float64(o.StartupTrials), []string{KindMedian, KindPercentile}},
		{"warmup_epochs", float64(o.WarmupEpochs), []string{KindMedian, KindPercentile}},
		{"interval_epochs", float64(o.IntervalEpochs), []string{KindMedian, KindPercentile}},
		{"min_trials", float64(o.MinTrials), []string{KindMedian, KindPercentile}},
	} {
		switch {
		case option.value != 0 && !slices.Contains(option.kinds, o.Kind):
			bad(option.name, option.value, fmt.Sprintf("with the kinds %s, and this is %s", strings.Join(option.kinds, ", "), o.Kind))
		case !(option.value >= 0):
			bad(option.name, option.value, "0 or more")
		}
	}
	if o.Percentile > 100 {
		bad("percentile", o.Percentile, "0 to 100")
	}
	if o.MinEarlyStoppingRate > maxRate {
		bad("min_early_stopping_rate", o.MinEarlyStoppingRate, fmt.Sprintf("0 to %d", maxRate))
	}
	if o.Last > maxEpochs {
		bad("epochs", o.Last, fmt.Sprintf("1 to %d", maxEpochs))
	}
	if n := len(o.Directions); n < 1 || n > 2 {
		bad("objectives", n, "1 or 2")
	} else if n == 2 && (o.Kind == KindMedian || o.Kind == KindPercentile) {
		bad("kind", o.Kind, "with one objective; with two: "+strings.Join([]string{KindASHA, KindStopping, KindHyperband, KindNone}, ", "))
	}
	if len(errs) == 0 {
		if _, err := o.brackets(); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// brackets returns the rungs of each bracket.
func (o Options) brackets() ([]Rungs, error) {
	switch o.Kind {
	case KindNone:
		rungs, err := New(o.Last, o.Last, 2)
		return []Rungs{rungs}, err
	case KindMedian, KindPercentile:
		rungs, err := o.looks()
		return []Rungs{rungs}, err
	case KindHyperband:
		return o.hyperband()
	}
	first, err := o.firstRung(o.MinEarlyStoppingRate)
	if err != nil {
		return nil, err
	}
	rungs, err := New(first, o.Last, o.Factor)
	return []Rungs{rungs}, err
}

// firstRung returns First·Factor^rate, where a bracket of that early stopping rate begins.
func (o Options) firstRung(rate int) (int, error) {
	if _, err := New(o.First, o.Last, o.Factor); err != nil {
		return 0, err
	}
	first := o.First
	for range rate {
		if first > o.Last/o.Factor {
			return 0, fmt.Errorf("min_early_stopping_rate: %d is not allowed; allowed: 0 to %d, as the first rung would come after the last of %d epochs",
				rate, o.powers(), o.Last)
		}
		first *= o.Factor
	}
	return first, nil
}

// powers returns how often Last can be divided by Factor before it is below First:
// ⌊log_Factor(Last/First)⌋.
func (o Options) powers() int {
	n := 0
	for epochs := o.Last / o.Factor; epochs >= o.First; epochs /= o.Factor {
		n++
	}
	return n
}

// looks returns the epochs at which a percentile is looked at: the first epoch from
// warm-up on, then every interval counted from there, and the last.
func (o Options) looks() (Rungs, error) {
	if o.Last < 1 {
		return nil, fmt.Errorf("rungs: the last ends after %d epochs, at least 1 is needed", o.Last)
	}
	var r Rungs
	for epoch := o.WarmupEpochs; epoch < o.Last; epoch += max(1, o.IntervalEpochs) {
		if look := max(1, epoch); look < o.Last && (len(r) == 0 || look > r[len(r)-1]) {
			r = append(r, look)
		}
	}
	return append(r, o.Last), nil
}
