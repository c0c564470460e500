package handler

import (
	"github.com/supermax-hpo/supermax/shared/config"
	"github.com/supermax-hpo/supermax/shared/protocol"
	"github.com/supermax-hpo/supermax/shared/results"
	"github.com/supermax-hpo/supermax/shared/study"
)

// trials returns the rows of a stage's table of trials.
func trials(st *study.State, c *config.Study, stage protocol.Stage) []results.Trial {
	var rows []results.Trial
	for _, t := range st.Trials(stage) {
		row := results.Trial{
			Trial: t.Number, Agent: c.Agent, State: string(t.State), Fold: t.Fold, Rung: t.Rung,
			CostSeconds: t.CostSeconds(), Attempts: t.Attempt + 1, Created: t.Created, Params: t.Params,
		}
		row.Cost = row.CostSeconds / 3600 * c.PricePerHour
		if stage == protocol.StageC {
			row.Candidate = t.From
		}
		if n := len(t.Reports); n > 0 {
			last := t.Reports[n-1]
			row.Epochs, row.F1Macro, row.ECE = last.ToEpoch, &last.Value.F1Macro, &last.Value.ECE
			row.Violation = &t.Violation
		}
		if t.Failure != nil {
			kind := string(t.Failure.Kind)
			row.FailureKind = &kind
		}
		rows = append(rows, row)
	}
	return rows
}
