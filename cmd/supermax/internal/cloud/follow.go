package cloud

import (
	"context"
	"errors"

	"github.com/supermax-hpo/supermax/cmd/supermax/internal/mistake"
	"github.com/supermax-hpo/supermax/cmd/supermax/internal/progress"
	"github.com/supermax-hpo/supermax/shared/pause"
	"github.com/supermax-hpo/supermax/shared/protocol"
	"github.com/supermax-hpo/supermax/shared/store"
	"github.com/supermax-hpo/supermax/shared/study"
)

// Execution returns the execution that walks a study now; nil when none does.
func (a *Account) Execution(ctx context.Context, name string) (*Execution, error) {
	if err := store.CheckStudy(name); err != nil {
		return nil, mistake.Wrap(err)
	}
	found, err := a.running(ctx, name)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return found[0], nil
}

// Follow shows how far an execution's studies are until it ends, and returns how it ended.
// show makes what shows one study. When ctx ends so does the following; the execution goes
// on.
func (a *Account) Follow(ctx context.Context, e *Execution, show func() func(progress.Status)) (*Execution, error) {
	views := make([]*view, len(e.Studies))
	for i, name := range e.Studies {
		views[i] = &view{name: name, show: show()}
	}
	for {
		now, err := a.execution(ctx, e.ARN)
		if err != nil {
			return nil, err
		}
		for _, v := range views {
			if err := v.look(ctx, a, !now.Running()); err != nil {
				return nil, err
			}
		}
		if !now.Running() {
			return now, nil
		}
		if err := pause.For(ctx, a.poll); err != nil {
			return nil, err
		}
	}
}

// Show shows once how far a study is.
func (a *Account) Show(ctx context.Context, name string, show func(progress.Status)) error {
	s, err := a.Study(name)
	if err != nil {
		return err
	}
	if _, err := s.State(ctx); err != nil { // a study that is not there is a mistake here
		return err
	}
	return (&view{name: name, show: show}).look(ctx, a, true)
}

// view follows one study.
type view struct {
	name    string
	show    func(progress.Status)
	tracker progress.Tracker
}

// look shows the study as it is now, each stage that was left since once more, and the
// last of it at the end.
func (v *view) look(ctx context.Context, a *Account, last bool) error {
	state, err := a.service.State(ctx, v.name)
	if errors.Is(err, store.ErrNotFound) {
		return nil // the execution is about to create it
	}
	if err != nil {
		return explain("read the state of study "+v.name, err)
	}
	now := a.clock()
	stage := shownStage(state)
	if former := v.tracker.Stage(); former != stage {
		if former != "" {
			s := v.tracker.Of(state, now)
			s.Left = true
			v.show(s)
		}
		v.tracker.PricePerHour = state.Settings().PricePerHour
		v.tracker.Open(stage, now)
		s := v.tracker.Of(state, now)
		s.Opened = true
		v.show(s)
		return nil
	}
	s := v.tracker.Of(state, now)
	s.Left = last
	v.show(s)
	return nil
}

// shownStage is the stage that a study is in, and the last one after its end.
func shownStage(state *study.State) protocol.Stage {
	if stage := state.Stage(); stage != "" {
		return stage
	}
	return protocol.StageC
}
