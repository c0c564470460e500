package asha

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/supermax-hpo/supermax/shared/sampler"
)

// Of 1, 2, 4 and 8 the part q lies at 3q from the first: numpy.percentile's values too.
func TestQuantile(t *testing.T) {
	f := newFinished(1)
	for trial, v := range []float64{8, 1, 4, 2} {
		f = f.with(trial, 0, v, sampler.Maximize)
	}
	for _, c := range []struct{ q, want float64 }{
		{0, 1}, {0.1, 1.3}, {1.0 / 3, 2}, {0.5, 3}, {0.6, 3.6}, {0.75, 5}, {0.9, 6.8}, {1, 8},
	} {
		if got := quantile(f.looks[0], c.q); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("quantile %v is %v, want %v", c.q, got, c.want)
		}
	}
}

// Four trials complete with 1, 2, 3 and 4 at each epoch; then one reports.
func TestPercentileGoesOn(t *testing.T) {
	nan := math.NaN()
	base := Options{Kind: KindMedian, Directions: one, Last: 4}
	for _, c := range []struct {
		name   string
		change func(*Options)
		values []float64 // by epoch
		want   bool      // after the last of them
	}{
		{"better than the median of 2.5", nil, []float64{2.6}, true},
		{"the median itself", nil, []float64{2.5}, true},
		{"worse", nil, []float64{2.4}, false},
		{"its best counts", nil, []float64{3, 0}, true},
		{"no value yet", nil, []float64{nan, nan}, false},
		{"a value before", nil, []float64{3, nan}, true},
		{"minimised", func(o *Options) { o.Directions = []sampler.Direction{sampler.Minimize} }, []float64{2.6}, false},
		{"minimised and better", func(o *Options) { o.Directions = []sampler.Direction{sampler.Minimize} }, []float64{2.4}, true},
		{"during warm-up", func(o *Options) { o.WarmupEpochs = 2 }, []float64{0}, true},
		{"after warm-up", func(o *Options) { o.WarmupEpochs = 2 }, []float64{0, 0}, false},
		{"between looks", func(o *Options) { o.IntervalEpochs = 2 }, []float64{3, 3, 0}, true},
		{"too few completed", func(o *Options) { o.StartupTrials = 5 }, []float64{0}, true},
		{"enough completed", func(o *Options) { o.StartupTrials = 4 }, []float64{0}, false},
		{"too few values", func(o *Options) { o.MinTrials = 5 }, []float64{0}, true},
		{"the best quarter begins at 3.25", func(o *Options) { o.Kind, o.Percentile = KindPercentile, 25 }, []float64{3.2}, false},
		{"within the best quarter", func(o *Options) { o.Kind, o.Percentile = KindPercentile, 25 }, []float64{3.3}, true},
		{"the best of none", func(o *Options) { o.Kind, o.Percentile = KindPercentile, 0 }, []float64{3.9}, false},
		{"the best of all", func(o *Options) { o.Kind, o.Percentile = KindPercentile, 100 }, []float64{1}, true},
		{"trained in full", nil, []float64{0, 0, 0, 0}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := base
			if c.change != nil {
				c.change(&o)
			}
			st := mustScheduler(t, o).Standings()
			for trial := range 4 {
				for epoch := 1; epoch <= 4; epoch++ {
					st = st.Reported(Result{Trial: trial, Epoch: epoch, Values: []float64{float64(trial + 1)}})
				}
			}
			got := false
			for i, v := range c.values {
				r := Result{Trial: 9, Epoch: i + 1, Values: []float64{v}}
				st = st.Reported(r)
				got = st.GoesOn(r)
			}
			if got != c.want {
				t.Errorf("goes on: %v, want %v", got, c.want)
			}
		})
	}
}

// Nobody is compared with trials that have not completed, nor where none gave a value.
func TestPercentileWithNothingToCompareWith(t *testing.T) {
	nan := math.NaN()
	st := mustScheduler(t, Options{Kind: KindMedian, Directions: one, Last: 3}).Standings()
	low := Result{Trial: 1, Epoch: 1, Values: []float64{0}}
	st = st.Reported(Result{Trial: 0, Epoch: 1, Values: []float64{nan}}).Reported(low)
	if !st.GoesOn(low) {
		t.Error("it is stopped before any trial completed")
	}
	st = st.Reported(Result{Trial: 0, Epoch: 2, Values: []float64{1}}).Reported(Result{Trial: 0, Epoch: 3, Values: []float64{1}})
	if !st.GoesOn(low) {
		t.Error("it is stopped where no completed trial has a value")
	}
	low.Epoch = 2
	if st = st.Reported(low); st.GoesOn(low) {
		t.Error("it goes on below the only completed trial")
	}
}

// One by one in the order in which they came, or at once and shuffled: the same.
func TestPercentileAtOnce(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	s := mustScheduler(t, Options{Kind: KindMedian, Directions: one, Last: 9, IntervalEpochs: 2})
	st := s.Standings()
	var results []Result
	reached := make([]int, 20)
	for range 150 {
		trial := rng.IntN(len(reached))
		if reached[trial] == 9 {
			continue
		}
		reached[trial]++
		r := Result{Trial: trial, Epoch: reached[trial], Values: []float64{float64(rng.IntN(5))}}
		st, results = st.Reported(r), append(results, r)
	}
	rng.Shuffle(len(results), func(i, j int) { results[i], results[j] = results[j], results[i] })
	if got, want := s.Standings(results...).String(), st.String(); got != want || st.finished.trials == 0 {
		t.Errorf("at once %s\none by one %s", got, want)
	}
}
