package study

import (
	"errors"
	"fmt"
)

// consistent checks what the commands rely on, so that a damaged snapshot is an error and
// not a crash later.
func (s *State) consistent() error {
	if err := s.consistentStages(); err != nil {
		return err
	}
	for i := range stages {
		for t := range s.of(i) {
			if t.Stage != stages[i] {
				return fmt.Errorf("trial %d is of stage %s, not %s", t.Number, t.Stage, stages[i])
			}
		}
	}
	for n, t := range s.trials.All() {
		if err := s.consistentTrial(n, t); err != nil {
			return fmt.Errorf("trial %d: %w", n, err)
		}
	}
	for sl := range s.slots.byName.All() {
		if sl.slot == nil {
			return fmt.Errorf("slot %s has no record", sl.name)
		}
		if !sl.worked() {
			continue
		}
		if t, err := s.trial(sl.Trial); err != nil || sl.Rung < 0 || sl.Rung > t.Rung || sl.Attempt < 0 || sl.Attempt > t.Attempt {
			return fmt.Errorf("slot %s got trial %d, attempt %d, rung %d, which do not exist", sl.name, sl.Trial, sl.Attempt, sl.Rung)
		}
	}
	if s.chosen != nil {
		if _, err := s.trial(s.chosen.Trial); err != nil {
			return err
		}
	}
	return nil
}

func (s *State) consistentTrial(n int, t *Trial) error {
	if err := s.settings.Space.CheckPoint(t.point); err != nil {
		return err
	}
	p := s.planOf(t)
	reported := len(t.Reports) // rung up to which it must have reports, by state
	switch t.State {
	case Queued, Running, Failed:
		if reported != t.Rung {
			return fmt.Errorf("it is %s for rung %d with %d reports", t.State, t.Rung, reported)
		}
	case Paused, Completed:
		if reported != t.Rung+1 {
			return fmt.Errorf("it is %s at rung %d with %d reports", t.State, t.Rung, reported)
		}
	default:
		return fmt.Errorf("state %q is unknown", t.State)
	}
	switch {
	case t.Number != n:
		return fmt.Errorf("its number is %d", t.Number)
	case t.Rung < 0 || t.Rung > p.last(n):
		return fmt.Errorf("rung %d does not exist", t.Rung)
	case (t.State == Running) != (t.Lease != nil):
		return fmt.Errorf("it is %s, its lease is %v", t.State, t.Lease)
	case (t.State == Failed) != (t.Failure != nil):
		return fmt.Errorf("it is %s, its failure is %v", t.State, t.Failure)
	case t.Attempt < -1 || t.Attempt < 0 && t.State != Queued:
		return fmt.Errorf("it is %s in attempt %d", t.State, t.Attempt)
	case t.From != nil && (*t.From < 0 || *t.From >= n), t.Stage == stages[2] && (t.From == nil || t.Fold == nil):
		return errors.New("where it comes from is damaged")
	case reported > 0 && !sameSeeds(t.Seeds, p.seeds):
		return fmt.Errorf("its seeds are %v, not %v", t.Seeds, p.seeds)
	}
	for rung, r := range t.Reports {
		if r.Rung != rung || r.Trial != n {
			return fmt.Errorf("report %d is of trial %d, rung %d", rung, r.Trial, r.Rung)
		}
		if r.Carried && rung == 0 {
			return errors.New("its first report is carried from nowhere")
		}
		if err := p.checkReport(r.Value, r.CostSeconds); err != nil && !r.Carried {
			return fmt.Errorf("report %d: %w", rung, err)
		}
		if !r.ContinueUntil.IsZero() && rung >= t.Rung {
			return fmt.Errorf("report %d was promoted, but the trial is at rung %d", rung, t.Rung)
		}
	}
	return nil
}

// consistentStages checks the stages and that they hold all trials.
func (s *State) consistentStages() error {
	for i, st := range s.stages {
		switch {
		case st.Opened.IsZero() && !st.Closed.IsZero(),
			i > 0 && !st.Opened.IsZero() && s.stages[i-1].Closed.IsZero():
			return fmt.Errorf("stage %s was not opened in its turn", stages[i])
		case !st.Opened.IsZero() && (st.First < 0 || st.First > s.trials.Len() || i > 0 && st.First < s.stages[i-1].First):
			return fmt.Errorf("stage %s begins at trial %d of %d", stages[i], st.First, s.trials.Len())
		}
		for _, n := range st.Handed {
			if _, err := s.trial(n); err != nil {
				return err
			}
		}
	}
	inStages := 0
	for i := range stages {
		inStages += s.started(i)
	}
	if inStages != s.trials.Len() {
		return fmt.Errorf("%d of %d trials are in no stage", s.trials.Len()-inStages, s.trials.Len())
	}
	return nil
}
