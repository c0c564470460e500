package sampler

import (
	"math"
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
		whole, parts := logMass(a, c), logSumExp([]float64{logMass(a, b), logMass(b, c)})
		if math.IsInf(whole, 0) || math.Abs(whole-parts) > 1e-9*max(1, math.Abs(whole)) {
			t.Fatalf("mass of [%v, %v] is exp(%v), of its parts exp(%v)", a, c, whole, parts)
		}
		if mirrored := logMass(-c, -a); mirrored != whole && math.Abs(mirrored-whole) > 1e-12*math.Abs(whole) {
			t.Fatalf("mass of [%v, %v] is exp(%v), mirrored exp(%v)", a, c, whole, mirrored)
		}
	})
}

func TestTruncatedNormalInverts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := rapid.Float64Range(-100, 0).Draw(t, "a")
		b := rapid.Float64Range(1, 100).Draw(t, "b")
		u := rapid.Float64Range(0, 1).Filter(func(u float64) bool { return u < 1 }).Draw(t, "u")
		x := truncatedNormal(u, a, b)
		if !(x >= a && x <= b) {
			t.Fatalf("the %v-quantile of [%v, %v] is %v", u, a, b, x)
		}
		share := 0.0
		if x > a {
			share = math.Exp(logMass(a, x) - logMass(a, b))
		}
		if math.Abs(share-u) > 1e-9 {
			t.Fatalf("[%v, %v] has the mass %v below its %v-quantile", a, b, share, u)
		}
	})
}

func TestLogSumExp(t *testing.T) {
	if got := logSumExp([]float64{-1000, -1000}); math.Abs(got-(-1000+math.Ln2)) > 1e-12 {
		t.Errorf("log(2·exp(-1000)) is %v", got)
	}
	if got := logSumExp([]float64{math.Inf(-1)}); !math.IsInf(got, -1) {
		t.Errorf("log 0 is %v", got)
	}
}

// The densities of a grid add up to 1, whatever was observed.
func TestParzenSumsToOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		dims := []dimension{newRange(0, 0.5, 0.05, false), newRange(1, 12, 1, true), {choices: 3}}
		observed := make([][]float64, 3)
		for range rapid.IntRange(0, 30).Draw(t, "n") {
			observed[0] = append(observed[0], float64(rapid.IntRange(0, 10).Draw(t, "a"))*0.05)
			observed[1] = append(observed[1], float64(rapid.IntRange(1, 12).Draw(t, "b")))
			observed[2] = append(observed[2], float64(rapid.IntRange(0, 2).Draw(t, "c")))
		}
		points := make([][]float64, 3)
		for a := range 11 {
			for b := range 12 {
				for c := range 3 {
					points[0] = append(points[0], float64(a)*0.05)
					points[1] = append(points[1], float64(b+1))
					points[2] = append(points[2], float64(c))
				}
			}
		}
		if got := logSumExp(newParzen(dims, observed, nil, defaultParzen).logDensity(points)); math.Abs(got) > 1e-9 {
			t.Fatalf("the densities add up to exp(%v)", got)
		}
	})
}
