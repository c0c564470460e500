package study

import (
	"errors"

	"github.com/supermax-hpo/supermax/shared/asha"
	"github.com/supermax-hpo/supermax/shared/sampler"
)

// Scheduler says which of a stage's trials are trained on after a rung: a kind of
// [asha.Options] and its options, which are explained there. The zero value is
// [asha.KindASHA].
type Scheduler struct {
	Kind                 string  `json:"kind,omitempty"` // empty: asha
	MinEarlyStoppingRate int     `json:"min_early_stopping_rate,omitempty"`
	Bootstrap            int     `json:"bootstrap,omitempty"`
	Percentile           float64 `json:"percentile,omitempty"`
	StartupTrials        int     `json:"startup_trials,omitempty"`
	WarmupEpochs         int     `json:"warmup_epochs,omitempty"`
	IntervalEpochs       int     `json:"interval_epochs,omitempty"`
	MinTrials            int     `json:"min_trials,omitempty"`
}

// options returns what [asha.NewScheduler] makes the stage's scheduler of.
func (s SearchStage) options(study string, dirs []sampler.Direction) asha.Options {
	k := s.Scheduler
	o := asha.Options{Kind: k.Kind, Directions: dirs, Last: s.Rungs.Max,
		First: s.Rungs.Min, Factor: s.Rungs.Factor, MinEarlyStoppingRate: k.MinEarlyStoppingRate, Bootstrap: k.Bootstrap,
		Percentile: k.Percentile, StartupTrials: k.StartupTrials, WarmupEpochs: k.WarmupEpochs,
		IntervalEpochs: k.IntervalEpochs, MinTrials: k.MinTrials, Study: study}
	if o.Kind == "" {
		o.Kind = asha.KindASHA
	}
	return o
}

// validateScheduler reports what the kind does not allow. The rungs must be valid.
func (s SearchStage) validateScheduler(name string, dirs []sampler.Direction, bad func(field string, value any, allowed string)) {
	var refused *asha.OptionError
	if err := s.options("", dirs).Validate(); errors.As(err, &refused) {
		bad(name+".scheduler."+refused.Option, refused.Value, refused.Allowed)
	}
}
