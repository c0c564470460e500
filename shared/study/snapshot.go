package study

import (
	"encoding/json"
	"errors"
	"fmt"
)

// SnapshotVersion is the version of the snapshots that this package writes, and the
// newest that it reads.
const SnapshotVersion = 1

// snapshot is the JSON form of a [State].
type snapshot struct {
	SchemaVersion int              `json:"schema_version"`
	Settings      json.RawMessage  `json:"settings"`
	Stages        []stageState     `json:"stages"` // A, B, C
	Trials        []*Trial         `json:"trials"`
	Slots         map[string]*slot `json:"slots,omitempty"`
	Chosen        *Choice          `json:"chosen,omitempty"`
}

// Snapshot returns the state as JSON, the same bytes for the same events.
func (s *State) Snapshot() ([]byte, error) {
	if s.slots == nil {
		return nil, errors.New("write snapshot: the study was not created yet")
	}
	data, err := writeKeeping(snapshot{SchemaVersion: SnapshotVersion, Settings: s.given, Stages: s.stages[:],
		Trials: s.trials, Slots: s.slots, Chosen: s.chosen}, s.unknown)
	if err != nil {
		return nil, fmt.Errorf("write snapshot: %w", err)
	}
	return data, nil
}

// Restore reads a snapshot. Fields that it does not know are kept and written again by
// [State.Snapshot]. The error is [ErrNewerSchema] for a newer version.
func Restore(data []byte) (*State, error) {
	s, err := restore(data)
	if err != nil {
		return nil, fmt.Errorf("read snapshot: %w", err)
	}
	return s, nil
}

func restore(data []byte) (*State, error) {
	var version struct {
		SchemaVersion int `json:"schema_version"`
	}
	if err := json.Unmarshal(data, &version); err != nil {
		return nil, err
	}
	switch v := version.SchemaVersion; {
	case v > SnapshotVersion:
		return nil, fmt.Errorf("schema version %d, this is %d: %w", v, SnapshotVersion, ErrNewerSchema)
	case v < 1:
		return nil, fmt.Errorf("schema version %d is not allowed; allowed: 1 to %d", v, SnapshotVersion)
	}
	var snap snapshot
	unknown, err := readKeeping(data, &snap)
	if err != nil {
		return nil, err
	}
	s := new(State)
	if err := s.configure(snap.Settings); err != nil {
		return nil, err
	}
	if len(snap.Stages) != len(s.stages) {
		return nil, fmt.Errorf("it has %d stages, not %d", len(snap.Stages), len(s.stages))
	}
	copy(s.stages[:], snap.Stages)
	s.trials, s.chosen, s.unknown = snap.Trials, snap.Chosen, unknown
	if snap.Slots != nil {
		s.slots = snap.Slots
	}
	return s, s.consistent()
}

// consistent checks what the commands rely on, so that a damaged snapshot is an error and
// not a crash later.
func (s *State) consistent() error {
	for i, st := range s.stages {
		switch {
		case st.Opened.IsZero() && !st.Closed.IsZero(),
			i > 0 && !st.Opened.IsZero() && s.stages[i-1].Closed.IsZero():
			return fmt.Errorf("stage %s was not opened in its turn", stages[i])
		case !st.Opened.IsZero() && (st.First < 0 || st.First > len(s.trials) || i > 0 && st.First < s.stages[i-1].First):
			return fmt.Errorf("stage %s begins at trial %d of %d", stages[i], st.First, len(s.trials))
		}
		for _, n := range st.Handed {
			if _, err := s.trial(n); err != nil {
				return err
			}
		}
	}
	inStages := 0
	for i := range stages {
		for _, t := range s.of(i) {
			if t == nil || t.Stage != stages[i] {
				return fmt.Errorf("a trial of stage %s is missing or of another stage", stages[i])
			}
			inStages++
		}
	}
	if inStages != len(s.trials) {
		return fmt.Errorf("%d of %d trials are in no stage", len(s.trials)-inStages, len(s.trials))
	}
	for n, t := range s.trials {
		if err := s.consistentTrial(n, t); err != nil {
			return fmt.Errorf("trial %d: %w", n, err)
		}
	}
	for name, sl := range s.slots {
		if sl == nil || sl.Trial < 0 || sl.Trial > 0 && sl.Trial >= len(s.trials) {
			return fmt.Errorf("slot %s is damaged", name)
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
	case t.Rung < 0 || t.Rung > p.last():
		return fmt.Errorf("rung %d does not exist", t.Rung)
	case (t.State == Running) != (t.Lease != nil):
		return fmt.Errorf("it is %s, its lease is %v", t.State, t.Lease)
	case (t.State == Failed) != (t.Failure != nil):
		return fmt.Errorf("it is %s, its failure is %v", t.State, t.Failure)
	case t.Attempt < -1 || t.Attempt < 0 && t.State != Queued:
		return fmt.Errorf("it is %s in attempt %d", t.State, t.Attempt)
	case len(t.Params) == 0:
		return errors.New("it has no parameters")
	case t.From != nil && (*t.From < 0 || *t.From >= n), t.Stage == stages[2] && (t.From == nil || t.Fold == nil):
		return errors.New("where it comes from is damaged")
	case reported > 0 && !sameSeeds(t.Seeds, p.seeds):
		return fmt.Errorf("its seeds are %v, not %v", t.Seeds, p.seeds)
	}
	for rung, r := range t.Reports {
		if r.Rung != rung || r.Trial != n {
			return fmt.Errorf("report %d is of trial %d, rung %d", rung, r.Trial, r.Rung)
		}
	}
	return nil
}
