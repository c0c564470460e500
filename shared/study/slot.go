package study

import (
	"bytes"
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"time"

	"github.com/supermax-hpo/supermax/shared/internal/persistent"
)

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

// slots are slots by name. Like the trials they are never changed, only replaced.
type slots struct {
	byName persistent.Set[namedSlot]
	live   int // those that had work and are not gone
}

type namedSlot struct {
	name string
	*slot
}

func newSlots(byName map[string]*slot) slots {
	sorted := make([]namedSlot, 0, len(byName))
	s := slots{}
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		sorted = append(sorted, namedSlot{name, byName[name]})
		s.live += byName[name].live()
	}
	s.byName = persistent.NewSet(func(a, b namedSlot) int { return cmp.Compare(a.name, b.name) }, sorted...)
	return s
}

// slotsByName reads the slots of a snapshot all at once, as there may be hundreds.
type slotsByName map[string]*slot

// UnmarshalJSON implements [json.Unmarshaler].
func (s *slotsByName) UnmarshalJSON(data []byte) error {
	type plain slot // has not the method that reads one slot
	var plains map[string]*plain
	strict := json.NewDecoder(bytes.NewReader(data))
	strict.DisallowUnknownFields()
	if strict.Decode(&plains) != nil { // a newer version's members are kept one slot at a time
		return json.Unmarshal(data, (*map[string]*slot)(s))
	}
	*s = make(slotsByName, len(plains))
	for name, sl := range plains {
		(*s)[name] = (*slot)(sl)
	}
	return nil
}

// live returns 1 for a slot that had work and is not gone, else 0.
func (sl *slot) live() int {
	if sl == nil || !sl.worked() || sl.Released {
		return 0
	}
	return 1
}

// get returns the slot of that name, or nil.
func (s slots) get(name string) *slot {
	found, _ := s.byName.Get(namedSlot{name: name})
	return found.slot
}

// with returns the slots with one new or in the place of what it was.
func (s slots) with(name string, sl *slot) slots {
	return slots{byName: s.byName.With(namedSlot{name, sl}), live: s.live + sl.live() - s.get(name).live()}
}

// all returns the slots as a map.
func (s slots) all() map[string]*slot {
	byName := make(map[string]*slot, s.byName.Len())
	for sl := range s.byName.All() {
		byName[sl.name] = sl.slot
	}
	return byName
}
