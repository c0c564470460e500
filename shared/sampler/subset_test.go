package sampler

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestHypervolumeSubset(t *testing.T) {
	minimize := []Direction{Minimize, Minimize}
	// Beyond the worst of (1,9) (2,5) (5,2) (9,1) by a tenth: (9.9, 9.9). Alone they cover
	// 8.9·0.9 = 8.01, 7.9·4.9 = 38.71, 4.9·7.9 = 38.71 and 8.01: (2,5) is first in order.
	// Then (1,9) adds 1·0.9, (5,2) adds 4.9·3 = 14.7 and (9,1) adds 0.9·4 = 3.6.
	line := [][]float64{{9, 1}, {5, 2}, {1, 9}, {2, 5}}
	for _, tt := range []struct {
		name   string
		values [][]float64
		dirs   []Direction
		n      int
		want   []int
	}{
		{"none", line, minimize, 0, nil},
		{"one", line, minimize, 1, []int{3}},
		{"two", line, minimize, 2, []int{1, 3}},
		{"all", line, minimize, 4, []int{0, 1, 2, 3}},
		{"more than there are", line, minimize, 9, []int{0, 1, 2, 3}},
		{"of nothing", nil, minimize, 3, nil},
		{"equal points last", [][]float64{{1, 2}, {1, 2}, {2, 1}, {1, 2}}, minimize, 3, []int{0, 1, 2}},
		{"equal points but one", [][]float64{{1, 2}, {1, 2}, {2, 1}}, minimize, 2, []int{0, 2}},
		{"the last two turned", [][]float64{{-9, 1}, {-5, 2}, {-1, 9}, {-2, 5}}, []Direction{Maximize, Minimize}, 2, []int{1, 3}},
		// A worst loss of 0 still leaves a strip: (−1, 0) covers 1e-12, (0, −1) as much.
		{"worst at zero", [][]float64{{0, -1}, {-1, 0}}, minimize, 1, []int{1}},
	} {
		if d := cmp.Diff(tt.want, HypervolumeSubset(tt.values, tt.dirs, tt.n)); d != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, d)
		}
	}
}

// Each greedy choice adds the most, worked out from the whole hypervolumes, and the subset
// of any order of the points is the same set of values.
func TestHypervolumeSubsetIsGreedy(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		dirs := slices.Repeat([]Direction{Minimize}, rapid.IntRange(2, 4).Draw(t, "objectives"))
		row := rapid.SliceOfN(rapid.Map(rapid.IntRange(0, 12), func(i int) float64 { return float64(i) }), len(dirs), len(dirs))
		all := rapid.SliceOfN(row, 2, 14).Draw(t, "values")
		var front [][]float64
		for i, rank := range NonDominatedRanks(all, dirs) {
			if rank == 0 && !slices.ContainsFunc(front, func(f []float64) bool { return slices.Equal(f, all[i]) }) {
				front = append(front, all[i])
			}
		}
		if len(front) < 2 {
			return
		}
		ref := beyondWorst(front)
		cover := func(chosen []int) float64 {
			var rows [][]float64
			for _, i := range chosen {
				rows = append(rows, front[i])
			}
			return Hypervolume(rows, dirs, ref)
		}
		var before []int
		for n := 1; n < len(front); n++ {
			now := HypervolumeSubset(front, dirs, n)
			if len(now) != n {
				t.Fatalf("%d chosen of %d, want %d", len(now), len(front), n)
			}
			for _, i := range before {
				if !slices.Contains(now, i) {
					t.Fatalf("%v was chosen of %d, not of %d", front[i], n-1, n)
				}
			}
			got := cover(now)
			for i := range front {
				if other := cover(append(slices.Clone(before), i)); other > got*(1+1e-9) {
					t.Fatalf("%v covers %v, with %v instead it were %v", now, got, front[i], other)
				}
			}
			before = now
		}
		reversed := slices.Clone(front)
		slices.Reverse(reversed)
		n := len(front) / 2
		a, b := HypervolumeSubset(front, dirs, n), HypervolumeSubset(reversed, dirs, n)
		for k := range b {
			b[k] = len(front) - 1 - b[k]
		}
		slices.Sort(b)
		if !slices.Equal(a, b) {
			t.Fatalf("chosen %v, in reverse %v", a, b)
		}
	})
}
