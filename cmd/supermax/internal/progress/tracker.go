package progress

import (
	"time"

	"github.com/supermax-hpo/supermax/shared/protocol"
	"github.com/supermax-hpo/supermax/shared/study"
)

// A Tracker follows one study and says how long the rest of its stage takes. Not for
// concurrent use.
type Tracker struct {
	PricePerHour float64 // of a slot; 0: not known

	stage protocol.Stage
	began time.Time
	start struct { // what the stage had when it was opened in this run
		known   bool
		reports int
		epochs  float64
	}
}

// Open notes that the stage's slots are about to start, or that it is looked at from now on.
func (t *Tracker) Open(stage protocol.Stage, now time.Time) {
	t.stage, t.began, t.start.known = stage, now, false
}

// Stage returns the stage that was opened last, or "".
func (t *Tracker) Stage() protocol.Stage { return t.stage }

// Of returns how far the open stage is.
func (t *Tracker) Of(state *study.State, now time.Time) Status {
	s := Of(state, t.stage, t.PricePerHour)
	t.estimate(&s, now)
	return s
}

// estimate says how long the rest of the stage takes, from the epochs that were trained
// since it was opened in this run: a report of a higher rung stands for more of them.
func (t *Tracker) estimate(s *Status, now time.Time) {
	s.Elapsed = now.Sub(t.began)
	if !t.start.known {
		t.start.known, t.start.reports, t.start.epochs = true, s.Reports(), s.done
	}
	reports, epochs := s.Reports()-t.start.reports, s.done-t.start.epochs
	if reports <= 0 || epochs <= 0 || s.Elapsed <= 0 {
		return
	}
	s.Rate = float64(reports) / s.Elapsed.Minutes()
	s.ToGo = time.Duration(float64(s.Elapsed) * (s.total - s.done) / epochs)
}
