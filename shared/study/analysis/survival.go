package analysis

import (
	"slices"

	"github.com/supermax-hpo/supermax/shared/study"
)

// Rung is how many trials came to an epoch at which they are looked at, and what became of
// those that came no farther yet: Reached is the sum of the four and of the next rung's
// Reached.
type Rung struct {
	Epoch     int `json:"epoch"` // 0: before the first
	Reached   int `json:"reached"`
	Going     int `json:"going"`     // queued for the next epochs, or training them
	Paused    int `json:"paused"`    // may be promoted, or not
	Failed    int `json:"failed"`    // on the way to the next
	Completed int `json:"completed"` // nothing is left to train

	// The values reported at this very epoch, those of failed trials as well.
	Best   *study.Value `json:"best,omitempty"`   // the highest F1-macro
	Median *study.Value `json:"median,omitempty"` // of each objective, the lower of two middle ones
}

// survival returns a stage's rungs by rising epoch, first epoch 0 with all of the trials.
func survival(trials []study.Trial) []Rung {
	values := map[int][]study.Value{0: nil}
	for _, t := range trials {
		for _, r := range t.Reports {
			values[r.ToEpoch] = append(values[r.ToEpoch], r.Value)
		}
	}
	var rungs []Rung
	for epoch, reported := range values {
		rungs = append(rungs, Rung{Epoch: epoch, Best: highest(reported), Median: median(reported)})
	}
	slices.SortFunc(rungs, func(a, b Rung) int { return a.Epoch - b.Epoch })
	for _, t := range trials {
		last := 0
		if n := len(t.Reports); n > 0 {
			last = t.Reports[n-1].ToEpoch
		}
		for i := range rungs {
			if rungs[i].Epoch <= last {
				rungs[i].Reached++
			}
			if rungs[i].Epoch == last {
				rungs[i].count(t.State)
			}
		}
	}
	return rungs
}

func (r *Rung) count(s study.TrialState) {
	switch s {
	case study.Paused:
		r.Paused++
	case study.Failed:
		r.Failed++
	case study.Completed:
		r.Completed++
	default:
		r.Going++
	}
}

func highest(values []study.Value) *study.Value {
	if len(values) == 0 {
		return nil
	}
	best := values[0]
	for _, v := range values {
		if v.F1Macro > best.F1Macro || v.F1Macro == best.F1Macro && v.ECE < best.ECE {
			best = v
		}
	}
	return &best
}

func median(values []study.Value) *study.Value {
	if len(values) == 0 {
		return nil
	}
	middle := func(of func(study.Value) float64) float64 {
		sorted := make([]float64, len(values))
		for i, v := range values {
			sorted[i] = of(v)
		}
		slices.Sort(sorted)
		return sorted[(len(sorted)-1)/2]
	}
	return &study.Value{
		F1Macro: middle(func(v study.Value) float64 { return v.F1Macro }),
		ECE:     middle(func(v study.Value) float64 { return v.ECE }),
	}
}
