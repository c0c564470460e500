package study

import (
	"github.com/supermax-hpo/supermax/shared/protocol"
	"github.com/supermax-hpo/supermax/shared/sampler"
)

// Problem returns what a search stage searches. [State.Objectives] says what its objectives
// are called.
func (s *State) Problem(stage protocol.Stage) sampler.Problem {
	i, err := indexOf(stage)
	if err != nil {
		return sampler.Problem{}
	}
	return sampler.Problem{Space: s.settings.Space, Directions: s.plans[i].dirs}
}

// Objectives returns the names of a stage's objectives, in their order.
func (s *State) Objectives(stage protocol.Stage) []string {
	switch stage {
	case protocol.StageA:
		return []string{s.settings.A.Objective}
	case protocol.StageB:
		return []string{ObjectiveF1, objectiveECE}
	case protocol.StageC:
		return []string{ObjectiveF1}
	}
	return nil
}

// Observed returns the stage's trials as they were when they reported at an epoch, by their
// numbers: what can be compared, as they were trained equally long. Trials that did not
// report there or failed later are left out. The answer's points must not be changed.
func (s *State) Observed(stage protocol.Stage, epoch int) []sampler.Observation {
	i, err := indexOf(stage)
	if err != nil {
		return nil
	}
	p := s.plans[i]
	var seen []sampler.Observation
	for t := range s.of(i) {
		for rung, r := range t.Reports {
			if r.ToEpoch == epoch && t.State != Failed {
				seen = append(seen, sampler.Observation{Number: t.Number, Point: t.point, Values: t.objectives(nil, p, rung),
					Violation: t.violation(p, rung), Rung: epoch, State: sampler.Paused})
			}
		}
	}
	return seen
}
