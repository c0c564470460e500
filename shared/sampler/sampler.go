// Package sampler suggests what to try next. A [Sampler] is a pure function of a
// problem's [History] and a random source: no clock, no global state, so that a study
// replayed from its events suggests the same configurations again.
//
// The package also holds what the choice among finished trials rests on, for one
// objective and for several: non-dominated ranks, crowding distances and hypervolume.
package sampler

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"

	"github.com/supermax-hpo/supermax/shared/space"
)

// Direction says which way an objective is better.
type Direction int8

// The directions of an objective.
const (
	Maximize Direction = iota
	Minimize
)

// String returns "maximize" or "minimize".
func (d Direction) String() string {
	if d == Minimize {
		return "minimize"
	}
	return "maximize"
}

// State is how far a trial has come, as far as a sampler cares.
type State int8

// The states of an observed trial.
const (
	Running   State = iota // its next rung is pending: queued, being trained or to be retried
	Paused                 // it reported a rung and may or may not be promoted
	Completed              // it reported the last rung
	Failed                 // it gave no value and never will
)

// String returns the state's name in lower case.
func (s State) String() string {
	switch s {
	case Running:
		return "running"
	case Paused:
		return "paused"
	case Completed:
		return "completed"
	case Failed:
		return "failed"
	}
	return fmt.Sprintf("state %d", int8(s))
}

// An Observation is what is known of one trial.
type Observation struct {
	Number    int         // 0 or more, unique in a history
	Point     space.Point // its parameters
	Values    []float64   // one an objective, at the highest reported rung; nil: nothing reported
	Violation float64     // by how much it breaks the constraints, summed, 0 or more; 0: feasible
	Rung      int         // grows with the epochs behind Values; -1 for none
	State     State
}

// finished reports whether the trial gave a value and waits for no other.
func (o *Observation) finished() bool { return o.State == Completed || o.State == Paused }

// A Problem is what is searched: a (narrowed) space and a direction for each objective.
type Problem struct {
	Space      *space.Space
	Directions []Direction
}

// A Sampler suggests a complete assignment that is valid in the history's space. It draws
// on nothing but the observations, whose order carries no meaning, and rng. It may fill
// what h remembers, so one history must not be used by two goroutines at once.
type Sampler interface {
	Suggest(h *History, rng *rand.Rand) (space.Assignment, error)
}

// The names that [New] knows.
const (
	NameTPE         = "tpe"
	NameNSGA2       = "nsga2"
	NameRandom      = "random"
	NameQuasiRandom = "quasi-random"
	NameGrid        = "grid"
)

// Names returns what [New] accepts.
func Names() []string { return []string{NameTPE, NameNSGA2, NameRandom, NameQuasiRandom, NameGrid} }

// Options are what a study may choose about its sampler. The zero value is the default.
type Options struct {
	// Seed is the study's, for samplers that follow one sequence through it.
	Seed uint64
	// CostWeight says how much TPE shuns expensive configurations: as much as if the
	// expected improvement were divided by the cost to the power of the weight. 0: not at
	// all. It needs Cost.
	CostWeight float64
	// Cost predicts the seconds an epoch takes at a point, more than 0.
	// It is finite for every point; NaN there stands for a parameter that is off or, while a
	// candidate is weighed, not known yet.
	Cost func(space.Point) float64
}

// New returns the sampler of that name.
func New(name string, o Options) (Sampler, error) {
	switch {
	case !(o.CostWeight >= 0) || math.IsInf(o.CostWeight, 1):
		return nil, fmt.Errorf("cost weight %v: allowed is 0 or more", o.CostWeight)
	case o.CostWeight > 0 && name != NameTPE:
		return nil, fmt.Errorf("cost weight %v with sampler %q: only %s weighs costs", o.CostWeight, name, NameTPE)
	}
	switch name {
	case NameTPE:
		return TPE(o), nil
	case NameNSGA2:
		return NSGA2{}, nil
	case NameRandom:
		return Random{}, nil
	case NameQuasiRandom:
		return QuasiRandom{Seed: o.Seed}, nil
	case NameGrid:
		return Grid{Seed: o.Seed}, nil
	}
	return nil, fmt.Errorf("sampler %q: allowed are %s", name, strings.Join(Names(), ", "))
}
