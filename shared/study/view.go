package study

import (
	"slices"

	"github.com/supermax-hpo/supermax/shared/asha"
	"github.com/supermax-hpo/supermax/shared/protocol"
)

// Settings returns what the study was created with, defaults filled in.
func (s *State) Settings() Settings { return s.settings }

// Stage returns the stage that the study is in: the first that was not closed, open or
// not; empty when all were.
func (s *State) Stage() protocol.Stage {
	for i, stage := range stages {
		if s.stages[i].Closed.IsZero() {
			return stage
		}
	}
	return ""
}

// Open reports whether the stage was planned and not yet promoted.
func (s *State) Open(stage protocol.Stage) bool {
	i, err := indexOf(stage)
	return err == nil && s.stages[i].open()
}

// Closed reports whether the stage was promoted.
func (s *State) Closed(stage protocol.Stage) bool {
	i, err := indexOf(stage)
	return err == nil && !s.stages[i].Closed.IsZero()
}

// Scheduler returns what decides how far the stage's trials are trained.
func (s *State) Scheduler(stage protocol.Stage) *asha.Scheduler {
	i, err := indexOf(stage)
	if err != nil {
		return nil
	}
	return s.plans[i].scheduler
}

// Rungs returns the epochs at which the stage's rungs end, those of all brackets where
// trials differ; stage C has one. A report says at which of them it was made
// ([Report.ToEpoch]).
func (s *State) Rungs(stage protocol.Stage) asha.Rungs {
	i, err := indexOf(stage)
	if err != nil {
		return nil
	}
	var rungs asha.Rungs
	for _, bracket := range s.plans[i].scheduler.Brackets() {
		rungs = append(rungs, bracket...)
	}
	slices.Sort(rungs)
	return slices.Compact(rungs)
}

// Trial returns the trial of that number.
func (s *State) Trial(n int) (Trial, bool) {
	t, err := s.trial(n)
	if err != nil {
		return Trial{}, false
	}
	return s.whole(t), true
}

// Trials returns the stage's trials in order of their numbers.
func (s *State) Trials(stage protocol.Stage) []Trial {
	i, err := indexOf(stage)
	if err != nil {
		return nil
	}
	return s.all(slices.Collect(s.of(i)))
}

// Counts returns the stage's trials by state.
func (s *State) Counts(stage protocol.Stage) protocol.Counts {
	i, err := indexOf(stage)
	if err != nil {
		return protocol.Counts{}
	}
	return s.count(i)
}

func (s *State) count(stage int) protocol.Counts {
	c := s.indexes[stage].counts
	c.Limit = s.stages[stage].Limit
	return c
}

// CostSeconds returns the slot seconds that the stage's attempts told of; what a slot
// spent that vanished without a word is not among them.
func (s *State) CostSeconds(stage protocol.Stage) float64 {
	i, err := indexOf(stage)
	if err != nil {
		return 0
	}
	var sum float64
	for t := range s.of(i) {
		sum += t.CostSeconds()
	}
	return sum
}

// Accepted returns the stage's reports that came from an attempt, by trial and rung. Each
// has a metrics file; a file of any other attempt and rung is an orphan.
func (s *State) Accepted(stage protocol.Stage) []Report {
	i, err := indexOf(stage)
	if err != nil {
		return nil
	}
	var reports []Report
	for t := range s.of(i) {
		for _, r := range t.Reports {
			if !r.Carried {
				reports = append(reports, r)
			}
		}
	}
	return reports
}

// whole returns a trial with its parameters.
func (s *State) whole(t *Trial) Trial {
	w := *t
	w.Params = s.settings.Space.Assignment(t.point)
	w.Violation = t.violation(s.planOf(t), t.Reported())
	return w
}

func (s *State) all(trials []*Trial) []Trial {
	list := make([]Trial, len(trials))
	for i, t := range trials {
		list[i] = s.whole(t)
	}
	return list
}
