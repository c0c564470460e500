package study

import (
	"fmt"
	"math"
	"time"

	"github.com/supermax-hpo/supermax/shared/asha"
	"github.com/supermax-hpo/supermax/shared/protocol"
	"github.com/supermax-hpo/supermax/shared/sampler"
)

// Budget bounds a stage beside its number of trials: whatever ends first ends the stage. It
// then gives out no new work, what runs finishes, and the next stage follows, unlike after
// the study's own budget, which stops the study ([State.Resume]). 0 is no bound.
type Budget struct {
	// Epochs of training, each seed's counted. What is leased counts in full until it is
	// reported, and work that would pass the bound is not given out; what an attempt trained
	// that never reported is not known and does not count.
	Epochs int `json:"epochs,omitempty"`
	// GPUHours and Dollars are of the slot seconds that attempts told of, as in
	// [State.CostSeconds]: they are passed by no more than what runs when they are reached.
	GPUHours float64 `json:"gpu_hours,omitempty"`
	Dollars  float64 `json:"dollars,omitempty"` // at the study's price
}

// validateBudget reports bounds that no number is, and those that nothing could be done with.
func (s SearchStage) validateBudget(name string, dirs []sampler.Direction, pricePerHour float64, bad func(field string, value any, allowed string)) {
	b := s.Budget
	for _, f := range []struct {
		name  string
		value float64
	}{{"gpu_hours", b.GPUHours}, {"dollars", b.Dollars}} {
		if !(f.value >= 0) || math.IsInf(f.value, 0) {
			bad(name+".budget."+f.name, f.value, "a number above 0, or 0 for no bound")
		}
	}
	if b.Dollars > 0 && pricePerHour == 0 {
		bad(name+".budget.dollars", b.Dollars, "none, as price_per_hour is 0 or missing")
	}
	if scheduler, err := asha.NewScheduler(s.options("", dirs)); err == nil {
		if first := scheduler.First() * len(s.Seeds); b.Epochs < 0 || b.Epochs > 0 && b.Epochs < first {
			bad(name+".budget.epochs", b.Epochs, fmt.Sprintf("%d or more, which a trial takes to its first rung, or 0 for no bound", first))
		}
	}
}

// spent is what a stage's trials took, in whole numbers so that their order does not matter.
type spent struct {
	trained      int // epochs, of all seeds
	leased       int // epochs that running trials may take
	milliseconds int64
}

// add adds what a trial took, so many times.
func (s *spent) add(t spent, by int) {
	s.trained += by * t.trained
	s.leased += by * t.leased
	s.milliseconds += int64(by) * t.milliseconds
}

// spent returns what the trial took.
func (t *Trial) spent(p plan) spent {
	var s spent
	for _, b := range t.Seeds {
		s.trained += b.Last
	}
	if t.Lease != nil {
		s.leased = t.ahead(p)
	}
	for _, r := range t.Reports {
		s.milliseconds += wholeMilliseconds(r.CostSeconds)
	}
	for _, e := range t.Ended {
		s.milliseconds += wholeMilliseconds(e.CostSeconds)
	}
	return s
}

func wholeMilliseconds(seconds float64) int64 { return int64(math.Round(seconds * 1000)) }

// ahead returns how many epochs the trial may take in its present rung.
func (t *Trial) ahead(p plan) int { return t.epochs(p, t.Rung) }

// epochs returns how many epochs the trial may take in a rung, those of all seeds that have
// not stopped.
func (t *Trial) epochs(p plan, rung int) int {
	seeds := len(p.seeds)
	for _, b := range t.Seeds {
		if b.Stopped(p.patience) {
			seeds--
		}
	}
	from, to := p.rungs(t.Number).Span(rung)
	return (to - from) * seeds
}

// Spent returns what counts of a stage for its [Budget]: what was reported, and of the slot
// seconds those that attempts told of.
func (s *State) Spent(stage protocol.Stage) Budget {
	i, err := indexOf(stage)
	if err != nil {
		return Budget{}
	}
	x := s.indexes[i].spent
	return Budget{Epochs: x.trained, GPUHours: x.hours(), Dollars: x.hours() * s.settings.PricePerHour}
}

func (s spent) hours() float64 { return float64(s.milliseconds) / float64(time.Hour/time.Millisecond) }

// fits reports whether the stage's budget has room for so many epochs more.
func (s *State) fits(stage, epochs int) bool {
	b, x := s.plans[stage].budget, s.indexes[stage].spent
	return (b.Epochs == 0 || x.trained+x.leased+epochs <= b.Epochs) &&
		(b.GPUHours == 0 || x.hours() < b.GPUHours) &&
		(b.Dollars == 0 || x.hours()*s.settings.PricePerHour < b.Dollars)
}
