package study

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// SnapshotVersion is the version of the snapshots that this package writes, and the
// newest that it reads.
//
// 2 brought columns, 3 settings that a former version would not follow, as [EventVersion], 4
// packs columns without base64.
const SnapshotVersion = 4

// snapshot is the first line of a snapshot, in JSON. What every trial has follows it as
// [columns].
type snapshot struct {
	SchemaVersion int             `json:"schema_version"`
	Settings      json.RawMessage `json:"settings"`
	Stages        []stageState    `json:"stages"` // A, B, C
	Details       []*detail       `json:"details,omitempty"`
	Slots         slotsByName     `json:"slots,omitempty"`
	Chosen        *Choice         `json:"chosen,omitempty"`
	CostSeconds   float64         `json:"cost_seconds"`
	BudgetDollars *float64        `json:"budget_dollars,omitempty"`
	Stopped       string          `json:"stopped,omitempty"`
	Columns       int             `json:"columns"` // so many follow
}

// Snapshot returns the state, the same bytes for the same events. They
// hold times to the millisecond, as events do since version 2.
func (s *State) Snapshot() ([]byte, error) {
	if !s.created() {
		return nil, errors.New("write snapshot: the study was not created yet")
	}
	c := s.trialColumns()
	data, err := writeKeeping(snapshot{SchemaVersion: SnapshotVersion, Settings: s.given, Stages: s.stages[:],
		Details: details(s.trials), Slots: s.slots.all(), Chosen: s.chosen,
		CostSeconds: s.costSeconds, BudgetDollars: s.budget, Stopped: s.stopped, Columns: len(c)}, s.unknown)
	if err != nil {
		return nil, fmt.Errorf("write snapshot: %w", err)
	}
	return c.appendTo(data), nil
}

// Restore reads a snapshot of this or a former version. Members of its JSON objects that it
// does not know are kept and written again by [State.Snapshot]. The error is
// [ErrNewerSchema] for a newer version.
func Restore(data []byte) (*State, error) {
	s, err := restore(data)
	if err != nil {
		return nil, fmt.Errorf("read snapshot: %w", err)
	}
	return s, nil
}

func restore(data []byte) (*State, error) {
	head, columns, _ := bytes.Cut(data, []byte("\n"))
	var version struct {
		SchemaVersion int `json:"schema_version"`
	}
	if err := json.Unmarshal(head, &version); err != nil {
		return nil, err
	}
	s := new(State)
	var err error
	switch v := version.SchemaVersion; {
	case v > SnapshotVersion:
		return nil, fmt.Errorf("schema version %d, this is %d: %w", v, SnapshotVersion, ErrNewerSchema)
	case v < 1:
		return nil, fmt.Errorf("schema version %d is not allowed; allowed: 1 to %d", v, SnapshotVersion)
	case v == 1:
		err = s.readVersion1(data)
	default:
		err = s.read(head, columns)
	}
	if err != nil {
		return nil, err
	}
	if err := s.consistent(); err != nil {
		return nil, err
	}
	for i, p := range s.plans {
		s.indexes[i] = newIndex(p, slices.Collect(s.of(i)))
	}
	return s, nil
}

func (s *State) read(head, columns []byte) error {
	var snap snapshot
	unknown, err := readKeeping(head, &snap)
	if err != nil {
		return err
	}
	c, err := splitColumns(columns, snap.Columns)
	if err != nil {
		return err
	}
	if err := s.begin(snap.Settings, snap.Stages, snap.Slots); err != nil {
		return err
	}
	s.chosen, s.costSeconds, s.budget, s.stopped, s.unknown = snap.Chosen, snap.CostSeconds, snap.BudgetDollars, snap.Stopped, unknown
	if err := s.readTrials(c); err != nil {
		return err
	}
	return s.readDetails(snap.Details)
}

// begin sets what a snapshot holds beside its trials.
func (s *State) begin(settings json.RawMessage, stages []stageState, slots map[string]*slot) error {
	if err := s.configure(settings); err != nil {
		return err
	}
	if len(stages) != len(s.stages) {
		return fmt.Errorf("it has %d stages, not %d", len(stages), len(s.stages))
	}
	copy(s.stages[:], stages)
	s.slots = newSlots(slots)
	return nil
}
