package analysis

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/supermax-hpo/supermax/shared/sampler"
	"github.com/supermax-hpo/supermax/shared/study"
)

var start = time.Date(2025, 5, 1, 12, 0, 0, 0, time.UTC)

// told is a report at so many minutes after the start.
func told(trial, epoch int, f1, ece, seconds float64, minutes int) study.Report {
	return study.Report{Trial: trial, ToEpoch: epoch, Value: study.Value{F1Macro: f1, ECE: ece}, CostSeconds: seconds, At: start.Add(time.Duration(minutes) * time.Minute)}
}

func TestProgress(t *testing.T) {
	carried := told(0, 9, 0.9, 0, 0, 2)
	carried.Carried = true
	trials := []study.Trial{
		{Number: 0, Reports: []study.Report{told(0, 1, 0.5, 0.5, 0, 1), told(0, 3, 0.75, 0.5, 1800, 4), carried}},
		{Number: 1, Reports: []study.Report{told(1, 1, 0.25, 0, 900, 2)},
			Ended: []study.AttemptEnd{{At: start.Add(3 * time.Minute), CostSeconds: 900}, {At: start.Add(9 * time.Minute), CostSeconds: 900}}},
		{Number: 2, Reports: []study.Report{told(2, 1, 0.25, 0.5, 1800, 4)}},
		{Number: 3, Reports: []study.Report{told(3, 1, 1, 0, 1800, 5)}, Violation: 0.1}, // costs, and counts for nothing
	}
	// Areas up to an F1-macro of 0 and an ECE of 1: 0.5·0.5; beside it 0.25·1, of which
	// 0.25·0.5 is shared: 0.375; then 0.75·0.5 + 0.25·0.5 = 0.5; trial 2 adds nothing.
	want := []Moment{
		{start.Add(1 * time.Minute), 1, 0, 0.5, 0, 0.25},
		{start.Add(2 * time.Minute), 2, 0.25, 0.5, 2, 0.375},
		{start.Add(4 * time.Minute), 3, 1, 0.75, 0.75, 0.5},
		{start.Add(4 * time.Minute), 4, 1.5, 0.75, 0.5, 0.5},
		{start.Add(5 * time.Minute), 5, 2, 0.75, 0.375, 0.5},
	}
	if d := cmp.Diff(want, progress(trials), cmpopts.EquateApprox(0, 1e-12)); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if got := progress(nil); got == nil || len(got) > 0 {
		t.Errorf("of nothing: %v, want an empty list", got)
	}
}

// The area that is kept up to date is the hypervolume of all points.
func TestFront(t *testing.T) {
	dirs := []sampler.Direction{sampler.Minimize, sampler.Minimize}
	rapid.Check(t, func(t *rapid.T) {
		coordinate := rapid.OneOf(rapid.Float64Range(-0.1, 1.1), rapid.SampledFrom([]float64{0, 0.25, 0.5, 0.75, 1, math.NaN()}))
		var f front
		var all [][]float64
		for range rapid.IntRange(0, 30).Draw(t, "n") {
			x, y := coordinate.Draw(t, "x"), coordinate.Draw(t, "y")
			all = append(all, []float64{x, y})
			f.add(x, y)
			if want := sampler.Hypervolume(all, dirs, []float64{1, 1}); !(math.Abs(f.covered-want) < 1e-12) {
				t.Fatalf("covered %v, want %v", f.covered, want)
			}
			for i := 1; i < len(f.points); i++ {
				if p, q := f.points[i-1], f.points[i]; p[0] >= q[0] || p[1] <= q[1] {
					t.Fatalf("%v beside %v", p, q)
				}
			}
		}
	})
}
