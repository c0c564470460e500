package analysis

import (
	"math"

	"github.com/supermax-hpo/supermax/shared/space"
)

const (
	// maxCells is how many cells a range is divided into at most.
	maxCells = 50
	// tiny is added to each cell of a density, so that none is 0.
	tiny = 1e-12
	// narrowest is the least width of a kernel, in cells: nine tenths of it lie in the cell
	// at its centre.
	narrowest = 0.5 / 1.64
)

// A grid divides a parameter's values into cells: its choices, the steps of a short range,
// or at most [maxCells] equal parts, of the logarithm if the parameter is logarithmic.
type grid struct {
	cells     int
	choices   bool // cells have no order
	log       bool
	low, step float64 // the first cell's centre and the distance of the centres
}

func newGrid(p space.Param) grid {
	if p.Kind == space.Categorical {
		return grid{cells: len(p.Choices), choices: true}
	}
	g := grid{cells: maxCells, log: p.Log}
	step := p.Step
	if p.Kind == space.IntRange && step == 0 {
		step = 1
	}
	switch {
	case p.Kind == space.IntRange && p.Log:
		// As many as there are doublings, in which there are few whole numbers at first.
		g.cells = min(g.cells, int(math.Ceil(math.Log(p.High-p.Low+1)/math.Log(2)))+1)
	case step > 0:
		g.cells = min(g.cells, int(math.RoundToEven((p.High-p.Low)/step))+1)
	}
	g.low = g.scaled(p.Low)
	g.step = (g.scaled(p.High) - g.low) / float64(g.cells-1)
	return g
}

func (g grid) scaled(x float64) float64 {
	if g.log {
		return math.Log(x)
	}
	return x
}

// cell returns where a value lies; one in the middle between two centres belongs to the
// lower.
func (g grid) cell(x float64) int {
	if g.choices {
		return int(x)
	}
	return min(max(int(math.Ceil((g.scaled(x)-g.low)/g.step-0.5)), 0), g.cells-1)
}

// uniform is the density of a uniform draw.
func (g grid) uniform() []float64 {
	density := make([]float64, g.cells)
	for i := range density {
		density[i] = 1 / float64(g.cells)
	}
	return density
}

// density estimates from one or more values how probable each cell is: a mixture with a
// kernel for each cell in which values lie, weighted by how many, and a prior over the
// whole grid that weighs as much as one value.
func (g grid) density(values []float64) []float64 {
	counts := make([]float64, g.cells)
	for _, x := range values {
		counts[g.cell(x)]++
	}
	var density []float64
	if g.choices {
		density = ofChoices(counts, float64(len(values)))
	} else {
		density = ofNumbers(counts, float64(len(values)))
	}
	for i := range density {
		density[i] += tiny
	}
	return density
}

// ofChoices is the density of so many of each choice, n in all. A choice's kernel gives it
// a share of one and each of the choices 1 over the number of kernels.
func ofChoices(counts []float64, n float64) []float64 {
	kernels := 1.0 // the prior
	for _, c := range counts {
		if c > 0 {
			kernels++
		}
	}
	choices := float64(len(counts))
	density := make([]float64, len(counts))
	for i, c := range counts {
		fromKernels := (c + n/kernels) / (1 + choices/kernels)
		density[i] = (fromKernels + 1/choices) / (n + 1)
	}
	return density
}

// ofNumbers is the density of so many in each cell, n in all: normal kernels about the
// cells, truncated to the grid, of one width by Scott's rule (Scott, "Multivariate density
// estimation", 1992), in the robust form that takes the narrower of the standard
// deviation and the scaled interquartile range.
func ofNumbers(counts []float64, n float64) []float64 {
	cells := float64(len(counts))
	sigma := max(scott(counts, n), narrowest)
	density := make([]float64, len(counts))
	add := func(mu, sigma, weight float64) {
		mass := func(from, to float64) float64 { return normalMass((from-mu)/sigma, (to-mu)/sigma) }
		weight /= mass(-0.5, cells-0.5)
		for i := range density {
			density[i] += weight * mass(float64(i)-0.5, float64(i)+0.5)
		}
	}
	for i, c := range counts {
		if c > 0 {
			add(float64(i), sigma, c/(n+1))
		}
	}
	add((cells-1)/2, cells, 1/(n+1))
	return density
}

// scott returns the kernels' width in cells.
func scott(counts []float64, n float64) float64 {
	mean := 0.0
	for i, c := range counts {
		mean += float64(i) * c / n
	}
	square, below := 0.0, 0.0
	first, third := -1, -1 // the quartiles: the cells in which the count passes them
	for i, c := range counts {
		if c == 0 {
			continue
		}
		square += (float64(i) - mean) * (float64(i) - mean) * c
		below += c
		if first < 0 && below >= math.Floor(n/4) {
			first = i
		}
		if third < 0 && below > math.Floor(n*3/4) {
			third = i
		}
	}
	deviation := math.Sqrt(square / max(1, n-1))
	return 1.059 * min(float64(third-first)/1.34, deviation) * math.Pow(n, -0.2)
}

// normalMass returns Φ(b) − Φ(a) for a < b, from the tail in which both lie, so that
// nothing cancels there.
func normalMass(a, b float64) float64 {
	if a > 0 {
		a, b = -b, -a
	}
	if b > 0 {
		return 0.5 * (math.Erf(b/math.Sqrt2) - math.Erf(a/math.Sqrt2))
	}
	return 0.5 * (math.Erfc(-b/math.Sqrt2) - math.Erfc(-a/math.Sqrt2))
}
