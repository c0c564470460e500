package asha

import (
	"math"
	"slices"
	"strings"
	"testing"
)

func TestNew(t *testing.T) {
	for _, c := range []struct {
		first, last, factor int
		want                Rungs
		err                 string
	}{
		{2, 20, 3, Rungs{2, 6, 18, 20}, ""}, // stage A
		{3, 30, 3, Rungs{3, 9, 27, 30}, ""}, // stage B
		{1, 9, 3, Rungs{1, 3, 9}, ""},
		{5, 5, 3, Rungs{5}, ""},
		{1, 2, 4, Rungs{1, 2}, ""},
		{1, math.MaxInt, 1 << 40, Rungs{1, 1 << 40, math.MaxInt}, ""},
		{0, 5, 3, nil, "first ends after 0 epochs"},
		{6, 5, 3, nil, "before the first"},
		{1, 5, 1, nil, "factor is 1"},
	} {
		got, err := New(c.first, c.last, c.factor)
		if !slices.Equal(got, c.want) || (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("New(%d, %d, %d) is %v, %v; want %v, %q", c.first, c.last, c.factor, got, err, c.want, c.err)
		}
	}
}

func TestSpan(t *testing.T) {
	for rung, want := range [][2]int{{0, 2}, {2, 6}, {6, 18}, {18, 20}} {
		if from, to := (Rungs{2, 6, 18, 20}).Span(rung); from != want[0] || to != want[1] {
			t.Errorf("rung %d spans %d to %d, want %v", rung, from, to, want)
		}
	}
}
