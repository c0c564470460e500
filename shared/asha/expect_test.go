package asha

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestExpected(t *testing.T) {
	for _, c := range []struct {
		name   string
		o      Options
		trials int
		want   []Pass
	}{
		{"stage A", Options{Kind: KindASHA, First: 2, Last: 20, Factor: 3}, 100,
			[]Pass{{0, 2, 100, 100}, {2, 6, 33, 100}, {6, 18, 11, 100}, {18, 20, 3, 100}}},
		// Of 170 trials the shares 9, 5 and 3 of 17 are 90, 50 and 30.
		{"hyperband", Options{Kind: KindHyperband, First: 1, Last: 20, Factor: 3}, 170,
			[]Pass{{0, 1, 90, 90}, {1, 3, 30, 90}, {3, 9, 10, 90}, {9, 20, 3, 90}, {0, 3, 50, 50}, {3, 9, 16, 50}, {9, 20, 5, 50}, {0, 9, 30, 30}, {9, 20, 10, 30}}},
		{"median", Options{Kind: KindMedian, Last: 3}, 11, []Pass{{0, 1, 11, 11}, {1, 2, 5, 11}, {2, 3, 5, 11}}},
		{"percentile", Options{Kind: KindPercentile, Last: 3, WarmupEpochs: 2, Percentile: 25}, 8, []Pass{{0, 2, 8, 8}, {2, 3, 2, 8}}},
		{"in full", Options{Kind: KindNone, Last: 3}, 8, []Pass{{0, 3, 8, 8}}},
		{"none", Options{Kind: KindNone, Last: 3}, 0, []Pass{{0, 3, 0, 0}}},
	} {
		c.o.Directions = one
		if diff := cmp.Diff(c.want, mustScheduler(t, c.o).Expected(c.trials)); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
	}
}
