package sampler

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// drawDimension draws a dimension of every kind, some of them narrow or off zero.
func drawDimension(t *rapid.T) dimension {
	low := rapid.SampledFrom([]float64{-3, 0, 0.001, 1, 1e6}).Draw(t, "low")
	width := rapid.SampledFrom([]float64{1e-6, 0.5, 1, 1000}).Draw(t, "width")
	switch rapid.IntRange(0, 3).Draw(t, "kind") {
	case 0:
		return dimension{choices: rapid.IntRange(2, 5).Draw(t, "choices")}
	case 1:
		return newRange(max(low, 0.001), max(low, 0.001)+width, 0, true)
	case 2:
		step := width / float64(rapid.IntRange(1, 40).Draw(t, "steps"))
		return newRange(low, low+width, step, false)
	}
	return newRange(low, low+width, 0, false)
}

func (d dimension) draw(rng *rand.Rand) float64 {
	if d.choices > 0 {
		return float64(rng.IntN(d.choices))
	}
	return d.uniform(rng.Float64())
}

// What is left out beside the prior is nothing: the density is, to the last bit, the one
// over all components.
func TestFarComponentsAddNothing(t *testing.T) {
	left := 0
	rapid.Check(t, func(t *rapid.T) {
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		n := rapid.SampledFrom([]int{0, 1, 5, 60, 150}).Draw(t, "observations")
		var dims []dimension
		var observed, points [][]float64
		const candidates = 2
		for range rapid.IntRange(1, 8).Draw(t, "dimensions") {
			d := drawDimension(t)
			column, at := make([]float64, n), make([]float64, candidates)
			for i := range column {
				column[i] = d.draw(rng)
			}
			for i := range at {
				at[i] = d.draw(rng)
			}
			dims, observed, points = append(dims, d), append(observed, column), append(points, at)
		}
		p := newParzen(dims, observed, nil, defaultParzen)
		got := p.logDensity(points)
		for i := range candidates {
			all := make([]float64, n+1)
			places := make([]place, len(dims))
			for d, k := range p.kernels {
				places[d] = k.place(points[d][i])
			}
			for c := range all {
				all[c] = math.Log(p.weights[c])
				for d, k := range p.kernels {
					all[c] += k.logDensity(c, places[d])
				}
			}
			logWeights := make([]float64, n+1)
			for c, w := range p.weights {
				logWeights[c] = math.Log(w)
			}
			left += n + 1 - len(new(nearby).logDensities(p.kernels, logWeights, places))
			if want := logSumExp(all); math.Float64bits(got[i]) != math.Float64bits(want) {
				t.Fatalf("the log density is %v, over all components %v", got[i], want)
			}
		}
	})
	if left == 0 {
		t.Error("no component was ever left out: the test shows nothing")
	}
}

func TestSorterIsStable(t *testing.T) {
	var s sorter
	rapid.Check(t, func(t *rapid.T) {
		low := rapid.SampledFrom([]float64{-5, 0, 1e9}).Draw(t, "low")
		width := rapid.SampledFrom([]float64{1e-3, 1, 1e6}).Draw(t, "width")
		x := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) float64 {
			if rapid.Bool().Draw(t, "grid") {
				return low + width*float64(rapid.IntRange(0, 4).Draw(t, "cell"))/4
			}
			return low + width*rapid.Float64Range(0, 1).Draw(t, "u")
		}), 0, 50).Draw(t, "values")
		want := make([]int32, len(x))
		for i := range want {
			want[i] = int32(i)
		}
		slices.SortStableFunc(want, func(a, b int32) int { return cmp.Compare(x[a], x[b]) })
		if got := s.order(x, low, low+width); !slices.Equal(got, want) {
			t.Fatalf("order of %v is %v, want %v", x, got, want)
		}
	})
}
