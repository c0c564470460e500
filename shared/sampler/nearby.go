package sampler

// underflow is beyond what math.Exp makes 0 of, about -745.13.
const underflow = -747

// nearby finds the components of a [parzen] that matter at a point. Of a thousand trials in
// twenty dimensions nearly all lie so far from it that exp of their log density underflows
// to exactly 0 beside that of the prior: a bound on their squared distance, which costs a
// small part of their density, leaves them out without changing the sum. The zero value is
// ready; it keeps its memory from point to point.
type nearby struct {
	all        []int32 // components but the prior
	components []int32
	distance   []float64 // of components, squared and summed over the dimensions so far
	density    []float64
}

// logDensities returns the log densities, each with the component's log weight, of the
// components that may matter, in their order. The last one, the prior, is always among
// them.
func (n *nearby) logDensities(kernels []kernel, logWeights []float64, places []place) []float64 {
	prior := len(logWeights) - 1
	density := func(component int) float64 {
		sum := logWeights[component]
		for d, kernel := range kernels {
			sum += kernel.logDensity(component, places[d])
		}
		return sum
	}
	last := density(prior)
	reach := 0.0
	for _, kernel := range kernels {
		reach += kernel.reach()
	}
	// A component's log density is at most reach − distance/2, its log weight at most 0.
	farthest := 2 * (reach - (last + underflow))

	for len(n.all) < prior {
		n.all, n.distance = append(n.all, int32(len(n.all))), append(n.distance, 0)
	}
	n.components, n.density = append(n.components[:0], n.all...), n.density[:0]
	clear(n.distance)
	for d, kernel := range kernels {
		kept := kernel.keepNear(places[d], farthest, n.components, n.distance)
		n.components = n.components[:kept]
	}
	for _, c := range n.components {
		n.density = append(n.density, density(int(c)))
	}
	return append(n.density, last)
}
