package study

import (
	"errors"
	"fmt"

	"github.com/supermax-hpo/supermax/shared/protocol"
)

// Apply folds one event into the state. An event that cannot have happened in it (the log
// has a gap, or was written by a newer version: [ErrNewerSchema]) is an error and changes
// nothing. The first event of a study is applied to new(State).
func (s *State) Apply(e Event) error {
	if err := s.apply(e); err != nil {
		return fmt.Errorf("apply event %q: %w", e.Type, err)
	}
	return nil
}

func (s *State) apply(e Event) error {
	if e.Version > EventVersion {
		return fmt.Errorf("event version %d, this is %d: %w", e.Version, EventVersion, ErrNewerSchema)
	}
	if e.Type == EventCreated {
		if s.created() {
			return errors.New("the study was created before")
		}
		return s.configure(e.Settings)
	}
	if !s.created() {
		return errors.New("the study was not created yet")
	}
	switch e.Type {
	case EventStageOpened:
		return s.stageOpened(e)
	case EventStageClosed:
		return s.stageClosed(e)
	case EventChosen:
		if _, err := s.trial(e.Trial); err != nil {
			return err
		}
		s.chosen = &Choice{Trial: e.Trial, At: e.At}
		return nil
	case EventStopped:
		if e.Reason == "" {
			return errors.New("it has no reason")
		}
		s.stopped = e.Reason
		return nil
	case EventResumed:
		s.stopped = ""
		if e.BudgetDollars != nil {
			s.budget = e.BudgetDollars
		}
		return nil
	case EventWaited:
		s.slots = s.slots.with(e.Slot, &slot{Token: e.Token})
		return nil
	case EventSlotReleased:
		var released slot
		if sl := s.slots.get(e.Slot); sl != nil {
			released = *sl
		}
		released.Released = true
		s.slots = s.slots.with(e.Slot, &released)
		return nil
	case EventTrialCreated:
		return s.trialCreated(e)
	}
	return s.applyTrial(e)
}

func (s *State) stageOpened(e Event) error {
	i, err := indexOf(e.Stage)
	if err != nil {
		return err
	}
	if !s.stages[i].Opened.IsZero() || i > 0 && s.stages[i-1].Closed.IsZero() {
		return fmt.Errorf("stage %s cannot be opened now", e.Stage)
	}
	if e.At.IsZero() {
		return errors.New("it has no time")
	}
	s.stages[i].First, s.stages[i].Limit, s.stages[i].Opened = s.trials.Len(), e.Limit, e.At
	return nil
}

// stageClosed also forgets the stage's slots: whatever they ask now, the answer is done.
func (s *State) stageClosed(e Event) error {
	i, err := indexOf(e.Stage)
	if err != nil {
		return err
	}
	if !s.stages[i].open() {
		return fmt.Errorf("stage %s is not open", e.Stage)
	}
	if e.At.IsZero() {
		return errors.New("it has no time")
	}
	for _, n := range e.Trials {
		if _, err := s.trial(n); err != nil {
			return err
		}
	}
	s.stages[i].Closed, s.stages[i].Handed = e.At, e.Trials
	s.slots = newSlots(nil)
	return nil
}

func (s *State) trialCreated(e Event) error {
	i, err := indexOf(e.Stage)
	if err != nil {
		return err
	}
	switch {
	case !s.stages[i].open():
		return fmt.Errorf("stage %s is not open", e.Stage)
	case e.Trial != s.trials.Len():
		return fmt.Errorf("trial %d follows %d trials", e.Trial, s.trials.Len())
	case e.From != nil && (*e.From < 0 || *e.From >= e.Trial):
		return fmt.Errorf("trial %d comes from trial %d, which is not earlier", e.Trial, *e.From)
	case e.Stage == protocol.StageC && (e.From == nil || e.Fold == nil):
		return fmt.Errorf("trial %d of stage C has no candidate or no fold", e.Trial)
	}
	point, err := s.settings.Space.Point(e.Params)
	if err != nil {
		return fmt.Errorf("trial %d: %w", e.Trial, err)
	}
	s.put(&Trial{Number: e.Trial, Stage: e.Stage, State: Queued, point: point,
		From: e.From, Fold: e.Fold, Attempt: -1, Created: e.At})
	return nil
}
