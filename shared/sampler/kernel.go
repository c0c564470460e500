package sampler

import "math"

// A kernel is one dimension of a Parzen estimator: for each component of the mixture,
// one an observation and the prior as the last, a distribution over the dimension.
type kernel interface {
	// place returns what the other methods need to know of the value x.
	place(x float64) place
	// logDensity returns the log density of a component there.
	logDensity(component int, at place) float64
	// reach returns a bound: a component's log density is at most the bound minus half its
	// squared distance.
	reach() float64
	// keepNear adds the squared distance of each of the components, in their widths, to sum,
	// moves those whose sum is at most farthest to the front, and returns how many they are.
	keepNear(at place, farthest float64, components []int32, sum []float64) int
	// quantile returns the u-quantile, u in [0, 1), of a component.
	quantile(component int, u float64) float64
}

// A place is a value as a kernel sees it.
type place struct {
	low, high float64 // the ends of its grid cell on the dimension's scale; the same on a continuum
	cell      int     // which of the values that were asked for it is; a categorical parameter's choice
}

// categoricalKernel holds the probability of each choice. Components that observed the same
// choice have the same distribution.
type categoricalKernel struct {
	row           []int       // by component: the choice that it observed, len(choices) for the prior
	probabilities [][]float64 // by row
	logs          [][]float64 // of the probabilities
}

// newCategoricalKernel smooths each observed choice by the prior's share.
func newCategoricalKernel(choices int, observed []float64, priorWeight float64) categoricalKernel {
	share := priorWeight / float64(len(observed)+1)
	total := 1 + share*float64(choices)
	k := categoricalKernel{row: make([]int, 0, len(observed)+1)}
	for r := range choices + 1 {
		row, logs := make([]float64, choices), make([]float64, choices)
		for c := range row {
			switch r {
			case choices:
				row[c] = 1 / float64(choices)
			case c:
				row[c] = (share + 1) / total
			default:
				row[c] = share / total
			}
			logs[c] = math.Log(row[c])
		}
		k.probabilities, k.logs = append(k.probabilities, row), append(k.logs, logs)
	}
	for _, x := range observed {
		k.row = append(k.row, int(x))
	}
	k.row = append(k.row, choices)
	return k
}

func (k categoricalKernel) place(x float64) place { return place{cell: int(x)} }

func (k categoricalKernel) logDensity(component int, at place) float64 {
	return k.logs[k.row[component]][at.cell]
}

func (k categoricalKernel) reach() float64 { return 0 }

// keepNear keeps all: no choice is far from another.
func (k categoricalKernel) keepNear(_ place, _ float64, components []int32, _ []float64) int {
	return len(components)
}

func (k categoricalKernel) quantile(component int, u float64) float64 {
	row := k.probabilities[k.row[component]]
	for choice, p := range row {
		if u -= p; u < 0 {
			return float64(choice)
		}
	}
	return float64(len(row) - 1) // u was the rounding error of the row's sum
}
