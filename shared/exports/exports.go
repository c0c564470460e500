// Package exports is what a study gives to people and other programs: the best trials of
// stage A, the Pareto front of B, the candidates of C and the chosen configuration, each
// as YAML and as JSON with the same content. Values are computed from the study's state
// alone, so that exporting again gives the same bytes.
package exports

import (
	"github.com/supermax-hpo/supermax/shared/protocol"
	"github.com/supermax-hpo/supermax/shared/space"
	"github.com/supermax-hpo/supermax/shared/study"
)

// SchemaVersion is in every export. A field may be added under the same version.
const SchemaVersion = 1

// TopKey is where a study's best trials of stage A are exported; ".yaml" and ".json"
// follow, as with the other keys. It is named by the default number.
func TopKey(study string) string { return prefix(study) + "stage=A/top50" }

// ParetoKey is where a study's Pareto front of stage B is exported.
func ParetoKey(study string) string { return prefix(study) + "stage=B/pareto" }

// CandidatesKey is where a study's candidates of stage C are exported.
func CandidatesKey(study string) string { return prefix(study) + "stage=C/candidates" }

// BestKey is where a study's chosen configuration is exported.
func BestKey(study string) string { return prefix(study) + "best" }

func prefix(study string) string { return "exports/study=" + study + "/" }

// Head begins every export.
type Head struct {
	SchemaVersion int            `json:"schema_version"`
	Study         string         `json:"study"`
	Agent         string         `json:"agent"`
	Stage         protocol.Stage `json:"stage"`
}

func head(s *study.State, stage protocol.Stage) Head {
	settings := s.Settings()
	return Head{SchemaVersion: SchemaVersion, Study: settings.Study, Agent: settings.Agent, Stage: stage}
}

// A Ranking lists trials of a search stage, best first.
type Ranking struct {
	Head
	Trials []Trial `json:"trials"`
}

// Trial is one configuration with what it reached at its last rung: for each seed the
// epoch with the best F1-macro, and the mean over the seeds.
type Trial struct {
	Trial       int              `json:"trial"`
	Rung        int              `json:"rung"`
	Epochs      int              `json:"epochs"` // the rung's end; a seed may have stopped before
	F1Macro     float64          `json:"f1_macro"`
	ECE         float64          `json:"ece"`
	CostSeconds float64          `json:"cost_seconds"`
	Violation   float64          `json:"violation,omitempty"` // by how much it breaks the stage's limits, each as a part of the limit
	Params      space.Assignment `json:"params"`
	Seeds       []Seed           `json:"seeds"`
}

// Seed is one seed's best epoch.
type Seed struct {
	Seed    int64   `json:"seed"`
	Epoch   int     `json:"epoch"`
	F1Macro float64 `json:"f1_macro"`
	ECE     float64 `json:"ece"`
}

// Top returns stage A's best n trials; those that break its limits come last.
func Top(s *study.State, n int) Ranking {
	return Ranking{Head: head(s, protocol.StageA), Trials: trials(s.Best(protocol.StageA), n)}
}

// Pareto returns the n trials of stage B's Pareto front with the highest F1-macro.
func Pareto(s *study.State, n int) Ranking {
	return Ranking{Head: head(s, protocol.StageB), Trials: trials(s.Pareto(protocol.StageB), n)}
}

func trials(ranked []study.Trial, n int) []Trial {
	list := []Trial{}
	for _, t := range ranked[:min(n, len(ranked))] {
		last := t.Reports[len(t.Reports)-1] // a ranked trial has a value, so it reported
		list = append(list, Trial{Trial: t.Number, Rung: last.Rung, Epochs: last.ToEpoch,
			F1Macro: last.Value.F1Macro, ECE: last.Value.ECE, CostSeconds: t.CostSeconds(),
			Violation: t.Violation, Params: t.Params, Seeds: seeds(t.Seeds)})
	}
	return list
}

func seeds(best []study.SeedBest) []Seed {
	list := make([]Seed, len(best))
	for i, b := range best {
		list[i] = Seed{Seed: b.Seed, Epoch: b.Epoch, F1Macro: b.F1Macro, ECE: b.ECE}
	}
	return list
}
