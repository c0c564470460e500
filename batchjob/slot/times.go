package slot

import (
	"log/slog"
	"time"
)

// Times is how a slot spent the time from the end of the rung before, or from its start, to
// the end of a rung.
type Times struct {
	After  bool          // another rung was told before, so Idle was measured
	Idle   time.Duration // from that tell to the first step, without Waited: what the slot itself needed
	Waited time.Duration // as the study said, since it had no work
	Busy   time.Duration // from the first step to the rung's end
	Whole  time.Duration // all of the time
}

// BusyPercent is the share of the time in which the slot computed, 0 to 100.
func (t Times) BusyPercent() float64 {
	if t.Whole <= 0 {
		return 0
	}
	return 100 * float64(t.Busy) / float64(t.Whole)
}

// stopwatch is what a slot remembers to measure [Times].
type stopwatch struct {
	since  time.Time     // the end of the rung before, or the slot's start
	waited time.Duration // since then

	told       time.Time     // when the last report was sent; zero before the first
	waitedTold time.Duration // since then
}

// wait adds what the slot waited since began.
func (w *stopwatch) wait(began time.Time) {
	d := time.Since(began)
	w.waited += d
	w.waitedTold += d
}

// tell notes that a report is being sent.
func (w *stopwatch) tell() { w.told, w.waitedTold = time.Now(), 0 }

// observe measures the rung that has just ended and whose first step was taken at began.
func (s *Slot) observe(log *slog.Logger, began time.Time) {
	if began.IsZero() { // nothing was left to compute
		return
	}
	now := time.Now()
	w := s.times
	t := Times{After: !w.told.IsZero(), Waited: w.waited, Busy: now.Sub(began), Whole: now.Sub(w.since)}
	attrs := []any{"busy_percent", t.BusyPercent(), "waited_seconds", t.Waited.Seconds()}
	if t.After {
		t.Idle = began.Sub(w.told) - w.waitedTold
		attrs = append(attrs, "idle_seconds", t.Idle.Seconds())
	}
	log.Info("rung ended", attrs...)
	if s.Observe != nil {
		s.Observe(t)
	}
	s.times = stopwatch{since: now}
}
