package study

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// indexText spells out what an index holds.
func indexText(x index) string {
	return fmt.Sprintln(x.counts, x.reports, x.spent, slices.Collect(x.retried.All()), slices.Collect(x.fresh.All()), slices.Collect(x.leases.All()), x.results)
}

// indexDiff compares the indexes that events made step by step with those of the trials as
// they are.
func indexDiff(s *State) string {
	diff := ""
	for i, p := range s.plans {
		diff += cmp.Diff(indexText(newIndex(p, slices.Collect(s.of(i)))), indexText(s.indexes[i]))
	}
	live := 0
	for _, sl := range s.slots.all() {
		live += sl.live()
	}
	return diff + cmp.Diff(live, s.slots.live)
}

func TestIndexAfterAWholeStage(t *testing.T) {
	settings := testSettings()
	settings.A.Trials = 40
	m := newSimulation(t, settings)
	m.run("A")
	if diff := indexDiff(m.state); diff != "" {
		t.Error(diff)
	}
}
