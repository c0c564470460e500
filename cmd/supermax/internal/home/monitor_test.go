package home

import (
	"testing"
	"time"

	"github.com/supermax-hpo/supermax/cmd/supermax/internal/progress"
	"github.com/supermax-hpo/supermax/cmd/supermax/internal/trainertest"
)

// The estimate counts what was trained since the stage was opened in this run.
func TestMonitor(t *testing.T) {
	world := trainertest.NewWorld(t, nil)
	var all shown
	m := newMonitor(world.Service, world.Study, all.show)
	now := day
	m.clock = func() time.Time { return now }
	m.look(t.Context(), func(*progress.Status) {}) // no stage yet
	if len(all.list) != 0 {
		t.Errorf("shown %+v", all.list)
	}
	world.Open("A")
	m.opened(t.Context(), "A")
	m.look(t.Context(), func(*progress.Status) {})
	now = now.Add(time.Minute)
	world.Train("A", trainertest.Working)
	m.look(t.Context(), func(*progress.Status) {})
	m.look(t.Context(), func(p *progress.Status) { p.Left = true })
	if len(all.list) != 4 {
		t.Fatalf("shown %d times", len(all.list))
	}
	if p := all.list[1]; p.Rate != 0 || p.ToGo != 0 {
		t.Errorf("nothing done: %+v", p)
	}
	if p := all.list[2]; p.Rate != float64(p.Reports()) || p.ToGo < 0 || p.ToGo > time.Minute || p.Elapsed != time.Minute {
		t.Errorf("after a minute: %+v", p)
	}
	// Opened again: a new life of the run.
	m.opened(t.Context(), "A")
	if p := all.list[5]; p.Rate != 0 || !p.Opened || !all.list[4].Left {
		t.Errorf("again: %+v", p)
	}
	world.Study.Name = "none" // cannot be read now
	m.look(t.Context(), func(*progress.Status) {})
	if len(all.list) != 6 {
		t.Error("shown without a state")
	}
	world.Study.Name = "small"
	stop := m.every(t.Context(), time.Millisecond)
	for began := time.Now(); time.Since(began) < 10*time.Second; time.Sleep(time.Millisecond) {
		all.mu.Lock()
		n := len(all.list)
		all.mu.Unlock()
		if n > 8 {
			break
		}
	}
	stop()
	if last := all.list[len(all.list)-1]; len(all.list) < 9 || !last.Left {
		t.Errorf("shown %d times, the last %+v", len(all.list), last)
	}
	quiet := newMonitor(world.Service, world.Study, nil)
	quiet.opened(t.Context(), "A")
	quiet.every(t.Context(), time.Millisecond)()
}
