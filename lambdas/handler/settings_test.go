package handler

import (
	"testing"

	"github.com/supermax-hpo/supermax/shared/config"
	"github.com/supermax-hpo/supermax/shared/study"
)

// What a study file says of its objectives reaches the study.
func TestSettingsOfAStudyFile(t *testing.T) {
	c, err := config.Parse("x.yaml", []byte(`
version: 1
name: all
agent: criteria
corpus: {dir: data, layout: redsm5}
stages:
  a: {objective: f1_per_dollar, limits: {seconds_per_epoch: 60, peak_memory_gb: 16}, cost_weight: 0.5}
  b: {limits: {ece: 0.1}}
price_per_hour: 2
`))
	if err != nil {
		t.Fatal(err)
	}
	s := Settings(c)
	if err := s.Validate(); err != nil {
		t.Fatal(err)
	}
	if want := (study.Limits{SecondsPerEpoch: 60, PeakMemoryGB: 16}); s.A.Objective != study.ObjectiveF1PerDollar || s.A.Limits != want || s.A.CostWeight != 0.5 {
		t.Errorf("stage A: %+v", s.A)
	}
	if s.B.Objective != "" || s.B.Limits != (study.Limits{ECE: 0.1}) || s.B.CostWeight != 0 {
		t.Errorf("stage B: %+v", s.B)
	}
}
