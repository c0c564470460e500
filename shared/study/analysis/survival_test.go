package analysis

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/supermax-hpo/supermax/shared/study"
)

func TestSurvival(t *testing.T) {
	r := func(epoch int, f1, ece float64) study.Report { return told(0, epoch, f1, ece, 1, 1) }
	trials := []study.Trial{
		{State: study.Completed, Reports: []study.Report{r(1, 0.5, 0.1), r(3, 0.6, 0.2), r(9, 0.7, 0.3)}},
		{State: study.Paused, Reports: []study.Report{r(1, 0.5, 0.3), r(3, 0.4, 0.2)}},
		{State: study.Paused, Reports: []study.Report{r(1, 0.1, 0.2)}},
		{State: study.Queued, Reports: []study.Report{r(1, 0.3, 0.9)}},
		{State: study.Running},
		{State: study.Stale},
		{State: study.Failed},
		{State: study.Failed, Reports: []study.Report{r(1, 0.2, 0), r(3, 0.5, 0.1)}},
	}
	value := func(f1, ece float64) *study.Value { return &study.Value{F1Macro: f1, ECE: ece} }
	want := []Rung{
		{Epoch: 0, Reached: 8, Going: 2, Failed: 1},
		// Of 0.1 0.2 0.3 0.5 0.5 and of 0 0.1 0.2 0.3 0.9; of two equal bests the lower ECE.
		{Epoch: 1, Reached: 5, Going: 1, Paused: 1, Best: value(0.5, 0.1), Median: value(0.3, 0.2)},
		{Epoch: 3, Reached: 3, Paused: 1, Failed: 1, Best: value(0.6, 0.2), Median: value(0.5, 0.2)},
		{Epoch: 9, Reached: 1, Completed: 1, Best: value(0.7, 0.3), Median: value(0.7, 0.3)},
	}
	if d := cmp.Diff(want, survival(trials)); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	// Two trials: the lower of two middle values.
	if got := survival(trials[:2])[1].Median; *got != *value(0.5, 0.1) {
		t.Errorf("median %v", got)
	}
}
