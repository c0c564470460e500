package simulate

import (
	"math"

	"github.com/supermax-hpo/supermax/shared/space"
)

// dice are random numbers that depend only on what they are thrown for: the simulation's
// seed, a configuration, a seed, an epoch. They need no state, so what happens in one slot
// does not change what happens in another, and an epoch that is trained twice measures the
// same.
type dice uint64

// What a number is drawn for.
const (
	drawOnset = iota + 1<<32 // above every epoch, rung and attempt
	drawSeed
	drawF1
	drawECE
	drawSeconds
	drawSlow
	drawDoom
	drawOOM
	drawNaN
	drawNaNAt
	drawCrash
	drawCrashAt
	drawPace
)

// of returns the dice for one of many things: an epoch, an attempt, a seed.
func (d dice) of(what uint64) dice { return dice(mix(uint64(d) ^ mix(what))) }

// uniform draws from (0, 1).
func (d dice) uniform(what uint64) float64 {
	return (float64(mix(uint64(d)^mix(what))>>11) + 0.5) / (1 << 53)
}

// normal draws from the standard normal distribution.
func (d dice) normal(what uint64) float64 { return math.Sqrt2 * math.Erfinv(2*d.uniform(what)-1) }

// exponential draws from the exponential distribution of mean 1.
func (d dice) exponential(what uint64) float64 { return -math.Log(d.uniform(what)) }

// mix is the output function of SplitMix64: Steele, Lea and Flood, "Fast splittable
// pseudorandom number generators" (2014).
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// forParams returns the dice of a configuration.
func (d dice) forParams(s *space.Space, a space.Assignment) dice {
	for i := range s.Params {
		v := a[s.Params[i].Name]
		if x, ok := v.AsFloat(); ok {
			d = d.of(math.Float64bits(x))
			continue
		}
		for _, b := range []byte(v.String()) {
			d = d.of(uint64(b))
		}
	}
	return d
}
