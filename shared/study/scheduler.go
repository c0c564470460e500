package study

import (
	"errors"

	"github.com/supermax-hpo/supermax/shared/asha"
	"github.com/supermax-hpo/supermax/shared/sampler"
)

// options returns what the stage's scheduler is made of.
func (s SearchStage) options(study string, dirs []sampler.Direction) asha.Options {
	o := s.Scheduler
	if o.Kind == "" {
		o.Kind = asha.KindASHA
	}
	o.Directions, o.First, o.Last, o.Factor, o.Study = dirs, s.Rungs.Min, s.Rungs.Max, s.Rungs.Factor, study
	return o
}

// validateScheduler reports what the kind does not allow. The rungs must be valid.
func (s SearchStage) validateScheduler(name string, dirs []sampler.Direction, bad func(field string, value any, allowed string)) {
	var refused *asha.OptionError
	if err := s.options("", dirs).Validate(); errors.As(err, &refused) {
		bad(name+".scheduler."+refused.Option, refused.Value, refused.Allowed)
	}
}
