package sampler

import (
	"math"
	"math/rand/v2"
)

// A place is a value as a numeric kernel sees it: itself and, on the dimension's scale, the
// middle of its grid cell and half the cell's width, 0 on a continuum.
type place struct{ value, middle, half float64 }

// categoricalKernel is a distribution over the choices a component: most of it on the choice
// that was observed, smoothed by the prior, which holds all choices for equally likely.
type categoricalKernel struct {
	choices     int
	priorWeight float64
	choice      []int32 // by component: the one that it observed

	same, other       float64 // the probability of the observed choice and of each other one
	logSame, logOther float64
	logPrior          float64 // of each choice
}

func newCategoricalKernel(choices int, cfg parzenConfig) *categoricalKernel {
	return &categoricalKernel{choices: choices, priorWeight: cfg.priorWeight, logPrior: -math.Log(float64(choices))}
}

func (k *categoricalKernel) grow(n int) {
	for len(k.choice) < n {
		k.choice = append(k.choice, 0)
	}
}

// settle sets what follows from the number of components.
func (k *categoricalKernel) settle(n int) {
	share := k.priorWeight / float64(n+1)
	total := 1 + share*float64(k.choices)
	k.same, k.other = (share+1)/total, share/total
	k.logSame, k.logOther = math.Log(k.same), math.Log(k.other)
}

func (k *categoricalKernel) logDensity(component int32, choice int32) float64 {
	if k.choice[component] == choice {
		return k.logSame
	}
	return k.logOther
}

func (k *categoricalKernel) draw(component int32, rng *rand.Rand) float64 {
	// What is left of the observed choice when every choice got the other ones' share.
	if rng.Float64() < k.same-k.other {
		return float64(k.choice[component])
	}
	return k.drawPrior(rng)
}

func (k *categoricalKernel) drawPrior(rng *rand.Rand) float64 { return float64(rng.IntN(k.choices)) }
