package asha

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/supermax-hpo/supermax/shared/sampler"
)

// Whatever valid options say and trials report, results one by one and at once give the
// same standings, and who was promoted is not promotable.
func TestAnyScheduler(t *testing.T) { rapid.Check(t, anyScheduler) }

func FuzzScheduler(f *testing.F) { f.Fuzz(rapid.MakeFuzz(anyScheduler)) }

func anyScheduler(t *rapid.T) {
	o := Options{
		Kind:       rapid.SampledFrom(append(Kinds(), "")).Draw(t, "kind"),
		Directions: rapid.SliceOfN(rapid.SampledFrom([]sampler.Direction{sampler.Maximize, sampler.Minimize}), 0, 3).Draw(t, "directions"),
		Last:       rapid.IntRange(-1, 30).Draw(t, "last"), First: rapid.IntRange(-1, 10).Draw(t, "first"), Factor: rapid.IntRange(0, 4).Draw(t, "factor"),
		MinEarlyStoppingRate: rapid.SampledFrom([]int{0, 0, 1, 2, -1, 100}).Draw(t, "rate"),
		Bootstrap:            rapid.SampledFrom([]int{0, 0, 3, -1}).Draw(t, "bootstrap"),
		Percentile:           rapid.SampledFrom([]float64{0, 0, 25, 100, 101, -1}).Draw(t, "percentile"),
		StartupTrials:        rapid.SampledFrom([]int{0, 0, 2, -1}).Draw(t, "startup"),
		WarmupEpochs:         rapid.SampledFrom([]int{0, 0, 4, 40, -1}).Draw(t, "warmup"),
		IntervalEpochs:       rapid.SampledFrom([]int{0, 0, 3, 40, -1}).Draw(t, "interval"),
		MinTrials:            rapid.SampledFrom([]int{0, 0, 2, -1}).Draw(t, "trials"),
		Study:                rapid.String().Draw(t, "study"),
	}
	s, err := NewScheduler(o)
	if (err == nil) != (o.Validate() == nil) {
		t.Fatalf("new: %v, validate: %v", err, o.Validate())
	}
	if err != nil {
		return
	}
	for _, rungs := range s.Brackets() {
		for i, epoch := range rungs {
			if epoch < 1 || i > 0 && epoch <= rungs[i-1] || (i == len(rungs)-1) != (epoch == o.Last) {
				t.Fatalf("rungs %v of %d epochs", rungs, o.Last)
			}
		}
	}
	st := s.Standings()
	var results []Result
	reached := make([]int, 8) // by trial, how many rungs it has reported
	for range rapid.IntRange(0, 40).Draw(t, "reports") {
		trial := rapid.IntRange(0, len(reached)-1).Draw(t, "trial")
		rungs := s.Rungs(trial)
		if reached[trial] == len(rungs) {
			continue
		}
		r := drawResults(t, o.Directions, 1, rungs[reached[trial]])[0]
		r.Trial, r.Promoted = trial, false
		reached[trial]++
		st = st.Reported(r)
		if st.GoesOn(r) {
			st = st.Promoted(r)
			r.Promoted = s.Promotes()
		}
		if r.Promoted && slices.Contains(st.Promotable(reached[trial]-1), trial) {
			t.Fatalf("trial %d is promotable after it was promoted", trial)
		}
		results = append(results, r)
	}
	atOnce := s.Standings(rapid.Permutation(results).Draw(t, "order")...)
	if diff := cmp.Diff(st.String(), atOnce.String()); diff != "" {
		t.Fatalf("one by one and at once differ:\n%s", diff)
	}
}
