package study

import (
	"encoding/json"
	"fmt"
)

// Load returns the state that a log leads to: that of the snapshot, or s where there is none
// (nil: of a study not created yet), with the events after it folded in, the last of which has
// the number last. Empty events tell nothing. After an error s is of no use.
func Load(s *State, snapshot []byte, events [][]byte, last int64) (*State, error) {
	read := make(chan error, 1)
	decoded := make([]Event, len(events))
	number := func(i int) int64 { return last - int64(len(events)-1-i) }
	decode := func() error {
		for i, data := range events {
			if len(data) == 0 {
				continue
			}
			if err := json.Unmarshal(data, &decoded[i]); err != nil {
				return fmt.Errorf("read event %d: %w", number(i), err)
			}
		}
		return nil
	}
	if snapshot == nil {
		read <- decode()
	} else {
		go func() { read <- decode() }() // fifty take a quarter of the time of a snapshot
		var err error
		if s, err = Restore(snapshot); err != nil {
			return nil, err
		}
	}
	if s == nil {
		s = new(State)
	}
	if err := <-read; err != nil {
		return nil, err
	}
	for i, e := range decoded {
		if len(events[i]) == 0 {
			continue
		}
		if err := s.Apply(e); err != nil {
			return nil, fmt.Errorf("event %d: %w", number(i), err)
		}
	}
	return s, nil
}
