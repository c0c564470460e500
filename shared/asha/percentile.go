package asha

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/supermax-hpo/supermax/shared/internal/persistent"
	"github.com/supermax-hpo/supermax/shared/sampler"
)

// finished is what [KindMedian] and [KindPercentile] compare a trial with: what completed
// trials had reported at the same epoch. It never changes.
type finished struct {
	trials  int                        // completed ones
	records persistent.Set[record]     // of the others, by trial
	looks   []persistent.Set[lookedAt] // by rung, of the completed ones by value
	missing []int                      // by rung, how many of them reported NaN
}

// A record is what one trial has reported so far.
type record struct {
	trial int
	best  float64   // NaN: no value yet
	looks []float64 // by rung
}

// lookedAt is a completed trial's value at a rung.
type lookedAt struct {
	value float64
	trial int
}

func newFinished(rungs int) finished {
	f := finished{missing: make([]int, rungs), looks: make([]persistent.Set[lookedAt], rungs),
		records: persistent.NewSet(func(a, b record) int { return cmp.Compare(a.trial, b.trial) })}
	for i := range f.looks {
		f.looks[i] = persistent.NewSet(func(a, b lookedAt) int {
			return cmp.Or(cmp.Compare(a.value, b.value), cmp.Compare(a.trial, b.trial))
		})
	}
	return f
}

// String lists the records of trials that are not completed and the values of those that are.
func (f finished) String() string {
	text := fmt.Sprint(f.trials, f.missing)
	text += fmt.Sprint(slices.Collect(f.records.All()))
	for _, look := range f.looks {
		text += fmt.Sprint(slices.Collect(look.All()))
	}
	return text
}

// with returns f after another value of a trial. rung is where it is looked at, or -1; at
// the last the trial is completed.
func (f finished) with(trial, rung int, value float64, dir sampler.Direction) finished {
	r, ok := f.records.Get(record{trial: trial})
	if !ok {
		r = record{trial: trial, best: math.NaN()}
	}
	if math.IsNaN(r.best) || loss(value, dir) < loss(r.best, dir) {
		r.best = value
	}
	if rung >= 0 {
		r.looks = slices.Concat(r.looks, slices.Repeat([]float64{math.NaN()}, max(0, rung+1-len(r.looks))))
		r.looks[rung] = value
	}
	if rung < len(f.looks)-1 {
		f.records = f.records.With(r)
		return f
	}
	f.records = f.records.Without(r)
	f.trials++
	f.looks, f.missing = slices.Clone(f.looks), slices.Clone(f.missing)
	for rung, value := range r.looks {
		if math.IsNaN(value) {
			f.missing[rung]++
		} else {
			f.looks[rung] = f.looks[rung].With(lookedAt{value, trial})
		}
	}
	return f
}

// keeps reports whether a trial that was looked at goes on by the options.
func (f finished) keeps(o Options, trial, rung int) bool {
	if f.trials == 0 || f.trials < o.StartupTrials {
		return true
	}
	r, _ := f.records.Get(record{trial: trial})
	if math.IsNaN(r.best) {
		return false
	}
	values := f.looks[rung]
	if n := values.Len(); n == 0 || n+f.missing[rung] < max(1, o.MinTrials) {
		return true
	}
	percentile := o.percentile()
	if o.Directions[0] == sampler.Maximize {
		percentile = 100 - percentile
	}
	bound := quantile(values, percentile/100)
	return loss(r.best, o.Directions[0]) <= loss(bound, o.Directions[0])
}

// quantile returns the value below which the part q of the values lies, between two of
// them by linear interpolation: Hyndman and Fan, "Sample quantiles in statistical packages"
// (1996), definition 7. It rounds as NumPy does, which goes from the nearer neighbour. There
// must be a value.
func quantile(values persistent.Set[lookedAt], q float64) float64 {
	at := q * float64(values.Len()-1)
	i := int(at)
	low := values.At(i).value
	if i == values.Len()-1 {
		return low
	}
	high := values.At(i + 1).value
	part := at - float64(i)
	if part < 0.5 {
		return low + float64((high-low)*part)
	}
	return high - float64((high-low)*(1-part))
}
