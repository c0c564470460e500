package progress

import (
	"testing"
	"time"

	"github.com/supermax-hpo/supermax/cmd/supermax/internal/trainertest"
)

// The pace is that of what was trained since the stage was opened: here all of it, in a
// minute.
func TestTracker(t *testing.T) {
	world := trainertest.NewWorld(t, nil)
	now := time.Date(2025, 5, 1, 12, 0, 0, 0, time.UTC)
	tracker := Tracker{PricePerHour: 2}
	world.Open("A")
	tracker.Open("A", now)
	if s := tracker.Of(world.Now(), now); tracker.Stage() != "A" || s.Rate != 0 || s.ToGo != 0 || s.Elapsed != 0 {
		t.Errorf("at first: %+v", s)
	}
	world.Train("A", trainertest.Working)
	s := tracker.Of(world.Now(), now.Add(time.Minute))
	if s.Rate != float64(s.Reports()) || s.Elapsed != time.Minute || s.ToGo < 0 || s.ToGo > time.Minute || s.Cost == 0 {
		t.Errorf("after a minute: %+v", s)
	}
	// Opened again, as in a new life of the run: what was done before has no pace.
	tracker.Open("A", now.Add(time.Minute))
	if s := tracker.Of(world.Now(), now.Add(2*time.Minute)); s.Rate != 0 || s.ToGo != 0 {
		t.Errorf("again: %+v", s)
	}
}
