package study

import (
	"fmt"
	"slices"
	"sync"

	"github.com/supermax-hpo/supermax/shared/internal/persistent"
	"github.com/supermax-hpo/supermax/shared/sampler"
)

// memory is what the samplers know of the open stage's trials, indexed for them. It is no
// part of a state: it follows from the trials and is brought up to date before it is used.
// All copies of a state share one, whichever of them goes on, since from one use to the next
// few trials change; so it has a lock.
type memory struct {
	mu      sync.Mutex
	stage   int
	trials  persistent.Vector[*Trial] // as the history has them
	history *sampler.History          // nil: there is none yet
}

// with calls use with the history of a stage's trials. Nobody else uses it meanwhile.
func (m *memory) with(s *State, stage int, use func(*sampler.History) error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	// A history cannot forget a trial. A state with fewer is rare: an ask was drafted on one
	// that lost the race for the log.
	if m.history == nil || m.stage != stage || m.trials.Len() > s.trials.Len() {
		h, err := sampler.NewHistory(sampler.Problem{Space: s.settings.Space, Directions: s.plans[stage].dirs})
		if err != nil {
			return err
		}
		m.history, m.stage, m.trials = h, stage, persistent.Vector[*Trial]{}
	}
	if err := m.update(s.trials, s.stages[stage].First, s.plans[stage]); err != nil {
		m.history = nil
		return err
	}
	return use(m.history)
}

// update tells the history what it does not know of the trials, of which those of the stage
// begin at first.
func (m *memory) update(trials persistent.Vector[*Trial], first int, p plan) error {
	for n := range persistent.Changed(m.trials, trials) {
		if n < first {
			continue
		}
		t := trials.At(n)
		if n < m.trials.Len() && m.trials.At(n).looksLike(t, p) {
			continue
		}
		if err := m.history.Set(t.observed(p)); err != nil {
			return fmt.Errorf("observe: %w", err)
		}
	}
	m.trials = trials
	return nil
}

// looksLike reports whether a sampler sees two trials of one number as the same, as it does
// when a lease was given, renewed or taken back.
func (t *Trial) looksLike(other *Trial, p plan) bool {
	a, b := t.observed(p), other.observed(p)
	return a.Rung == b.Rung && a.State == b.State && a.Violation == b.Violation &&
		slices.Equal(a.Values, b.Values) && a.Point.Equal(b.Point)
}
