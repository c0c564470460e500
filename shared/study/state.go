package study

import (
	"encoding/json"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/supermax-hpo/supermax/shared/internal/persistent"
	"github.com/supermax-hpo/supermax/shared/protocol"
)

// State is a study at one point of its events. What it refers to is never changed, only
// replaced, so that a copy of the struct is a copy of the study.
type State struct {
	given    json.RawMessage // the settings as they were created, unknown fields included
	settings Settings        // with defaults
	plans    [3]plan         // of the stages A, B, C
	stages   [3]stageState
	trials   persistent.Vector[*Trial] // by number
	indexes  [3]index                  // of the stages' trials
	slots    slots                     // of the open stage
	memory   *memory                   // the samplers'
	chosen   *Choice

	costSeconds float64  // that the attempts of all trials told of, in the order of their events
	budget      *float64 // in dollars; nil: no bound
	stopped     string   // why no work is given out; empty: it is

	unknown fields
}

// stageState is how far a stage is.
type stageState struct {
	First  int       `json:"first"` // its first trial's number
	Limit  int       `json:"limit"` // how many trials it may start
	Opened time.Time `json:"opened,omitzero"`
	Closed time.Time `json:"closed,omitzero"`
	Handed []int     `json:"handed,omitempty"` // its trials that the next stage begins with, best first

	unknown fields
}

func (s stageState) open() bool { return !s.Opened.IsZero() && s.Closed.IsZero() }

// Choice is the end of a study.
type Choice struct {
	Trial int       `json:"trial"` // stage B's trial whose parameters were chosen
	At    time.Time `json:"at"`
}

// New returns a new study's state and its first event. The settings' faults come joined in
// one invalid [*Error].
func New(now time.Time, settings Settings) (*State, []Event, error) {
	if err := settings.Validate(); err != nil {
		return nil, nil, invalid("create study %q: %v", settings.Study, err)
	}
	given, err := json.Marshal(settings)
	if err != nil {
		return nil, nil, fmt.Errorf("write settings: %w", err)
	}
	created := Event{Version: EventVersion, Type: EventCreated, At: clean(now), Settings: given}
	s := new(State)
	if err := s.Apply(created); err != nil {
		return nil, nil, err
	}
	return s, []Event{created}, nil
}

// configure sets what follows from the settings as they were given.
func (s *State) configure(given json.RawMessage) error {
	var settings Settings
	if err := json.Unmarshal(given, &settings); err != nil {
		return fmt.Errorf("read settings: %w", err)
	}
	if err := settings.Validate(); err != nil {
		return fmt.Errorf("read settings: %w", err)
	}
	plans, err := settings.plans()
	if err != nil {
		return err
	}
	s.given, s.settings, s.plans = given, settings.withDefaults(), plans
	s.slots, s.memory = newSlots(nil), new(memory)
	for i := range s.indexes {
		s.indexes[i] = newIndex(plans[i], nil)
	}
	return nil
}

// created reports whether the state has its settings.
func (s *State) created() bool { return s.given != nil }

// Clone returns a state that can be changed without changing s, so that a caller may keep
// s for readers while it applies events to the copy. It costs the same for every size.
func (s *State) Clone() *State {
	c := *s
	return &c
}

// draft is a copy of the state on which a command plays its events out as it decides
// them, so that each decision sees the ones before.
type draft struct {
	*State
	now    time.Time
	events []Event
}

func (s *State) draft(now time.Time) *draft {
	return &draft{State: s.Clone(), now: clean(now)}
}

// emit adds an event and applies it to the draft.
func (d *draft) emit(e Event) error {
	e.Version, e.At = EventVersion, d.now
	if err := d.Apply(e); err != nil {
		return err
	}
	d.events = append(d.events, e)
	return nil
}

// clean returns t as events and snapshots keep it: UTC, to the millisecond.
func clean(t time.Time) time.Time { return t.Truncate(time.Millisecond).UTC() }

// indexOf returns the stage's place in the order of stages.
func indexOf(stage protocol.Stage) (int, error) {
	if i := slices.Index(stages[:], stage); i >= 0 {
		return i, nil
	}
	return 0, invalid("stage %q is unknown; allowed: A, B, C", stage)
}

// mine checks that a request is about this study.
func (s *State) mine(study string) error {
	if study != s.settings.Study {
		return notFound("study %q is not here: this is %q", study, s.settings.Study)
	}
	return nil
}

// trial returns the trial of that number.
func (s *State) trial(n int) (*Trial, error) {
	if n < 0 || n >= s.trials.Len() {
		return nil, notFound("trial %d does not exist: the study has %d trials, counted from 0", n, s.trials.Len())
	}
	return s.trials.At(n), nil
}

// span returns the numbers of the stage's trials, from the first up to and without the end.
// They are contiguous because a stage opens after the one before was closed.
func (s *State) span(stage int) (first, end int) {
	if s.stages[stage].Opened.IsZero() {
		return 0, 0
	}
	end = s.trials.Len()
	if stage+1 < len(stages) && !s.stages[stage+1].Opened.IsZero() {
		end = s.stages[stage+1].First
	}
	return s.stages[stage].First, end
}

// started returns how many trials the stage has.
func (s *State) started(stage int) int {
	first, end := s.span(stage)
	return end - first
}

// of returns the stage's trials in order of their numbers.
func (s *State) of(stage int) iter.Seq[*Trial] {
	return func(yield func(*Trial) bool) {
		first, end := s.span(stage)
		for n, t := range s.trials.From(first) {
			if n >= end || !yield(t) {
				return
			}
		}
	}
}

// put sets a trial, new or in the place of what it was.
func (s *State) put(t *Trial) {
	var old *Trial
	if t.Number < s.trials.Len() {
		old = s.trials.At(t.Number)
	}
	s.trials = s.trials.Set(t.Number, t)
	stage := slices.Index(stages[:], t.Stage)
	s.indexes[stage] = s.indexes[stage].with(s.plans[stage], old, t)
}

// planOf returns the plan of a trial's stage.
func (s *State) planOf(t *Trial) plan {
	return s.plans[slices.Index(stages[:], t.Stage)]
}
