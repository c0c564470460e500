package study

import "fmt"

// The objectives of stage A ([SearchStage.Objective]).
const (
	ObjectiveF1          = "f1_macro"
	ObjectiveF1PerDollar = "f1_per_dollar" // F1-macro divided by the dollars that the trial's reports cost so far
)

// objectiveECE is stage B's second objective.
const objectiveECE = "ece"

// minCostSeconds is the least cost of a report where the objective divides by it.
const minCostSeconds = 0.001

// objectives appends what the trial's report at a rung is worth to its stage, one number an
// objective.
func (t *Trial) objectives(to []float64, p plan, rung int) []float64 {
	v := t.Reports[rung].Value
	switch {
	case p.pricePerHour > 0:
		return append(to, v.F1Macro/(t.costSeconds(rung)/3600*p.pricePerHour))
	case len(p.dirs) > 1:
		return append(to, v.F1Macro, v.ECE)
	}
	return append(to, v.F1Macro)
}

// costSeconds returns what the trial's reports up to a rung cost. Attempts that were lost
// are not among them: an interruption is not the configuration's fault.
func (t *Trial) costSeconds(rung int) float64 {
	var sum float64
	for _, r := range t.Reports[:rung+1] {
		sum += r.CostSeconds
	}
	return sum
}

// values returns the last report as the stage's objectives, or nil.
func (t *Trial) values(p plan) []float64 {
	if len(t.Reports) == 0 {
		return nil
	}
	return t.objectives(nil, p, t.Reported())
}

// Epochs returns how many epochs the report at a rung stands for, those of all seeds
// together: fewer than the rung has where seeds stopped early, none where it was carried.
func (t *Trial) Epochs(rung int) int {
	from, n := 0, 0
	if rung > 0 {
		from = t.Reports[rung-1].ToEpoch
	}
	for _, b := range t.Seeds {
		n += max(0, min(b.Last, t.Reports[rung].ToEpoch)-from)
	}
	return n
}

func (s Settings) validateObjectives(bad func(field string, value any, allowed string)) {
	switch s.A.Objective {
	case "", ObjectiveF1:
	case ObjectiveF1PerDollar:
		if s.PricePerHour == 0 {
			bad("a.objective", s.A.Objective, ObjectiveF1+", as price_per_hour is 0 or missing")
		}
	default:
		bad("a.objective", fmt.Sprintf("%q", s.A.Objective), ObjectiveF1+", "+ObjectiveF1PerDollar)
	}
	if s.B.Objective != "" {
		bad("b.objective", fmt.Sprintf("%q", s.B.Objective), "none, as stage B maximises F1-macro and minimises ECE")
	}
}
