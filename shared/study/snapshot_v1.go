package study

import (
	"encoding/json"
	"fmt"

	"github.com/supermax-hpo/supermax/shared/internal/persistent"
)

// snapshotV1 is a snapshot before version 2: one JSON object with a trial's members as they
// are in [Trial].
type snapshotV1 struct {
	Settings json.RawMessage  `json:"settings"`
	Stages   []stageState     `json:"stages"`
	Trials   []*Trial         `json:"trials"`
	Slots    map[string]*slot `json:"slots"`
	Chosen   *Choice          `json:"chosen"`
}

func (s *State) readVersion1(data []byte) error {
	var snap snapshotV1
	if err := json.Unmarshal(data, &snap); err != nil {
		return err
	}
	for _, sl := range snap.Slots {
		if sl != nil { // asks that waited were remembered
			delete(sl.unknown, "kind")
			delete(sl.unknown, "retry_seconds")
		}
	}
	if err := s.begin(snap.Settings, snap.Stages, snap.Slots); err != nil {
		return err
	}
	s.chosen, s.trials = snap.Chosen, persistent.Collect(snap.Trials)
	for n, t := range snap.Trials {
		if t == nil {
			return fmt.Errorf("trial %d is missing", n)
		}
		var err error
		if t.point, err = s.settings.Space.Point(t.Params); err != nil {
			return fmt.Errorf("trial %d: %w", n, err)
		}
		t.Params = nil
		s.costSeconds += t.CostSeconds()
	}
	return nil
}
