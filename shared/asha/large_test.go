package asha

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

// shapes are how two objectives may go together: not at all, against each other (one front)
// or with each other (as many fronts as results).
var shapes = map[string]func(x, y float64) []float64{
	"one":      func(x, _ float64) []float64 { return []float64{x} },
	"two":      func(x, y float64) []float64 { return []float64{x, y} },
	"opposed":  func(x, _ float64) []float64 { return []float64{x, x} },
	"together": func(x, _ float64) []float64 { return []float64{x, -x} },
}

func manyResults(n int, shape func(x, y float64) []float64) []Result {
	rng := rand.New(rand.NewPCG(1, 2))
	results := make([]Result, n)
	for i := range results {
		results[i] = Result{Trial: i, Epoch: 2, Values: shape(rng.Float64(), rng.Float64())}
	}
	return results
}

// filled returns standings of so many results, with all promotions made, and more results.
func filled(t testing.TB, n, more int, shape func(x, y float64) []float64) (Standings, []Result) {
	results := manyResults(n+more, shape)
	s := mustScheduler(t, Options{Kind: KindASHA, Directions: two[:len(results[0].Values)], First: 2, Last: 20, Factor: 3})
	for _, trial := range s.Standings(results[:n]...).Promotable(0) {
		results[trial].Promoted = true
	}
	return s.Standings(results[:n]...), results[n:]
}

// A hundred thousand trials make a rung of 33,333 results. Looking through them at every
// ask would take a second and more for a thousand asks, sorting them five and more.
func TestLargeRungIsNotLookedThrough(t *testing.T) {
	if testing.Short() {
		t.Skip("fills rungs of 33,333 results")
	}
	for _, name := range []string{"one", "two"} {
		const asks = 1000
		st, more := filled(t, 33_333, asks, shapes[name])
		begin := time.Now()
		for _, r := range more {
			st = st.Reported(r)
			if st.GoesOn(r) {
				st = st.Promoted(r)
			}
			next(st)
		}
		took := time.Since(begin)
		t.Logf("%s: %v for %d reports and asks", name, took, asks)
		if took > time.Second {
			t.Errorf("%s: %v for %d reports and asks", name, took, asks)
		}
	}
}

func BenchmarkStandings(b *testing.B) {
	for name, shape := range shapes {
		for _, n := range []int{1_000, 33_333} {
			b.Run(fmt.Sprintf("objectives=%s/results=%d", name, n), func(b *testing.B) {
				st, more := filled(b, n, 1000, shape)
				b.ReportAllocs()
				for i := 0; b.Loop(); i++ {
					after := st.Reported(more[i%len(more)])
					after.GoesOn(more[i%len(more)])
					next(after)
				}
			})
		}
	}
}
