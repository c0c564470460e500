package sampler

import (
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat/distmv"
	"gonum.org/v1/gonum/stat/samplemv"

	"github.com/supermax-hpo/supermax/shared/space"
)

func TestHaltonIsGonums(t *testing.T) {
	const n, dimensions = 200, 30
	for seed := range uint64(3) {
		want := mat.NewDense(n, dimensions, nil)
		samplemv.Halton{Kind: samplemv.Owen, Q: distmv.NewUnitUniform(dimensions, nil), Src: rand.NewPCG(seed, 0)}.Sample(want)
		for i := range n {
			for d, x := range halton(uint64(i), dimensions, rand.NewPCG(seed, 0)) {
				if x != want.At(i, d) {
					t.Fatalf("seed %d: point %d has %v in dimension %d, gonum %v", seed, i, x, d, want.At(i, d))
				}
			}
		}
	}
}

// The first bⁿ trials lie one in each of bⁿ equal parts of a parameter's range, where b is the
// prime of its dimension. A parameter with one value takes no dimension.
func TestQuasiRandomCoversEvenly(t *testing.T) {
	p := Problem{
		Space:      &space.Space{Params: []space.Param{oneOf("only", "a"), uniform("x", -1, 1), logUniform("y", 1e-4, 1), whole("z", 1, 5, 0)}},
		Directions: []Direction{Maximize},
	}
	for seed := range uint64(5) {
		h := historyOf(t, p, nil)
		parts := [3][]int{make([]int, 64), make([]int, 27), make([]int, 5)}
		for i := range 64 {
			a, err := QuasiRandom{Seed: seed}.Suggest(h, nil)
			if err != nil {
				t.Fatal(err)
			}
			point := pointOf(t, p.Space, a)
			set(t, h, Observation{Number: 10 * i, Point: point, Rung: -1, State: Running})
			y := h.layout.dims[2]
			for d, u := range []float64{(point[1] + 1) / 2, (y.scaled(point[2]) - y.low) / (y.high - y.low), (point[3] - 1) / 5} {
				if i < len(parts[d]) {
					parts[d][int(u*float64(len(parts[d]))+1e-9)]++
				}
			}
		}
		for d, counts := range parts {
			for part, n := range counts {
				if n != 1 {
					t.Errorf("seed %d: part %d of dimension %d has %d of the first trials, want 1", seed, part, d, n)
				}
			}
		}
	}
}

func TestQuasiRandomFollowsTheSeed(t *testing.T) {
	p, _ := ridge(0)
	h := historyOf(t, p, nil)
	first := map[space.Value]bool{}
	for seed := range uint64(10) {
		a, errA := QuasiRandom{Seed: seed}.Suggest(h, rand.New(rand.NewPCG(1, 1)))
		b, errB := QuasiRandom{Seed: seed}.Suggest(h, rand.New(rand.NewPCG(2, 2)))
		if errA != nil || errB != nil || !a.Equal(b) {
			t.Fatalf("seed %d: %v (%v), then %v (%v)", seed, a, errA, b, errB)
		}
		first[a["x"]] = true
	}
	if len(first) < 10 {
		t.Errorf("ten seeds begin at %d points", len(first))
	}
}
