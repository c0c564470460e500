package study

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/supermax-hpo/supermax/shared/asha"
	"github.com/supermax-hpo/supermax/shared/protocol"
)

// State is a study at one point of its events.
type State struct {
	given    json.RawMessage // the settings as they were created, unknown fields included
	settings Settings        // with defaults
	plans    [3]plan         // of the stages A, B, C
	stages   [3]stageState
	trials   []*Trial         // by number; a trial is never changed, only replaced
	slots    map[string]*slot // of the open stage; never changed, only replaced
	chosen   *Choice

	borrowedTrials, borrowedSlots bool // they are another state's: see [State.draft]

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

// slot is what is remembered of one life of one trainer: the last work that it got. Asks
// that had to wait are not remembered; logs of former versions hold some, without a lease.
type slot struct {
	Token      int64     `json:"token,omitempty"`
	Trial      int       `json:"trial,omitempty"`
	Attempt    int       `json:"attempt,omitempty"`
	Rung       int       `json:"rung,omitempty"`
	LeaseUntil time.Time `json:"lease_until,omitzero"` // as first answered
	Released   bool      `json:"released,omitempty"`   // it is gone and gets nothing more

	unknown fields
}

// worked reports whether the slot ever got work.
func (sl *slot) worked() bool { return !sl.LeaseUntil.IsZero() }

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
	s.slots = make(map[string]*slot)
	return nil
}

// Clone returns a state that can be changed without changing s, so that a caller may keep
// s for readers while it applies events to the copy. It copies a few words a trial.
func (s *State) Clone() *State {
	c := *s
	c.trials, c.slots = slices.Clone(s.trials), maps.Clone(s.slots)
	return &c
}

// draft is a copy of the state on which a command plays its events out as it decides
// them, so that each decision sees the ones before. It shares the state's trials and slots
// up to its first event, and each trial that no event changed for good.
type draft struct {
	*State
	now    time.Time
	events []Event
}

func (s *State) draft(now time.Time) *draft {
	c := *s
	c.borrowedTrials, c.borrowedSlots = true, true
	return &draft{State: &c, now: clean(now)}
}

// ownTrials copies the trials that a draft shares with its state, before a change.
func (s *State) ownTrials() {
	if s.borrowedTrials {
		s.trials, s.borrowedTrials = slices.Clone(s.trials), false
	}
}

// ownSlots does the same for slots.
func (s *State) ownSlots() {
	if s.borrowedSlots {
		s.slots, s.borrowedSlots = maps.Clone(s.slots), false
	}
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

// index returns the stage's place in the order of stages.
func index(stage protocol.Stage) (int, error) {
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
	if n < 0 || n >= len(s.trials) {
		return nil, notFound("trial %d does not exist: the study has %d trials, counted from 0", n, len(s.trials))
	}
	return s.trials[n], nil
}

// of returns the stage's trials in order of their numbers, which are contiguous because
// a stage opens after the one before was closed.
func (s *State) of(stage int) []*Trial {
	if s.stages[stage].Opened.IsZero() {
		return nil
	}
	end := len(s.trials)
	if stage+1 < len(stages) && !s.stages[stage+1].Opened.IsZero() {
		end = s.stages[stage+1].First
	}
	return s.trials[s.stages[stage].First:end]
}

// planOf returns the plan of a trial's stage.
func (s *State) planOf(t *Trial) plan {
	return s.plans[slices.Index(stages[:], t.Stage)]
}

// results returns what the stage's trials reported at a rung.
func (s *State) results(stage, rung int) []asha.Result {
	trials, p := s.of(stage), s.plans[stage]
	results := make([]asha.Result, 0, len(trials))
	values := make([]float64, 0, len(trials)*len(p.dirs))
	for _, t := range trials {
		if len(t.Reports) > rung {
			values = t.Reports[rung].Value.appendTo(values, p)
			results = append(results, asha.Result{Trial: t.Number, Values: values[len(values)-len(p.dirs):], Promoted: t.Rung > rung})
		}
	}
	return results
}

// promotable returns the trials to promote from a rung of the stage, best first.
func (s *State) promotable(stage, rung int) []int {
	p := s.plans[stage]
	if rung >= p.last() {
		return nil
	}
	return asha.Promotable(s.results(stage, rung), p.factor, p.dirs)
}
