package simulate

import (
	"maps"
	"slices"
	"time"

	"github.com/supermax-hpo/supermax/shared/protocol"
)

// Progress is how far a simulation is.
type Progress struct {
	Stage protocol.Stage
	protocol.Counts
	Now time.Duration // virtual, since the study began
}

// observe tells who wants to know.
func (w *world) observe() {
	if w.options.Observe != nil {
		w.options.Observe(Progress{Stage: w.stage, Counts: w.state.Counts(w.stage), Now: w.now})
	}
}

// summary settles the stage that has ended.
func (w *world) summary() Stage {
	price := w.options.Settings.PricePerHour
	s := Stage{Stage: w.stage, Tally: w.tally, Bill: w.bill}
	s.Bill.settle(price)
	c := w.state.Counts(w.stage)
	s.Completed, s.Paused, s.Failed = c.Completed, c.Paused, c.Failed
	s.Trials = c.Completed + c.Paused + c.Failed + c.Queued
	for _, epoch := range w.rungs {
		s.Rungs = append(s.Rungs, Rung{Epoch: epoch, Trials: w.reached[epoch]})
	}
	first, seconds := true, 0.0
	for _, n := range slices.Sorted(maps.Keys(w.trials)) {
		t := w.trials[n]
		if t.value == nil || t.failed {
			continue
		}
		if v := *t.value; first || v.F1Macro > s.Best.F1Macro {
			s.Best = v
		}
		if first || t.value.ECE < s.LowestECE {
			s.LowestECE = t.value.ECE
		}
		full, takes := t.inFull(w.rungs[len(w.rungs)-1], w.patience)
		s.InFull.F1Macro = max(s.InFull.F1Macro, full.F1Macro)
		seconds += loadSeconds + takes
		first = false
	}
	if w.normal > 0 {
		// Slow slots and lost work cost a study without a scheduler the same share.
		s.InFull.SlotHours = seconds / w.normal * (s.Work + s.Lost)
		s.InFull.Dollars = price * s.InFull.SlotHours
	}
	return s
}
