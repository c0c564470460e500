package analysis

import (
	"github.com/supermax-hpo/supermax/shared/protocol"
	"github.com/supermax-hpo/supermax/shared/sampler"
	"github.com/supermax-hpo/supermax/shared/study"
)

// StageImportances are the importances for one objective of a stage or for several
// together, among trials that were trained equally long: a value after few epochs says
// nothing beside one after many. Trials that break the stage's limits are the last.
type StageImportances struct {
	Objectives []string `json:"objectives"` // names of [study.State.Objectives]
	Epoch      int      `json:"epoch"`      // at which the trials are compared; 0: nothing was reported
	Importances
}

// enough is how many trials importances should rest on: five in the best tenth.
const enough = 50

// stageImportances returns the importances for all of the stage's objectives, and where
// there are several then for each.
func stageImportances(s *study.State, stage protocol.Stage, trials []study.Trial) ([]StageImportances, error) {
	names, problem := s.Objectives(stage), s.Problem(stage)
	epoch := comparedAt(trials)
	results := s.Observed(stage, epoch)
	together, err := PedAnova(problem, results, ImportanceOptions{})
	if err != nil {
		return nil, err
	}
	all := []StageImportances{{names, epoch, together}}
	if len(names) == 1 {
		return all, nil
	}
	for k, name := range names {
		one := problem
		one.Directions = problem.Directions[k : k+1]
		of := make([]sampler.Observation, len(results))
		for i, r := range results {
			of[i] = r
			of[i].Values = r.Values[k : k+1]
		}
		alone, err := PedAnova(one, of, ImportanceOptions{})
		if err != nil {
			return nil, err
		}
		all = append(all, StageImportances{[]string{name}, epoch, alone})
	}
	return all, nil
}

// comparedAt returns the highest epoch at which [enough] trials have a value, or else the
// one at which most have; 0 when there is none.
func comparedAt(trials []study.Trial) int {
	values := map[int]int{}
	for _, t := range trials {
		if t.State == study.Failed {
			continue
		}
		for _, r := range t.Reports {
			values[r.ToEpoch]++
		}
	}
	best := 0
	for epoch, n := range values {
		n, most := min(n, enough), min(values[best], enough)
		if n > most || n == most && epoch > best {
			best = epoch
		}
	}
	return best
}
