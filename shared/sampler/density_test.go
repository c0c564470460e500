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
		steps := rapid.OneOf(rapid.IntRange(1, 40), rapid.Just(tabled+1)).Draw(t, "steps")
		step := width / float64(steps)
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

// drawParzen draws an estimator of n observations, and points in its dimensions.
func drawParzen(t *rapid.T, n, points int) (p *parzen, observed, at [][]float64) {
	rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
	var dims []dimension
	for range rapid.IntRange(1, 8).Draw(t, "dimensions") {
		dims = append(dims, drawDimension(t))
	}
	draw := func(n int) [][]float64 {
		rows := make([][]float64, n)
		for i := range rows {
			for _, d := range dims {
				rows[i] = append(rows[i], d.draw(rng))
			}
		}
		return rows
	}
	observed, at = draw(n), draw(points)
	p = newParzen(dims, defaultParzen)
	p.fill(counting(n), func(d int) []float64 { return column(observed, d) }, new(sorter))
	return p, observed, at
}

func column(rows [][]float64, d int) []float64 {
	var x []float64
	for _, row := range rows {
		x = append(x, row[d])
	}
	return x
}

// at is the log density at a point.
func (p *parzen) at(x []float64) float64 {
	var at spot
	p.locate(x, &at)
	return p.logDensity(&at, math.Inf(1))
}

// whole is the log density with nothing left out.
func (p *parzen) whole(x []float64) (sum float64, terms []float64) {
	for c := -1; c < p.n; c++ {
		weight := p.priorWeight()
		if c >= 0 {
			weight = p.weight(int32(c))
		}
		log := math.Log(weight / p.total)
		for d, s := range p.dims {
			switch k := p.numeric(s); {
			case k == nil && c < 0:
				log += p.choices[s.index].logPrior
			case k == nil:
				log += p.choices[s.index].logDensity(int32(c), int32(x[d]))
			case c < 0:
				at := k.place(x[d])
				log += k.priorLogDensity(&at)
			default:
				at := k.place(x[d])
				log += k.logDensity(int32(c), &at)
			}
		}
		terms = append(terms, log)
	}
	top := slices.Max(terms)
	for _, log := range terms {
		sum += math.Exp(log - top)
	}
	return top + math.Log(sum), terms
}

func TestFarComponentsAddNothing(t *testing.T) {
	left := 0
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.SampledFrom([]int{0, 1, 5, 60, 150}).Draw(t, "observations")
		p, _, points := drawParzen(t, n, 2)
		for _, x := range points {
			got := p.at(x)
			want, terms := p.whole(x)
			left += len(terms) - len(p.scratch.near) - 1
			if !near(got, want, 1e-9) {
				t.Fatalf("the log density is %v, over all components %v", got, want)
			}
		}
	})
	if left == 0 {
		t.Error("no component was ever left out: the test shows nothing")
	}
}

// An estimator that followed its observations as they came and went is the one that is made
// of those that are there now, to the last bit.
func TestParzenForgetsItsWay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.SampledFrom([]int{1, 2, 5, 40, 130}).Draw(t, "observations")
		all, observed, points := drawParzen(t, n, 3)
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "way"), 0))
		followed := newParzen(dimensions(all), defaultParzen)
		var components []int32
		var kept [][]float64
		for c := range observed {
			followed.insert(int32(c), func(d int) float64 { return observed[c][d] })
			if rng.IntN(4) == 0 {
				followed.settle()
				followed.at(points[2])
			}
			if old := rng.IntN(c + 1); rng.IntN(4) == 0 && followed.filled[old] {
				followed.remove(int32(old))
			}
		}
		followed.settle()
		for c := range observed {
			if followed.filled[c] {
				components, kept = append(components, int32(c)), append(kept, observed[c])
			}
		}
		atOnce := newParzen(dimensions(all), defaultParzen)
		atOnce.fill(components, func(d int) []float64 { return column(kept, d) }, new(sorter))
		for _, x := range points {
			if got, want := followed.at(x), atOnce.at(x); math.Float64bits(got) != math.Float64bits(want) {
				t.Fatalf("the log density is %v step by step and %v at once", got, want)
			}
		}
	})
}

func dimensions(p *parzen) []dimension {
	var dims []dimension
	for _, s := range p.dims {
		dims = append(dims, s.dim)
	}
	return dims
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

// A density that is said to be greater than enough is, and one that is not is the density.
func TestEnoughIsEnough(t *testing.T) {
	spared := 0
	rapid.Check(t, func(t *rapid.T) {
		p, _, points := drawParzen(t, rapid.SampledFrom([]int{5, 60, 150}).Draw(t, "observations"), 2)
		for _, x := range points {
			want, _ := p.whole(x)
			enough := want + rapid.Float64Range(-5, 5).Draw(t, "above")
			p.at(x) // leaves a landmark
			var at spot
			p.locate(x, &at)
			got := p.logDensity(&at, enough)
			if math.IsInf(got, 1) {
				spared++
				if !(want > enough) {
					t.Fatalf("the log density %v is said to be greater than %v", want, enough)
				}
			} else if !near(got, want, 1e-9) {
				t.Fatalf("the log density is %v, over all components %v", got, want)
			}
		}
	})
	if spared == 0 {
		t.Error("no density was ever enough: the test shows nothing")
	}
}
