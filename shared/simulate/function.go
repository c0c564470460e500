package simulate

import (
	"math"
	"math/rand/v2"
	"slices"

	"github.com/supermax-hpo/supermax/shared/functions"
	"github.com/supermax-hpo/supermax/shared/sampler"
	"github.com/supermax-hpo/supermax/shared/space"
)

// Function is the model of a test function: the lower its first objective, the higher the
// F1-macro that training tends to; the lower its second, the lower the ECE. A function of
// one objective has an ECE that falls with it. An objective beyond the second is not used.
type Function struct {
	of    functions.Function
	low   [2]float64 // objectives that count as the best
	scale [2]float64 // how far above them half of what can be reached is lost
}

// sampled is how many points of the space say what usual values are.
const sampled = 512

// NewFunction returns the model of f. Half of what there is to gain is lost at the median
// of the values that f has at random points.
func NewFunction(f functions.Function) (Function, error) {
	m := Function{of: f}
	history, err := sampler.NewHistory(sampler.Problem{Space: f.Space, Directions: make([]sampler.Direction, f.Objectives)})
	if err != nil {
		return m, err
	}
	rng := rand.New(rand.NewPCG(0, 0)) // always the same points
	var values [2][]float64
	for range sampled {
		a, err := sampler.Random{}.Suggest(history, rng)
		if err != nil {
			return m, err
		}
		v := f.Eval(a)
		for j := range m.used() {
			values[j] = append(values[j], v[j])
		}
	}
	for j := range m.used() {
		slices.Sort(values[j])
		m.low[j] = values[j][0]
		if j < len(f.Best) {
			m.low[j] = f.Best[j]
		}
		m.scale[j] = values[j][sampled/2] - m.low[j]
	}
	return m, nil
}

// used is how many objectives count.
func (m Function) used() int { return min(m.of.Objectives, 2) }

// Curve implements [Model]. Every configuration costs the same, a minute an epoch, and
// learns at a pace of its own that says nothing of where it ends.
func (m Function) Curve(a space.Assignment) Curve {
	v := m.of.Eval(a)
	good := func(j int) float64 { return m.scale[j] / (m.scale[j] + max(0, v[j]-m.low[j])) }
	f1, calm := good(0), good(m.used()-1)
	pace := math.Exp(0.5 * dice(0).forParams(m.of.Space, a).normal(drawPace))
	return Curve{Floor: 0.05, Top: 0.05 + 0.9*f1, Onset: 0.5 * pace, Tau: 2 * pace,
		ECEStart: 0.4, ECELow: 0.4 * (1 - calm), Seconds: defaultSeconds, MemoryBytes: 1 << 30}
}
