package sampler

import (
	"math"
	"math/rand/v2"
)

// mutationIndex is how near to a number its mutations stay: half of them within 11 % of the
// range, nine in ten within 32 %.
const mutationIndex = 5

// mutate returns another coordinate than x for parameter i, or x again by chance. A choice is
// drawn anew, as is every other number: of a parameter that is wrong altogether nothing is
// worth keeping. The others move it a little, which is how a value that is nearly right
// becomes better.
func (l *layout) mutate(i int, x float64, rng *rand.Rand) float64 {
	d := &l.dims[i]
	if d.choices > 0 || rng.Float64() >= nsga2Local {
		return l.draw(i, rng)
	}
	if moved := l.onGrid(i, d.moved(x, rng.Float64())); moved != x {
		return moved
	}
	return l.draw(i, rng) // the move was too small for the grid
}

// moved returns a value near x, by a polynomial density that ends where the range does; u is
// uniform in [0, 1). Deb and Agrawal, "A niched-penalty approach for constraint handling in
// genetic algorithms" (1999), with each side cut at its own end.
func (d *dimension) moved(x, u float64) float64 {
	at, width := d.scaled(x), d.high-d.low
	// The share of the density on either side that would lie beyond the end.
	beyond := func(room float64) float64 { return math.Pow(1-room/width, mutationIndex+1) }
	if u < 0.5 {
		cut := beyond(at - d.low)
		return d.value(at + width*(math.Pow(2*u+(1-2*u)*cut, 1.0/(mutationIndex+1))-1))
	}
	cut := beyond(d.high - at)
	return d.value(at + width*(1-math.Pow(2*(1-u)+(2*u-1)*cut, 1.0/(mutationIndex+1))))
}
