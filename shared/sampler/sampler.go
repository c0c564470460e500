// Package sampler suggests what to try next. A [Sampler] is a pure function of a
// problem, the history of its trials and a random source: no clock, no global state, so
// that a study replayed from its events suggests the same configurations again.
//
// The package also holds what the choice among finished trials rests on, for one
// objective and for several: non-dominated ranks, crowding distances and hypervolume.
package sampler

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
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
	Number int         // unique in a history
	Point  space.Point // its parameters
	Values []float64   // one an objective, at the highest reported rung; nil: nothing reported
	Rung   int         // the highest reported rung, -1 for none
	State  State
}

// finished reports whether the trial gave a value and waits for no other.
func (o Observation) finished() bool { return o.State == Completed || o.State == Paused }

// A Problem is what is searched: a (narrowed) space and a direction for each objective.
type Problem struct {
	Space      *space.Space
	Directions []Direction
}

// A Sampler suggests a complete assignment that is valid in p.Space. It must not keep or
// change history, whose order carries no meaning, and draws on nothing but rng.
type Sampler interface {
	Suggest(p Problem, history []Observation, rng *rand.Rand) (space.Assignment, error)
}

// The names that [New] knows.
const (
	NameTPE    = "tpe"
	NameNSGA2  = "nsga2"
	NameRandom = "random"
)

// Names returns what [New] accepts.
func Names() []string { return []string{NameTPE, NameNSGA2, NameRandom} }

// New returns the sampler of that name with its default settings.
func New(name string) (Sampler, error) {
	switch name {
	case NameTPE:
		return TPE{}, nil
	case NameNSGA2:
		return NSGA2{}, nil
	case NameRandom:
		return Random{}, nil
	}
	return nil, fmt.Errorf("sampler %q: allowed are %s", name, strings.Join(Names(), ", "))
}

// checked returns the history sorted by trial number and without failed trials, or what
// is wrong with the problem or the history.
func checked(p Problem, history []Observation) ([]Observation, error) {
	if p.Space == nil || len(p.Directions) == 0 {
		return nil, fmt.Errorf("the problem needs a space and at least one objective")
	}
	kept := make([]Observation, 0, len(history))
	for _, o := range history {
		if err := p.Space.CheckPoint(o.Point); err != nil {
			return nil, fmt.Errorf("trial %d: %w", o.Number, err)
		}
		if o.State == Failed {
			continue
		}
		if o.finished() && len(o.Values) != len(p.Directions) {
			return nil, fmt.Errorf("%s trial %d has %d values for %d objectives",
				o.State, o.Number, len(o.Values), len(p.Directions))
		}
		for _, v := range o.Values {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return nil, fmt.Errorf("trial %d has the value %v, which is not finite", o.Number, v)
			}
		}
		kept = append(kept, o)
	}
	byNumber := func(a, b Observation) int { return a.Number - b.Number }
	if !slices.IsSortedFunc(kept, byNumber) {
		slices.SortFunc(kept, byNumber)
	}
	for i := 1; i < len(kept); i++ {
		if kept[i].Number == kept[i-1].Number {
			return nil, fmt.Errorf("trial %d is in the history twice", kept[i].Number)
		}
	}
	return kept, nil
}
