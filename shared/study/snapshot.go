package study

import (
	"encoding/json"
	"errors"
	"fmt"
)

// SnapshotVersion is the version of the snapshots that this package writes, and the
// newest that it reads.
const SnapshotVersion = 2

// snapshot is the JSON form of a [State].
type snapshot struct {
	SchemaVersion int              `json:"schema_version"`
	Settings      json.RawMessage  `json:"settings"`
	Stages        []stageState     `json:"stages"` // A, B, C
	Trials        []*Trial         `json:"trials"`
	Slots         map[string]*slot `json:"slots,omitempty"`
	Chosen        *Choice          `json:"chosen,omitempty"`
	CostSeconds   *float64         `json:"cost_seconds,omitempty"` // absent before version 2
	BudgetDollars *float64         `json:"budget_dollars,omitempty"`
	Stopped       string           `json:"stopped,omitempty"`
}

// Snapshot returns the state as JSON, the same bytes for the same events.
func (s *State) Snapshot() ([]byte, error) {
	if s.slots == nil {
		return nil, errors.New("write snapshot: the study was not created yet")
	}
	data, err := writeKeeping(snapshot{SchemaVersion: SnapshotVersion, Settings: s.given, Stages: s.stages[:],
		Trials: s.trials, Slots: s.slots, Chosen: s.chosen,
		CostSeconds: &s.costSeconds, BudgetDollars: s.budget, Stopped: s.stopped}, s.unknown)
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
	s.budget, s.stopped = snap.BudgetDollars, snap.Stopped
	if snap.CostSeconds != nil {
		s.costSeconds = *snap.CostSeconds
	} else {
		for _, t := range s.trials {
			s.costSeconds += t.CostSeconds()
		}
	}
	if snap.Slots != nil {
		s.slots = snap.Slots
	}
	return s, s.consistent()
}
