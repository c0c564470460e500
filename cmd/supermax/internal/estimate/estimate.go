// Package estimate says what a study will take before anything is started: epochs by the
// arithmetic of its rungs, hours by measured seconds an epoch, dollars by list prices.
package estimate

import (
	"fmt"

	"github.com/supermax-hpo/supermax/cmd/supermax/internal/mistake"
	"github.com/supermax-hpo/supermax/cmd/supermax/internal/preflight"
	"github.com/supermax-hpo/supermax/cmd/supermax/internal/prices"
	"github.com/supermax-hpo/supermax/lambdas/handler"
	"github.com/supermax-hpo/supermax/shared/asha"
	"github.com/supermax-hpo/supermax/shared/config"
	"github.com/supermax-hpo/supermax/shared/protocol"
	"github.com/supermax-hpo/supermax/shared/study"
)

// Options say on what the study would run.
type Options struct {
	Slots    int    // trainers at once
	Instance string // of the price table; one GPU, so one slot
	Spot     bool   // else on demand
}

// Figures say how long one seed's epoch takes, evaluation included.
type Figures interface {
	// Seconds returns the seconds of a slot for an epoch of a backbone in a stage. That
	// nothing was measured is a mistake that says so.
	Seconds(stage protocol.Stage, backbone string) (float64, error)
	// Source says where the figures are from.
	Source() string
}

// A Range runs from what is expected to the most that can happen.
type Range struct {
	Expected float64 `json:"expected"`
	Most     float64 `json:"most"`
}

func (r Range) times(f float64) Range { return Range{r.Expected * f, r.Most * f} }

func (r Range) plus(o Range) Range { return Range{r.Expected + o.Expected, r.Most + o.Most} }

// A Stage is what one stage takes.
type Stage struct {
	Stage     protocol.Stage `json:"stage"`
	Trials    int            `json:"trials"`
	Reports   Range          `json:"reports"` // of rungs: what the functions are called for
	Epochs    Range          `json:"epochs"`  // of single seeds
	Seconds   float64        `json:"seconds_per_epoch"`
	SlotHours Range          `json:"slot_hours"`
	Hours     Range          `json:"hours"` // until it ends, with the slots at work all the time
	Dollars   Range          `json:"dollars"`
}

// An Estimate is what a study takes.
type Estimate struct {
	Study        string  `json:"study"`
	Agent        string  `json:"agent"`
	Slots        int     `json:"slots"`
	Instance     string  `json:"instance"`
	Spot         bool    `json:"spot"`
	PricePerHour Range   `json:"price_per_hour"` // of a slot; with Spot the lowest and the highest
	PricesOf     string  `json:"prices_of"`
	SecondsOf    string  `json:"seconds_of"`
	Stages       []Stage `json:"stages"`
	Control      Range   `json:"control_dollars"` // functions, table and state machine
	Hours        Range   `json:"hours"`
	Dollars      Range   `json:"dollars"`
}

// Make estimates a study.
//
// Expected is what the stage's scheduler comes to ([asha.Scheduler.Expected]): with ASHA
// ⌊n/factor^k⌋ of n trials train in rung k, each with all seeds. The most is that every trial
// trains in every rung, which happens when each is better than those before. A stage's
// budget cuts both down, and seeds that stop early make them less. All backbones are taken to
// be tried equally often.
func Make(c *config.Study, figures Figures, table *prices.Table, o Options) (*Estimate, error) {
	if o.Slots < 1 || o.Slots > 10_000 {
		return nil, mistake.Errorf("%d slots are not allowed; allowed: 1 to 10000", o.Slots)
	}
	price, err := table.Instance(o.Instance)
	if err != nil {
		return nil, mistake.Wrap(err)
	}
	e := &Estimate{Study: c.Name, Agent: c.Agent, Slots: o.Slots, Instance: o.Instance, Spot: o.Spot,
		PricePerHour: Range{price, price}, PricesOf: fmt.Sprintf("list prices of %s on %s", table.Region, table.Date), SecondsOf: figures.Source()}
	if o.Spot {
		e.PricePerHour = Range{price * table.Spot.Low, price * table.Spot.High}
	}
	stages, err := plans(c)
	if err != nil {
		return nil, err
	}
	for _, p := range stages {
		s, longest := p.epochs()
		if s.Seconds, err = meanSeconds(c, figures, p.stage); err != nil {
			return nil, err
		}
		s = p.within(s, c.PricePerHour)
		s.SlotHours = s.Epochs.times(s.Seconds / 3600)
		s.Hours = s.SlotHours.times(1 / float64(o.Slots))
		alone := float64(longest) * s.Seconds / 3600 // one trial's rungs follow one another
		s.Hours = Range{max(s.Hours.Expected, alone), max(s.Hours.Most, alone)}
		s.Dollars = Range{s.SlotHours.Expected * e.PricePerHour.Expected, s.SlotHours.Most * e.PricePerHour.Most}
		e.Stages = append(e.Stages, s)
		e.Hours = e.Hours.plus(s.Hours)
		e.Dollars = e.Dollars.plus(s.Dollars)
	}
	if price > 0 { // else it is a machine of one's own, which has no functions either
		e.Control = control(c, e.Stages, o.Slots, table)
	}
	e.Dollars = e.Dollars.plus(e.Control)
	return e, nil
}

// meanSeconds is the mean over the backbones that the study may ask for.
func meanSeconds(c *config.Study, figures Figures, stage protocol.Stage) (float64, error) {
	names := preflight.Backbones(c)
	if len(names) == 0 {
		return 0, mistake.Errorf("study %s names no backbone: model.name is missing from its space", c.Name)
	}
	var sum float64
	for _, name := range names {
		seconds, err := figures.Seconds(stage, name)
		if err != nil {
			return 0, err
		}
		sum += seconds
	}
	return sum / float64(len(names)), nil
}

// A plan is what decides a stage's epochs.
type plan struct {
	stage  protocol.Stage
	passes []asha.Pass
	trials int
	seeds  int
	budget study.Budget
}

func plans(c *config.Study) ([]plan, error) {
	settings := handler.Settings(c)
	confirm := settings.C
	list := []plan{
		{stage: protocol.StageA, trials: settings.A.Trials, seeds: len(settings.A.Seeds), budget: settings.A.Budget},
		{stage: protocol.StageB, trials: settings.B.Trials, seeds: len(settings.B.Seeds), budget: settings.B.Budget},
		{stage: protocol.StageC, trials: confirm.Candidates * confirm.Folds, seeds: len(confirm.Seeds)},
	}
	for i, p := range list {
		scheduler, err := settings.NewScheduler(p.stage)
		if err != nil {
			return nil, err
		}
		list[i].passes = scheduler.Expected(p.trials)
	}
	return list, nil
}

// epochs counts reports and epochs, and the epochs of one trial that gets to the end.
func (p plan) epochs() (s Stage, longest int) {
	s = Stage{Stage: p.stage, Trials: p.trials}
	for _, pass := range p.passes {
		length := float64((pass.To - pass.From) * p.seeds)
		trials := Range{float64(pass.Expected), float64(pass.Most)}
		s.Reports = s.Reports.plus(trials)
		s.Epochs = s.Epochs.plus(trials.times(length))
		longest = max(longest, pass.To*p.seeds)
	}
	return s, longest
}

// within cuts what a stage takes down to its budget, which what runs when it is reached may
// pass a little. Hours and dollars are those of its slots, at the study's own price.
func (p plan) within(s Stage, pricePerHour float64) Stage {
	cut := func(epochs float64) float64 {
		part := 1.0
		for _, bound := range []struct{ all, wanted float64 }{
			{float64(p.budget.Epochs), epochs},
			{p.budget.GPUHours, epochs * s.Seconds / 3600},
			{p.budget.Dollars, epochs * s.Seconds / 3600 * pricePerHour},
		} {
			if bound.all > 0 && bound.wanted > bound.all {
				part = min(part, bound.all/bound.wanted)
			}
		}
		return part
	}
	expected, most := cut(s.Epochs.Expected), cut(s.Epochs.Most)
	for _, r := range []*Range{&s.Reports, &s.Epochs} {
		*r = Range{r.Expected * expected, r.Most * most}
	}
	return s
}
