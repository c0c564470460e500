// Package analysis condenses a study to data for people to look at: which parameters
// matter, where the trials lie in the space, how many survive each rung, and how fast the
// search gets better for its time and GPU hours. It draws nothing. Everything is a pure
// function of a state, so that the same study always gives the same data.
package analysis

import (
	"fmt"

	"github.com/supermax-hpo/supermax/shared/protocol"
	"github.com/supermax-hpo/supermax/shared/study"
)

// SchemaVersion is that of [Study]'s JSON form.
const SchemaVersion = 1

// Study is what there is to see of a study. Its JSON form is what `supermax report
// --format json` writes.
type Study struct {
	SchemaVersion int     `json:"schema_version"`
	Study         string  `json:"study"`
	Stages        []Stage `json:"stages"` // the search stages that have trials
}

// Stage is what there is to see of a search stage.
type Stage struct {
	Stage       protocol.Stage     `json:"stage"`
	Importances []StageImportances `json:"importances"`
	Parallel    Parallel           `json:"parallel_coordinates"`
	Survival    []Rung             `json:"rung_survival"`
	Progress    []Moment           `json:"progress"`
}

// Of condenses a study.
func Of(state *study.State) (Study, error) {
	out := Study{SchemaVersion: SchemaVersion, Study: state.Settings().Study, Stages: []Stage{}}
	for _, stage := range []protocol.Stage{protocol.StageA, protocol.StageB} {
		trials := state.Trials(stage)
		if len(trials) == 0 {
			continue
		}
		s, err := ofStage(state, stage, trials)
		if err != nil {
			return Study{}, fmt.Errorf("analyse stage %s: %w", stage, err)
		}
		out.Stages = append(out.Stages, s)
	}
	return out, nil
}

func ofStage(state *study.State, stage protocol.Stage, trials []study.Trial) (Stage, error) {
	out := Stage{Stage: stage, Survival: survival(trials), Progress: progress(trials)}
	var err error
	if out.Importances, err = stageImportances(state, stage, trials); err != nil {
		return out, err
	}
	out.Parallel, err = parallel(state.Settings().Space, state.Best(stage), out.Importances[0])
	return out, err
}
