package asha

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// curves are what trials report, by trial and epoch (the first is epoch 1).
type curves [][]float64

// saturating is a learning curve that rises from 0 to its height: height·(1 − exp(−rate·epoch)).
type saturating struct{ height, rate float64 }

func (c saturating) at(epoch int) float64 { return c.height * (1 - math.Exp(-c.rate*float64(epoch))) }

// learned are the golden traces' trials as curves.
type learned struct {
	told   []map[int]float64 // by trial, what the traces hold, by epoch
	fits   []saturating
	noise  float64 // standard deviation of what was told about its fit
	epochs int
}

// wellKnown is from how many values on a trial says how high and how fast curves can be.
const wellKnown = 10

// learn reads the golden traces, whose pruners stopped most trials early. What a trial would
// have reported after is the curve that fits best what it did report, within the heights and
// rates of those that reported much: four values of a slow trial fit almost any height.
func learn(t testing.TB) learned {
	var l learned
	for _, p := range readPruners(t) {
		if p.Direction != "maximize" { // a curve that rises is what is fitted
			continue
		}
		for i, trial := range p.Trace.Trial {
			for trial >= len(l.told) {
				l.told = append(l.told, map[int]float64{})
			}
			if v := float64(p.Trace.Value[i]); !math.IsNaN(v) {
				l.told[trial][p.Trace.Step[i]] = v
			}
			l.epochs = max(l.epochs, p.Trace.Step[i])
		}
	}
	var heights, rates []float64
	for _, told := range l.told {
		if len(told) >= wellKnown {
			c := fit(told, math.Inf(1), 0.01, 3)
			heights, rates = append(heights, c.height), append(rates, c.rate)
		}
	}
	if len(heights) == 0 {
		t.Fatalf("no trial has %d values", wellKnown)
	}
	var squares, n float64
	for _, told := range l.told {
		c := fit(told, slices.Max(heights), slices.Min(rates), slices.Max(rates))
		l.fits = append(l.fits, c)
		if len(told) >= wellKnown {
			for epoch, v := range told {
				squares += (v - c.at(epoch)) * (v - c.at(epoch))
				n++
			}
		}
	}
	l.noise = math.Sqrt(squares / n)
	return l
}

// fit returns the curve with the least squared error, of those up to a height and between
// two rates.
func fit(told map[int]float64, height, lowest, highest float64) saturating {
	best, least := saturating{}, math.Inf(1)
	const steps = 200
	for i := range steps + 1 {
		c := saturating{1, lowest * math.Pow(highest/lowest, float64(i)/steps)}
		var xy, xx float64
		for epoch, v := range told {
			xy += c.at(epoch) * v
			xx += c.at(epoch) * c.at(epoch)
		}
		c.height = min(max(0, xy/xx), height)
		if len(told) == 0 {
			c.height = 0
		}
		var squares float64
		for epoch, v := range told {
			squares += (v - c.at(epoch)) * (v - c.at(epoch))
		}
		if squares < least {
			best, least = c, squares
		}
	}
	return best
}

// curves returns the trials' curves; with a source of noise, with noise: what was told as it
// was told, and what was not with new noise.
func (l learned) curves(noise *rand.Rand) curves {
	c := make(curves, len(l.fits))
	for trial, f := range l.fits {
		for epoch := 1; epoch <= l.epochs; epoch++ {
			v := f.at(epoch)
			if noise != nil {
				if told, ok := l.told[trial][epoch]; ok {
					v = told
				} else {
					v += noise.NormFloat64() * l.noise
				}
			}
			c[trial] = append(c[trial], v)
		}
	}
	return c
}

// best returns the best value of all curves and in how many epochs they are run in full.
func (c curves) best() (value float64, epochs int) {
	value = math.Inf(-1)
	for _, values := range c {
		value = max(value, slices.Max(values))
		epochs += len(values)
	}
	return value, epochs
}
