package sampler

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// The bounds of Mills' ratio (Gordon 1941): x/(x²+1) < (1−Φ(x))/φ(x) < 1/x for x > 0.
func TestLogCDFTail(t *testing.T) {
	for _, x := range []float64{1, 5, 10, 19.9, 20.1, 38, 100} {
		density := -0.5*x*x - logSqrt2Pi
		got := logCDF(-x)
		if lower, upper := density+math.Log(x/(x*x+1)), density-math.Log(x); !(got > lower && got < upper) {
			t.Errorf("log Φ(%v) is %v, want between %v and %v", -x, got, lower, upper)
		}
	}
}

func TestLogCDFJoins(t *testing.T) {
	for _, x := range []float64{-20, 5} {
		// The slope is below 21, so the two sides differ by less than 1e-9 plus rounding.
		below, above := logCDF(x-2e-11), logCDF(x+2e-11)
		if math.Abs(below-above) > 1e-9 {
			t.Errorf("log Φ jumps from %v to %v at %v", below, above, x)
		}
	}
	if got := math.Exp(logCDF(0)); math.Abs(got-0.5) > 1e-15 {
		t.Errorf("Φ(0) is %v", got)
	}
}

func TestLogMassAddsUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := rapid.Float64Range(-60, 60).Draw(t, "a")
		b := a + rapid.Float64Range(1e-3, 5).Draw(t, "b-a")
		c := b + rapid.Float64Range(1e-3, 5).Draw(t, "c-b")
		whole, parts := logMass(a, c), logAdd(logMass(a, b), logMass(b, c))
		if math.IsInf(whole, 0) || math.Abs(whole-parts) > 1e-9*max(1, math.Abs(whole)) {
			t.Fatalf("mass of [%v, %v] is exp(%v), of its parts exp(%v)", a, c, whole, parts)
		}
		if mirrored := logMass(-c, -a); mirrored != whole && math.Abs(mirrored-whole) > 1e-12*math.Abs(whole) {
			t.Fatalf("mass of [%v, %v] is exp(%v), mirrored exp(%v)", a, c, whole, mirrored)
		}
	})
}

func TestThinLogMass(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		z := rapid.Float64Range(0, 80).Draw(t, "z")
		h := rapid.Float64Range(1e-2, 1).Draw(t, "share") * thin / (z + 2)
		if got, want := thinLogMass(z, h), logMass(z-h/2, z+h/2); math.Abs(got-want) > 1e-9 {
			t.Fatalf("mass of %v around %v is exp(%v), want exp(%v)", h, z, got, want)
		}
	})
}

// Draws are distributed as the density says: Kolmogorov and Smirnov's distance of n draws is
// above 1.95/√n with a probability of 0.1 %, and the seeds are fixed.
func TestDrawsFollowTheDensity(t *testing.T) {
	const n = 4000
	for _, c := range []struct{ low, high, at float64 }{{0, 1, 0}, {0, 1, 0.5}, {-3, 50, 49}, {1e-6, 1e-2, 1e-3}} {
		d := newRange(c.low, c.high, 0, c.low > 0)
		p := newParzen([]dimension{d}, defaultParzen)
		p.fill([]int32{0}, func(int) []float64 { return []float64{c.at} }, new(sorter))
		k := p.smooth[0]
		rng := rand.New(rand.NewPCG(5, 6))
		x := make([]float64, n)
		for i := range x {
			x[i] = d.scaled(k.draw(0, rng))
		}
		slices.Sort(x)
		for i, v := range x {
			lowest, highest := (k.low-k.shape[0].mean)/k.sigma[0], (k.high-k.shape[0].mean)/k.sigma[0]
			share := math.Exp(logMass(lowest, (v-k.shape[0].mean)/k.sigma[0]) - logMass(lowest, highest))
			if distance := math.Abs(share - (float64(i)+0.5)/n); distance > 1.95/math.Sqrt(n) {
				t.Errorf("%+v: %d of %d draws lie below %v, whose share is %v", c, i, n, v, share)
				break
			}
		}
	}
}

// logAdd returns log(exp(a) + exp(b)) without overflow.
func logAdd(a, b float64) float64 { return max(a, b) + math.Log1p(math.Exp(-math.Abs(a-b))) }

// The densities of a grid add up to 1, whatever was observed.
func TestParzenSumsToOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		dims := []dimension{newRange(0, 0.5, 0.05, false), newRange(1, 12, 1, true), {choices: 3}}
		var observed [][]float64
		for range rapid.IntRange(0, 30).Draw(t, "n") {
			observed = append(observed, []float64{
				float64(rapid.IntRange(0, 10).Draw(t, "a")) * 0.05,
				float64(rapid.IntRange(1, 12).Draw(t, "b")),
				float64(rapid.IntRange(0, 2).Draw(t, "c")),
			})
		}
		p := newParzen(dims, defaultParzen)
		p.fill(counting(len(observed)), func(d int) []float64 { return column(observed, d) }, new(sorter))
		sum := 0.0
		for a := range 11 {
			for b := range 12 {
				for c := range 3 {
					sum += math.Exp(p.at([]float64{float64(a) * 0.05, float64(b + 1), float64(c)}))
				}
			}
		}
		if math.Abs(sum-1) > 1e-9 {
			t.Fatalf("the densities add up to %v", sum)
		}
	})
}
