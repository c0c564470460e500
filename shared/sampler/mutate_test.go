package sampler

import (
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"
)

func TestMovedStaysNear(t *testing.T) {
	d := newRange(0, 1, 0, false)
	// A quarter of the density lies below the middle less 0.107: there is (1 − 0.107)⁶ = 0.507
	// of its half left, and (1 − 0.5)⁶ = 0.016 of it was cut off at the end.
	if got := d.moved(0.5, 0.25); math.Abs(got-(0.5-0.107)) > 0.001 {
		t.Errorf("the lower quartile is %v, want 0.393", got)
	}
	rapid.Check(t, func(t *rapid.T) {
		d := newRange(1e-3, 1+rapid.Float64Range(0, 10).Draw(t, "high"), 0, rapid.Bool().Draw(t, "log"))
		x := d.uniform(rapid.Float64Range(0, 0.999).Draw(t, "x"))
		last := d.first
		for u := 0.0; u < 1; u += 1.0 / 64 {
			y := d.moved(x, u)
			switch {
			case !(y >= last && y <= d.last):
				t.Fatalf("from %v: %v at u = %v, after %v", x, y, u, last)
			case u == 0 && !near(y, d.first, 1e-9), u == 0.5 && !near(y, x, 1e-9):
				t.Fatalf("from %v: %v at u = %v", x, y, u)
			}
			last = y
		}
		if y := d.moved(x, math.Nextafter(1, 0)); d.scaled(d.last)-d.scaled(y) > 0.01*(d.high-d.low) {
			t.Fatalf("from %v: %v at the end, want %v", x, y, d.last)
		}
	})
}

// A mutation of a grid's value is another value whenever it moves: only a value that is drawn
// anew, half of them and those of a choice, may be the same again.
func TestMutationsChange(t *testing.T) {
	p, _ := ridge(0)
	p.Space.Params = append(p.Space.Params, whole("n", 1, 4, 0), oneOf("c", "a", "b", "c", "d"))
	l := newLayout(p.Space)
	rng := rand.New(rand.NewPCG(1, 2))
	same := [3]int{}
	for range 4000 {
		for i, x := range []float64{0.3, 2, 1} {
			if l.mutate(i, x, rng) == x {
				same[i]++
			}
		}
	}
	// Of n: a quarter of the half that is drawn, and of what a move of less than half a step
	// leaves to be drawn: |δ| < 0.125 of the range, 1 − 0.875⁶ = 0.55 of the other half. Of c:
	// a quarter. Five standard deviations are 140.
	if same[0] > 0 || math.Abs(float64(same[1])-4000*0.25*(0.5+0.5*0.55)) > 140 || math.Abs(float64(same[2])-1000) > 140 {
		t.Errorf("%v of 4,000 mutations changed nothing, want about 0, 775 and 1000", same)
	}
}
