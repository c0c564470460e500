package asha

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestEpsilonNet(t *testing.T) {
	for _, c := range []struct {
		name  string
		front []entry
		want  []int
	}{
		{"none", nil, nil},
		{"one", []entry{{first: 1, second: 2}}, []int{0}},
		{"the ends first", []entry{{first: 0, second: 4}, {first: 1, second: 3}, {first: 4, second: 0}}, []int{0, 2, 1}},
		// Both ranges count as 1: the second lies (0.1, 0.1) and (0.9, 0.9) from the ends, the
		// third (0.4, 0.4) and (0.6, 0.6), the fourth (0.7, 0.7) and (0.3, 0.3). After the third,
		// (0.3, 0.3) is left to each side of the fourth and (0.1, 0.1) to the second's near side.
		{"the middle next", []entry{{first: 0, second: 100}, {first: 1, second: 90}, {first: 4, second: 60}, {first: 7, second: 30}, {first: 10, second: 0}},
			[]int{0, 4, 2, 3, 1}},
		{"equal ones last", []entry{{first: 0, second: 1, trial: 1}, {first: 0, second: 1, trial: 2}, {first: 0, second: 1, trial: 3}, {first: 0.5, second: 0.5}, {first: 1, second: 0}},
			[]int{0, 4, 3, 1, 2}},
		{"all equal", []entry{{trial: 1}, {trial: 2}, {trial: 3}, {trial: 4}}, []int{0, 3, 1, 2}},
	} {
		if got := epsilonNet(c.front); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

// Of those left, the next is one whose nearest among those before is farthest.
func TestEpsilonNetByDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(2, 30).Draw(t, "members")
		front := make([]entry, n)
		x, y := 0.0, 0.0
		for i := range front {
			if rapid.IntRange(0, 3).Draw(t, "equal") > 0 {
				x += rapid.Float64Range(0.001, 9).Draw(t, "x")
				y -= rapid.Float64Range(0.001, 9).Draw(t, "y")
			}
			front[i] = entry{first: x, second: y, trial: i}
		}
		width, height := front[n-1].first-front[0].first, front[0].second-front[n-1].second
		distance := func(i, j int) float64 {
			if width == 0 {
				return 0
			}
			return math.Hypot((front[i].first-front[j].first)/width, (front[i].second-front[j].second)/height)
		}
		order := epsilonNet(front)
		if sorted := slices.Sorted(slices.Values(order)); !slices.Equal(sorted, indexes(n)) || order[0] != 0 {
			t.Fatalf("the order is %v", order)
		}
		for k := 1; k < n; k++ {
			nearest := func(i int) float64 {
				d := math.Inf(1)
				for _, j := range order[:k] {
					d = min(d, distance(i, j))
				}
				return d
			}
			for _, i := range order[k+1:] {
				if nearest(i) > nearest(order[k])+1e-9 {
					t.Fatalf("member %d comes before %d, which is farther: %v, %v", order[k], i, nearest(order[k]), nearest(i))
				}
			}
		}
	})
}
