package sampler

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func drawPoints(t *rapid.T) ([][]float64, []Direction) {
	dirs := rapid.SliceOfN(rapid.SampledFrom([]Direction{Maximize, Minimize}), 1, 4).Draw(t, "directions")
	// Few distinct values: ties and duplicates are what goes wrong.
	value := rapid.Custom(func(t *rapid.T) float64 { return float64(rapid.IntRange(0, 6).Draw(t, "v")) })
	row := rapid.SliceOfN(value, len(dirs), len(dirs))
	return rapid.SliceOfN(row, 0, 40).Draw(t, "points"), dirs
}

func TestRanksByDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values, dirs := drawPoints(t)
		losses := asLosses(values, dirs)
		ranks := NonDominatedRanks(values, dirs)
		for i := range values {
			// A point's rank is one more than the highest of those that dominate it.
			want := 0
			for j := range values {
				if dominates(losses[j], losses[i]) {
					want = max(want, ranks[j]+1)
				}
			}
			if ranks[i] != want {
				t.Fatalf("point %d %v has rank %d, want %d", i, values[i], ranks[i], want)
			}
		}
	})
}

func TestHypervolumeByCounting(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values, dirs := drawPoints(t)
		// With whole values and the reference on the grid, the volume is the number of unit
		// cells that some point covers.
		ref := make([]float64, len(dirs))
		for k, d := range dirs {
			if d == Minimize {
				ref[k] = 7
			}
		}
		losses, limit := asLosses(values, dirs), asLosses([][]float64{ref}, dirs)[0]
		cells, want := 1, 0
		for range dirs {
			cells *= 7
		}
		for c := range cells {
			corner, rest := make([]float64, len(dirs)), c
			for k := range corner {
				corner[k] = limit[k] - 7 + float64(rest%7) // the cell's lower corner
				rest /= 7
			}
			if slices.ContainsFunc(losses, func(l []float64) bool {
				for k := range l {
					if l[k] > corner[k] {
						return false
					}
				}
				return true
			}) {
				want++
			}
		}
		if got := Hypervolume(values, dirs, ref); math.Abs(got-float64(want)) > 1e-9 {
			t.Fatalf("hypervolume of %v is %v, want %d", values, got, want)
		}
	})
}

func TestBestFirst(t *testing.T) {
	nan := math.NaN()
	for _, c := range []struct {
		name   string
		values [][]float64
		dirs   []Direction
		want   []int
	}{
		{"none", nil, []Direction{Maximize}, []int{}},
		{"one objective", [][]float64{{1}, {3}, {2}, {3}}, []Direction{Maximize}, []int{1, 3, 2, 0}},
		{"minimised", [][]float64{{1}, {3}, {2}}, []Direction{Minimize}, []int{0, 2, 1}},
		{"NaN is last", [][]float64{{nan}, {3}, {4}}, []Direction{Minimize}, []int{1, 2, 0}},
		// One front: 0 and 3 are its ends; of the rest, 2 has the wider gap around it.
		{"crowding", [][]float64{{0, 10}, {1, 9}, {3, 7}, {10, 0}}, []Direction{Minimize, Minimize}, []int{0, 3, 2, 1}},
		{"rank before crowding", [][]float64{{5, 5}, {1, 1}}, []Direction{Minimize, Minimize}, []int{1, 0}},
		{"NaN of several", [][]float64{{nan, 1}, {1, 1}}, []Direction{Minimize, Minimize}, []int{1, 0}},
	} {
		if got := BestFirst(c.values, c.dirs); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

func TestCrowdingOfNone(t *testing.T) {
	if got := Crowding(nil); len(got) != 0 {
		t.Errorf("crowding of no point is %v", got)
	}
}
