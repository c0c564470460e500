// Package simulate runs a whole study, stage by stage, in virtual time: the real state
// machine decides, and what its slots would train follows from curves instead of a GPU. It
// is the tool to choose a study's settings with before money is spent, and the load test of
// the search core.
//
// The same options give the same result to the last bit: every random number depends on the
// simulation's seed and on what it is drawn for, not on what was drawn before.
package simulate

import (
	"errors"
	"fmt"
	"math"

	"github.com/supermax-hpo/supermax/shared/study"
)

// Options say what is simulated.
type Options struct {
	Settings study.Settings // as the study was created with, price included
	Model    Model          // what its configurations would measure
	Slots    int            // that each stage starts, 1 to [MaxSlots]
	Seed     uint64         // of everything that happens by chance; the study has a seed of its own

	StartSeconds float64 // until a slot asks for the first time: instance, container, backbone
	Faults       Faults
	Budget       float64 // dollars after which the study stops; 0: none. It needs a price

	// Observe is told now and then how far the simulation is; nil: nobody is.
	Observe func(Progress)
}

// Faults are what goes wrong. The zero value is a world without.
type Faults struct {
	InterruptionsPerHour float64 // of each slot: Spot takes it, and another starts in its place
	SlowShare            float64 // of the slots that need SlowFactor times as long, 0 to 1
	SlowFactor           float64 // 1 or more; 0: 2
	OOMShare             float64 // of the trials that do not fit into memory
	NaNShare             float64 // of the trials that diverge at some point
	CrashShare           float64 // of the attempts at a rung in which the slot dies without a word
}

const (
	// MaxSlots bounds the slots of a simulation.
	MaxSlots = 100_000
	// loadSeconds is what an attempt takes besides its epochs: the trial's last checkpoint
	// comes from the objects, and the next goes there.
	loadSeconds = 5
)

// OptionError says which options are not allowed, and what is.
type OptionError struct{ err error }

// Error returns one sentence an option.
func (e *OptionError) Error() string { return "simulate: " + e.err.Error() }

// Unwrap returns the faults, joined.
func (e *OptionError) Unwrap() error { return e.err }

// validate returns every fault of o, each named by its option.
func (o Options) validate() error {
	var errs []error
	between := func(name string, v, low, high float64) {
		if !(v >= low && v <= high) {
			errs = append(errs, fmt.Errorf("%s: %v is not allowed; allowed: %v to %v", name, v, low, high))
		}
	}
	between("slots", float64(o.Slots), 1, MaxSlots)
	between("start seconds", o.StartSeconds, 0, 24*3600)
	between("interruptions an hour", o.Faults.InterruptionsPerHour, 0, 60)
	between("share of slow slots", o.Faults.SlowShare, 0, 1)
	if o.Faults.SlowFactor != 0 {
		between("factor of slow slots", o.Faults.SlowFactor, 1, 100)
	}
	between("share of trials out of memory", o.Faults.OOMShare, 0, 1)
	between("share of trials that diverge", o.Faults.NaNShare, 0, 1)
	between("share of attempts that crash", o.Faults.CrashShare, 0, 0.9)
	between("budget", o.Budget, 0, math.MaxFloat64)
	if o.Budget > 0 && o.Settings.PricePerHour == 0 {
		errs = append(errs, fmt.Errorf("budget: %v dollars need a price, which the study does not have", o.Budget))
	}
	if o.Model == nil {
		errs = append(errs, errors.New("model: is missing"))
	}
	return errors.Join(errs...)
}
