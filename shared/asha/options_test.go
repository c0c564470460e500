package asha

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestBrackets(t *testing.T) {
	for _, c := range []struct {
		name string
		o    Options
		want []Rungs
	}{
		{"stage A", Options{Kind: KindASHA, First: 2, Last: 20, Factor: 3}, []Rungs{{2, 6, 18, 20}}},
		{"stopping later", Options{Kind: KindStopping, First: 2, Last: 20, Factor: 3, MinEarlyStoppingRate: 1}, []Rungs{{6, 18, 20}}},
		{"stopping at the end only", Options{Kind: KindASHA, First: 1, Last: 9, Factor: 3, MinEarlyStoppingRate: 2}, []Rungs{{9}}},
		{"in full", Options{Kind: KindNone, Last: 20}, []Rungs{{20}}},
		{"hyperband", Options{Kind: KindHyperband, First: 1, Last: 20, Factor: 3}, []Rungs{{1, 3, 9, 20}, {3, 9, 20}, {9, 20}}},
		{"hyperband of one bracket", Options{Kind: KindHyperband, First: 5, Last: 9, Factor: 2}, []Rungs{{5, 9}}},
		{"median", Options{Kind: KindMedian, Last: 4}, []Rungs{{1, 2, 3, 4}}},
		{"median of one epoch", Options{Kind: KindMedian, Last: 1}, []Rungs{{1}}},
		{"median after a warm-up", Options{Kind: KindMedian, Last: 8, WarmupEpochs: 3, IntervalEpochs: 2}, []Rungs{{3, 5, 7, 8}}},
		{"median with an interval from 0", Options{Kind: KindPercentile, Last: 12, IntervalEpochs: 5}, []Rungs{{1, 5, 10, 12}}},
		{"a warm-up longer than the trial", Options{Kind: KindMedian, Last: 8, WarmupEpochs: 9}, []Rungs{{8}}},
		{"an interval longer than the trial", Options{Kind: KindMedian, Last: 8, IntervalEpochs: maxEpochs}, []Rungs{{1, 8}}},
	} {
		c.o.Directions = one
		s, err := NewScheduler(c.o)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if diff := cmp.Diff(c.want, s.Brackets()); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
	}
}

// What a kind does not know is refused and named, with what is allowed.
func TestOptionsAreRefused(t *testing.T) {
	first := Options{Kind: KindASHA, Directions: one, First: 2, Last: 20, Factor: 3}
	median := Options{Kind: KindMedian, Directions: one, Last: 20}
	for _, c := range []struct {
		o      Options
		change func(*Options)
		want   string
	}{
		{first, func(o *Options) { o.Kind = "halving" }, `kind: "halving" is not allowed; allowed: asha, asha-stopping, hyperband, median, percentile, none`},
		{first, func(o *Options) { o.Directions = nil }, "objectives: 0 is not allowed; allowed: 1 or 2"},
		{median, func(o *Options) { o.Directions = two }, "kind: median is not allowed; allowed: asha, asha-stopping, hyperband, none with two objectives"},
		{first, func(o *Options) { o.First = 0 }, "the first ends after 0 epochs"},
		{first, func(o *Options) { o.Factor = 1 }, "factor is 1"},
		{first, func(o *Options) { o.Kind, o.Last = KindHyperband, 1 }, "before the first"},
		{first, func(o *Options) { o.Last = maxEpochs + 1 }, "rungs: 1000001 is not allowed; allowed: 1 to 1000000 epochs"},
		{first, func(o *Options) { o.MinEarlyStoppingRate = 3 }, "min_early_stopping_rate: 3 is not allowed; allowed: 0 to 2"},
		{first, func(o *Options) { o.MinEarlyStoppingRate = 63 }, "min_early_stopping_rate: 63 is not allowed; allowed: 0 to 62"},
		{first, func(o *Options) { o.Kind, o.MinEarlyStoppingRate = KindHyperband, 1 }, "min_early_stopping_rate: 1 is not allowed; allowed: with kind asha, asha-stopping; this is hyperband"},
		{first, func(o *Options) { o.Bootstrap = -1 }, "bootstrap: -1 is not allowed; allowed: 0 to 2147483647"},
		{first, func(o *Options) { o.StartupTrials = 1 }, "startup_trials: 1 is not allowed; allowed: with kind median, percentile; this is asha"},
		{median, func(o *Options) { o.Percentile = 50 }, "percentile: 50 is not allowed; allowed: with kind percentile; this is median"},
		{median, func(o *Options) { o.Kind, o.Percentile = KindPercentile, 101 }, "percentile: 101 is not allowed; allowed: 0 to 100"},
		{median, func(o *Options) { o.Kind, o.Percentile = KindPercentile, math.NaN() }, "percentile: NaN is not allowed; allowed: 0 to 100"},
		{median, func(o *Options) { o.Last = 0 }, "rungs: 0 is not allowed; allowed: 1 epoch or more"},
		{median, func(o *Options) { o.IntervalEpochs = -1 }, "interval_epochs: -1 is not allowed; allowed: 0 to 1000000"},
		{median, func(o *Options) { o.MinTrials = -2 }, "min_trials: -2 is not allowed"},
		{median, func(o *Options) { o.WarmupEpochs = -2 }, "warmup_epochs: -2 is not allowed"},
	} {
		o := c.o
		c.change(&o)
		s, err := NewScheduler(o)
		var refused *OptionError
		if !errors.As(err, &refused) || s != nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v, want %q", o, err, c.want)
		}
	}
}

// One bracket for each whole power of the factor from the first to the last epoch.
func TestHyperbandBrackets(t *testing.T) {
	for _, c := range []struct{ first, last, factor, want int }{
		{1, 20, 3, 3}, {1, 27, 3, 4}, {1, 81, 3, 5}, {1, 243, 3, 6}, {1, 244, 3, 6}, {2, 16, 2, 4}, {3, 30, 3, 3}, {1, 1000, 10, 4}, {1, 999, 10, 3}, {7, 7, 3, 1},
	} {
		s := mustScheduler(t, Options{Kind: KindHyperband, Directions: one, First: c.first, Last: c.last, Factor: c.factor})
		if got := len(s.Brackets()); got != c.want {
			t.Errorf("%d to %d epochs by %d: %d brackets, want %d", c.first, c.last, c.factor, got, c.want)
		}
	}
}

// Of 3 brackets with factor 3 the shares are ⌈3·9/3⌉, ⌈3·3/2⌉ and ⌈3·1/1⌉.
func TestHyperbandShares(t *testing.T) {
	if diff := cmp.Diff([]int{9, 5, 3}, shares(3, 3)); diff != "" {
		t.Error(diff)
	}
	s := mustScheduler(t, Options{Kind: KindHyperband, Directions: one, First: 1, Last: 20, Factor: 3, Study: "mine"})
	drawn := make([]float64, 3)
	for trial := range 17_000 {
		drawn[s.bracket(trial)]++
	}
	for b, want := range []float64{9000, 5000, 3000} {
		if math.Abs(drawn[b]-want) > 5*math.Sqrt(want) { // five standard deviations
			t.Errorf("bracket %d has %v trials, want about %v", b, drawn[b], want)
		}
	}
}
