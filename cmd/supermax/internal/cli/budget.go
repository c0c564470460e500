package cli

import (
	"fmt"
	"strings"

	"github.com/supermax-hpo/supermax/shared/protocol"
	"github.com/supermax-hpo/supermax/shared/study"
)

// budgets says what was spent of the stages' own budgets, a line for each that has one.
func budgets(state *study.State) []string {
	var lines []string
	settings := state.Settings()
	for _, s := range []struct {
		stage  protocol.Stage
		budget study.Budget
	}{{protocol.StageA, settings.A.Budget}, {protocol.StageB, settings.B.Budget}} {
		if line := ofBudget(state.Spent(s.stage), s.budget); line != "" {
			lines = append(lines, fmt.Sprintf("stage %s took %s", s.stage, line))
		}
	}
	return lines
}

// ofBudget says what was spent of each bound of a budget; empty: it has none.
func ofBudget(spent, budget study.Budget) string {
	var parts []string
	if budget.Epochs > 0 {
		parts = append(parts, fmt.Sprintf("%d of %d epochs", spent.Epochs, budget.Epochs))
	}
	if budget.GPUHours > 0 {
		parts = append(parts, fmt.Sprintf("%.3f of %g GPU hours", spent.GPUHours, budget.GPUHours))
	}
	if budget.Dollars > 0 {
		parts = append(parts, fmt.Sprintf("%.2f of %g dollars", spent.Dollars, budget.Dollars))
	}
	return strings.Join(parts, ", ")
}
