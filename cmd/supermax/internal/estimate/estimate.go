// Package estimate says what a study will take before anything is started: epochs by the
// arithmetic of its rungs, hours by measured seconds an epoch, dollars by list prices.
package estimate

import (
	"fmt"

	"github.com/supermax-hpo/supermax/cmd/supermax/internal/mistake"
	"github.com/supermax-hpo/supermax/cmd/supermax/internal/preflight"
	"github.com/supermax-hpo/supermax/cmd/supermax/internal/prices"
	"github.com/supermax-hpo/supermax/shared/asha"
	"github.com/supermax-hpo/supermax/shared/config"
	"github.com/supermax-hpo/supermax/shared/protocol"
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
// Expected is what successive halving comes to when every trial is promoted that a rung of
// n trials has room for: ⌊n/factor^k⌋ trials train in rung k, each with all seeds. The most
// is that every trial trains in every rung, which happens when each is better than those
// before. Seeds that stop early make both less. All backbones are taken to be tried equally
// often.
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
	for _, p := range plans(c) {
		s, longest := p.epochs()
		if s.Seconds, err = meanSeconds(c, figures, p.stage); err != nil {
			return nil, err
		}
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
	trials int
	rungs  asha.Rungs
	factor int // 1: nothing is halved
	seeds  int
}

func plans(c *config.Study) []plan {
	search := func(stage protocol.Stage, s config.Search) plan {
		rungs, _ := asha.New(s.Rungs.Min, s.Rungs.Max, s.Rungs.Factor) // a study's are valid
		return plan{stage, s.Trials, rungs, s.Rungs.Factor, len(s.Seeds)}
	}
	confirm := c.Stages.C
	return []plan{
		search(protocol.StageA, c.Stages.A),
		search(protocol.StageB, c.Stages.B),
		{protocol.StageC, confirm.Candidates * confirm.Folds, asha.Rungs{confirm.Epochs}, 1, len(confirm.Seeds)},
	}
}

// epochs counts reports and epochs, and the epochs of one trial that gets to the end.
func (p plan) epochs() (s Stage, longest int) {
	s = Stage{Stage: p.stage, Trials: p.trials}
	reach := p.trials
	for k := range p.rungs {
		from, to := p.rungs.Span(k)
		length := (to - from) * p.seeds
		s.Reports = s.Reports.plus(Range{float64(reach), float64(p.trials)})
		s.Epochs = s.Epochs.plus(Range{float64(reach * length), float64(p.trials * length)})
		longest += length
		reach /= p.factor
	}
	return s, longest
}
