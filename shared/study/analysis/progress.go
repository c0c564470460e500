package analysis

import (
	"cmp"
	"slices"
	"time"

	"github.com/supermax-hpo/supermax/shared/study"
)

// Moment is how far a stage was when a report came.
type Moment struct {
	At        time.Time `json:"at"`
	Reports   int       `json:"reports"`       // that came, this one included
	SlotHours float64   `json:"slot_hours"`    // GPU hours, on a GPU: that attempts which had ended told of
	F1Macro   float64   `json:"best_f1_macro"` // the highest so far of trials that keep the stage's limits
	// F1PerHour is the highest F1-macro per slot hour; 0 while none was told of.
	F1PerHour float64 `json:"f1_macro_per_slot_hour"`
	// Hypervolume is what all reports of such trials so far dominate of the unit square between no
	// F1-macro with an ECE of 1 and the reverse. It never falls: a trial that goes on may
	// lose what it had, but the model that had it was trained.
	Hypervolume float64 `json:"hypervolume"`
}

// progress returns a moment for each report of an attempt, in the order in which they came;
// of those that came at the same time the lower trial's first.
func progress(trials []study.Trial) []Moment {
	type event struct {
		at      time.Time
		seconds float64
		report  *study.Report // nil: an attempt ended without one
		counts  bool
	}
	var events []event
	for _, t := range trials {
		for i := range t.Reports {
			if r := &t.Reports[i]; !r.Carried {
				events = append(events, event{r.At, r.CostSeconds, r, t.Violation == 0})
			}
		}
		for _, e := range t.Ended {
			events = append(events, event{at: e.At, seconds: e.CostSeconds})
		}
	}
	slices.SortStableFunc(events, func(a, b event) int { return a.at.Compare(b.at) })
	moments := []Moment{}
	var now Moment
	var area front
	for _, e := range events {
		now.SlotHours += e.seconds / 3600
		if e.report == nil {
			continue
		}
		now.At = e.at
		now.Reports++
		if e.counts {
			now.F1Macro = max(now.F1Macro, e.report.Value.F1Macro)
			area.add(1-e.report.Value.F1Macro, e.report.Value.ECE)
		}
		if now.F1PerHour = 0; now.SlotHours > 0 {
			now.F1PerHour = now.F1Macro / now.SlotHours
		}
		now.Hypervolume = area.covered
		moments = append(moments, now)
	}
	return moments
}

// A front holds the points of two losses that no other dominates, by rising first and so
// by falling second loss, and the area that they cover up to (1, 1).
type front struct {
	points  [][2]float64
	covered float64
}

// add takes a point in. One outside the unit square's far corner covers nothing.
func (f *front) add(x, y float64) {
	if !(x < 1 && y < 1) {
		return
	}
	at, _ := slices.BinarySearchFunc(f.points, x, func(p [2]float64, x float64) int { return cmp.Compare(p[0], x) })
	left, ceiling := x, 1.0 // what was covered ends above x at the ceiling
	if at > 0 {
		ceiling = f.points[at-1][1]
	}
	if y >= ceiling || at < len(f.points) && f.points[at][0] == x && f.points[at][1] <= y {
		return
	}
	// To the right it ends a step lower at each point, down to the first that y does not
	// reach below; those before it are dominated now.
	end := at
	for {
		right := 1.0
		if end < len(f.points) {
			right = f.points[end][0]
		}
		f.covered += (right - left) * (ceiling - y)
		if end == len(f.points) || f.points[end][1] < y {
			break
		}
		left, ceiling = right, f.points[end][1]
		end++
	}
	f.points = slices.Replace(f.points, at, end, [2]float64{x, y})
}
