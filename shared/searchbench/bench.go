package searchbench

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/supermax-hpo/supermax/shared/functions"
	"github.com/supermax-hpo/supermax/shared/sampler"
)

// Options say what is measured: every sampler on every function that it can search, with
// each number of slots, once with each seed from 0.
type Options struct {
	Functions []functions.Function
	Samplers  []string
	Trials    []int // after which a search is judged; nil: [DefaultTrials]
	Slots     []int
	Seeds     int

	// Observe is told each search's cells as they come; nil: nobody is.
	Observe func([]Cell)
}

// The bounds of [Options].
const (
	MaxTrials = 100_000
	MaxSlots  = 10_000
	MaxSeeds  = 10_000
)

// DefaultTrials are the numbers of trials that the golden data judge a function at.
func DefaultTrials(f functions.Function) []int {
	if f.Objectives > 1 {
		return []int{200, 500, 1000}
	}
	return []int{50, 100, 200}
}

// A Cell is how well a sampler did on a function: the best value, to be small, or the
// hypervolume up to a reference point, to be large.
type Cell struct {
	Function string    `json:"function"`
	Sampler  string    `json:"sampler"`
	Slots    int       `json:"slots"`
	Trials   int       `json:"trials"`
	Measure  Measure   `json:"measure"`
	Ref      []float64 `json:"ref,omitempty"` // of the hypervolume
	Quartiles
	Values []float64 `json:"values"` // by seed
}

// Measure says what a cell's values are.
type Measure string

// The measures.
const (
	BestValue   Measure = "best"
	Hypervolume Measure = "hypervolume"
)

// Quartiles are a median and the quartiles around it, interpolated linearly as NumPy does.
type Quartiles struct {
	Q1     float64 `json:"q1"`
	Median float64 `json:"median"`
	Q3     float64 `json:"q3"`
}

// QuartilesOf returns the quartiles of at least one value.
func QuartilesOf(values []float64) Quartiles {
	sorted := slices.Sorted(slices.Values(values))
	at := func(q float64) float64 {
		below, part := math.Modf(q * float64(len(sorted)-1))
		i := int(below)
		return sorted[i] + part*(sorted[min(i+1, len(sorted)-1)]-sorted[i])
	}
	return Quartiles{at(0.25), at(0.5), at(0.75)}
}

func (o Options) validate() error {
	var errs []error
	bad := func(name string, value, most int) {
		if value < 1 || value > most {
			errs = append(errs, fmt.Errorf("%s: %d is not allowed; allowed: 1 to %d", name, value, most))
		}
	}
	bad("seeds", o.Seeds, MaxSeeds)
	for _, n := range o.Trials {
		bad("trials", n, MaxTrials)
	}
	for _, n := range o.Slots {
		bad("slots", n, MaxSlots)
	}
	for _, name := range o.Samplers {
		if _, err := sampler.New(name, sampler.Options{}); err != nil {
			errs = append(errs, err)
		}
	}
	for _, f := range o.Functions {
		if f.Objectives > 1 && len(f.Refs) == 0 {
			errs = append(errs, fmt.Errorf("function %s has several objectives and no reference point to measure their hypervolume by", f.Name))
		}
	}
	if len(o.Functions) == 0 || len(o.Samplers) == 0 || len(o.Slots) == 0 {
		errs = append(errs, errors.New("functions, samplers and slots: at least one of each is needed"))
	}
	return errors.Join(errs...)
}

// OptionError says which options are not allowed, and what is.
type OptionError struct{ err error }

// Error returns one sentence an option.
func (e *OptionError) Error() string { return e.err.Error() }

// Unwrap returns the faults, joined.
func (e *OptionError) Unwrap() error { return e.err }

// Run measures. It ends early, with ctx's error, when ctx ends. Options that are not allowed
// are an [*OptionError].
func Run(ctx context.Context, o Options) ([]Cell, error) {
	if err := o.validate(); err != nil {
		return nil, &OptionError{err}
	}
	var cells []Cell
	for _, f := range o.Functions {
		for _, name := range o.Samplers {
			for _, slots := range o.Slots {
				some, err := measure(ctx, f, name, slots, o)
				if err != nil {
					return nil, err
				}
				if o.Observe != nil {
					o.Observe(some)
				}
				cells = append(cells, some...)
			}
		}
	}
	return cells, nil
}

// measure runs the searches with all seeds and judges them at each number of trials.
func measure(ctx context.Context, f functions.Function, name string, slots int, o Options) ([]Cell, error) {
	trials := o.Trials
	if len(trials) == 0 {
		trials = DefaultTrials(f)
	}
	var cells []Cell
	for _, n := range trials {
		c := Cell{Function: f.Name, Sampler: name, Slots: slots, Trials: n, Measure: BestValue}
		if f.Objectives == 1 {
			cells = append(cells, c)
		}
		for _, ref := range f.Refs {
			c.Measure, c.Ref = Hypervolume, ref
			cells = append(cells, c)
		}
	}
	for seed := range o.Seeds {
		values, err := Search(ctx, f, name, uint64(seed), slices.Max(trials), slots)
		if err != nil {
			return nil, err
		}
		for i := range cells {
			c := &cells[i]
			c.Values = append(c.Values, Judge(f, c.Ref, values[:c.Trials]))
		}
	}
	for i := range cells {
		cells[i].Quartiles = QuartilesOf(cells[i].Values)
	}
	return cells, nil
}

// Judge returns how good the values of a function are: the hypervolume up to ref, or
// without one the least value.
func Judge(f functions.Function, ref []float64, values [][]float64) float64 {
	if ref != nil {
		return sampler.Hypervolume(values, Directions(f), ref)
	}
	return slices.MinFunc(values, slices.Compare[[]float64])[0]
}
