package study

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/supermax-hpo/supermax/shared/protocol"
	"github.com/supermax-hpo/supermax/shared/sampler"
)

// What is observed at an epoch is what was reported there, whatever came later.
func TestObserved(t *testing.T) {
	settings := testSettings()
	settings.B.Limits.ECE = 0.25
	m := newSimulation(t, settings)
	m.run("A")
	m.run("B")
	s := m.state
	for _, stage := range []protocol.Stage{"A", "B"} {
		p := s.Problem(stage)
		if want := len(s.Objectives(stage)); len(p.Directions) != want || p.Space != s.Settings().Space {
			t.Errorf("stage %s: %d directions, want %d", stage, len(p.Directions), want)
		}
		n, broken := 0, 0
		for _, epoch := range s.Rungs(stage) {
			for _, o := range s.Observed(stage, epoch) {
				n++
				trial, ok := s.Trial(o.Number)
				if !ok || trial.Stage != stage {
					t.Fatalf("stage %s: trial %d is none of it", stage, o.Number)
				}
				rung := 0
				for trial.Reports[rung].ToEpoch != epoch {
					rung++
				}
				v := trial.Reports[rung].Value
				want := sampler.Observation{Number: o.Number, Values: []float64{v.F1Macro, v.ECE}[:len(p.Directions)], Rung: epoch, State: sampler.Paused}
				if stage == "B" && v.ECE > 0.25 {
					want.Violation = (v.ECE - 0.25) / 0.25
					broken++
				}
				point, err := s.Settings().Space.Point(trial.Params)
				if err != nil {
					t.Fatal(err)
				}
				want.Point = point
				if d := cmp.Diff(want, o, cmpopts.EquateNaNs(), cmpopts.EquateApprox(0, 1e-12)); d != "" {
					t.Errorf("stage %s, epoch %d (-want +got):\n%s", stage, epoch, d)
				}
			}
		}
		reports := 0
		for _, trial := range s.Trials(stage) {
			reports += len(trial.Reports)
		}
		if n != reports || stage == "B" && (broken == 0 || broken == n) {
			t.Errorf("stage %s: %d observations of %d reports, %d above the limit", stage, n, reports, broken)
		}
		if got := s.Observed(stage, 1000); got != nil {
			t.Errorf("at an epoch that is none: %v", got)
		}
	}
	if got := s.Observed("D", 1); got != nil || s.Objectives("D") != nil || s.Problem("D").Space != nil {
		t.Error("a stage that is none has something")
	}
}

func TestObjectivesNamed(t *testing.T) {
	settings := testSettings()
	settings.A.Objective, settings.PricePerHour = ObjectiveF1PerDollar, 2
	s, _, err := New(testStart, settings)
	if err != nil {
		t.Fatal(err)
	}
	for stage, want := range map[protocol.Stage][]string{"A": {"f1_per_dollar"}, "B": {"f1_macro", "ece"}, "C": {"f1_macro"}} {
		if d := cmp.Diff(want, s.Objectives(stage)); d != "" {
			t.Errorf("stage %s (-want +got):\n%s", stage, d)
		}
	}
}
