package asha

import (
	"fmt"
	"math"
	"slices"
	"strconv"
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

// Options say how trials are looked at. What JSON has of them is what a study chooses; the
// rest is the stage's. An option that its kind does not know is refused unless it is zero.
type Options struct {
	Kind                 string  `json:"kind,omitempty"`
	MinEarlyStoppingRate int     `json:"min_early_stopping_rate,omitempty"` // asha, asha-stopping: the first rung is at First·Factor^rate
	Bootstrap            int     `json:"bootstrap,omitempty"`               // the same and hyperband: with no more results than that, nobody goes on from a rung
	Percentile           float64 `json:"percentile,omitempty"`              // percentile: a trial goes on while it is no worse than the best so many of a hundred; 0 to 100
	StartupTrials        int     `json:"startup_trials,omitempty"`          // median, percentile: so many trials are completed before the first is stopped
	WarmupEpochs         int     `json:"warmup_epochs,omitempty"`           // the same: nothing is stopped before this epoch
	IntervalEpochs       int     `json:"interval_epochs,omitempty"`         // the same: from one look to the next; 0: 1
	MinTrials            int     `json:"min_trials,omitempty"`              // the same: fewer values at an epoch stop nothing there; 0: 1

	Directions []sampler.Direction `json:"-"` // of the objectives, one or two; one for median and percentile
	Last       int                 `json:"-"` // epochs of a trial that runs in full
	First      int                 `json:"-"` // asha, asha-stopping, hyperband: epochs to the first rung
	Factor     int                 `json:"-"` // the same: one of so many goes on from a rung
	Study      string              `json:"-"` // hyperband: what the brackets follow from, with the trial's number
}

const (
	// maxRate bounds the early stopping rate, whose power of the factor is worked out.
	maxRate = 62
	// maxEpochs bounds how many rungs there can be.
	maxEpochs = 1_000_000
)

// OptionError is an option that is not allowed. Option is its name in study files, or
// "rungs" for First, Last and Factor.
type OptionError struct {
	Option  string
	Value   any
	Allowed string
}

func (e *OptionError) Error() string {
	return fmt.Sprintf("%s: %v is not allowed; allowed: %s", e.Option, e.Value, e.Allowed)
}

// Validate returns the first fault of o, an [*OptionError].
func (o Options) Validate() error {
	if !slices.Contains(Kinds(), o.Kind) {
		return &OptionError{"kind", strconv.Quote(o.Kind), strings.Join(Kinds(), ", ")}
	}
	for _, option := range []struct {
		name  string
		value float64
		most  float64
		kinds []string
	}{
		{"min_early_stopping_rate", float64(o.MinEarlyStoppingRate), maxRate, []string{KindASHA, KindStopping}},
		{"bootstrap", float64(o.Bootstrap), math.MaxInt32, []string{KindASHA, KindStopping, KindHyperband}},
		{"percentile", o.Percentile, 100, []string{KindPercentile}},
		{"startup_trials", float64(o.StartupTrials), math.MaxInt32, []string{KindMedian, KindPercentile}},
		{"warmup_epochs", float64(o.WarmupEpochs), maxEpochs, []string{KindMedian, KindPercentile}},
		{"interval_epochs", float64(o.IntervalEpochs), maxEpochs, []string{KindMedian, KindPercentile}},
		{"min_trials", float64(o.MinTrials), math.MaxInt32, []string{KindMedian, KindPercentile}},
	} {
		switch {
		case option.value != 0 && !slices.Contains(option.kinds, o.Kind):
			return &OptionError{option.name, option.value, fmt.Sprintf("with kind %s; this is %s", strings.Join(option.kinds, ", "), o.Kind)}
		case !(option.value >= 0 && option.value <= option.most):
			return &OptionError{option.name, option.value, fmt.Sprintf("0 to %.0f", option.most)}
		}
	}
	switch n := len(o.Directions); {
	case o.Last > maxEpochs:
		return &OptionError{"rungs", o.Last, fmt.Sprintf("1 to %d epochs", maxEpochs)}
	case n < 1 || n > 2:
		return &OptionError{"objectives", n, "1 or 2"}
	case n == 2 && o.compares():
		return &OptionError{"kind", o.Kind, strings.Join([]string{KindASHA, KindStopping, KindHyperband, KindNone}, ", ") + " with two objectives"}
	}
	_, err := o.brackets()
	return err
}

// compares reports whether trials are compared with those that were completed.
func (o Options) compares() bool { return o.Kind == KindMedian || o.Kind == KindPercentile }

// percentile returns the part of a hundred that goes on.
func (o Options) percentile() float64 {
	if o.Kind == KindMedian {
		return 50
	}
	return o.Percentile
}

// brackets returns the rungs of each bracket.
func (o Options) brackets() ([]Rungs, error) {
	switch o.Kind {
	case KindNone:
		rungs, err := rungs(o.Last, o.Last, 2)
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
	rungs, err := rungs(first, o.Last, o.Factor)
	return []Rungs{rungs}, err
}

// rungs is [New] with an [*OptionError].
func rungs(first, last, factor int) (Rungs, error) {
	r, err := New(first, last, factor)
	if err != nil {
		return nil, &OptionError{"rungs", fmt.Sprintf("%d to %d by %d", first, last, factor), err.Error()}
	}
	return r, nil
}

// firstRung returns First·Factor^rate, where a bracket of that early stopping rate begins.
func (o Options) firstRung(rate int) (int, error) {
	if _, err := rungs(o.First, o.Last, o.Factor); err != nil {
		return 0, err
	}
	first := o.First
	for range rate {
		if first > o.Last/o.Factor {
			return 0, &OptionError{"min_early_stopping_rate", rate, fmt.Sprintf(
				"0 to %d, as the first rung would come after the last of %d epochs", o.powers(), o.Last)}
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
		return nil, &OptionError{"rungs", o.Last, "1 epoch or more"}
	}
	var r Rungs
	for epoch := o.WarmupEpochs; epoch < o.Last; epoch += max(1, o.IntervalEpochs) {
		if look := max(1, epoch); look < o.Last && (len(r) == 0 || look > r[len(r)-1]) {
			r = append(r, look)
		}
	}
	return append(r, o.Last), nil
}
