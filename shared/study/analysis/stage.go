package analysis

import (
	"fmt"

	"github.com/supermax-hpo/supermax/shared/protocol"
	"github.com/supermax-hpo/supermax/shared/sampler"
	"github.com/supermax-hpo/supermax/shared/space"
	"github.com/supermax-hpo/supermax/shared/study"
)

// StageImportances are the importances for one objective of a stage or for several
// together, among trials that were trained equally long: a value after few epochs says
// nothing beside one after many.
type StageImportances struct {
	Objectives []string `json:"objectives"` // names of [study.Value]'s JSON form
	Epoch      int      `json:"epoch"`      // at which the trials are compared; 0: nothing was reported
	Importances
}

// enough is how many trials importances should rest on: five in the best tenth.
const enough = 50

// goals are what a stage's objectives are called, and which way they are better.
var goals = []struct {
	name string
	dir  sampler.Direction
	of   func(study.Value) float64
}{
	{"f1_macro", sampler.Maximize, func(v study.Value) float64 { return v.F1Macro }},
	{"ece", sampler.Minimize, func(v study.Value) float64 { return v.ECE }},
}

// stageImportances returns the importances for all of the stage's objectives, and where
// there are several then for each.
func stageImportances(s *space.Space, stage protocol.Stage, trials []study.Trial) ([]StageImportances, error) {
	sets := [][]int{{0}}
	if stage == protocol.StageB {
		sets = [][]int{{0, 1}, {0}, {1}}
	}
	epoch := comparedAt(trials)
	var all []StageImportances
	for _, set := range sets {
		one := StageImportances{Epoch: epoch}
		p := sampler.Problem{Space: s}
		for _, k := range set {
			one.Objectives = append(one.Objectives, goals[k].name)
			p.Directions = append(p.Directions, goals[k].dir)
		}
		var results []sampler.Observation
		for _, t := range trials {
			value, ok := at(t, epoch)
			if !ok {
				continue
			}
			point, err := s.Point(t.Params)
			if err != nil {
				return nil, fmt.Errorf("trial %d: %w", t.Number, err)
			}
			o := sampler.Observation{Number: t.Number, Point: point}
			for _, k := range set {
				o.Values = append(o.Values, goals[k].of(value))
			}
			results = append(results, o)
		}
		var err error
		if one.Importances, err = PedAnova(p, results, ImportanceOptions{}); err != nil {
			return nil, err
		}
		all = append(all, one)
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

// at returns the value that a trial reported at an epoch, unless it failed later.
func at(t study.Trial, epoch int) (study.Value, bool) {
	if t.State == study.Failed {
		return study.Value{}, false
	}
	for _, r := range t.Reports {
		if r.ToEpoch == epoch {
			return r.Value, true
		}
	}
	return study.Value{}, false
}
