// Package functions holds the functions that search methods are measured on: the ones of
// the golden data (tests/golden/hpo), each with the space that it is searched in. They
// cost microseconds, so that thousands of trials tell a sampler's quality and speed.
//
// A Function is a value without state; everything here is safe for concurrent use.
package functions

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/supermax-hpo/supermax/shared/space"
)

// A Function is one test problem. All of its objectives are minimised.
type Function struct {
	Name       string
	Space      *space.Space
	Objectives int // how many numbers Eval returns

	// Eval returns the objectives at a complete assignment of Space. An assignment that lacks
	// a parameter, or gives it a value that it does not take, has NaN for an objective.
	Eval func(space.Assignment) []float64

	// Best is the least value that a single objective can take, nil where there are several.
	Best []float64

	// Refs are the reference points of the golden hypervolumes, nil for a single objective.
	// The first lies near the Pareto front, so that few fronts reach it; with the last, where
	// there are two, every front has a volume.
	Refs [][]float64
}

// All returns the functions: those of one objective, those of several, and then the two that
// time is measured on.
func All() []Function {
	return []Function{branin(), hartmann6(), rosenbrock4(), ackley10(), conditional(),
		zdt1(), zdt2(), zdt3(), dtlz2(), mixedbi(), speed20(), speed20bi()}
}

// Names returns the names that [ByName] knows.
func Names() []string {
	var names []string
	for _, f := range All() {
		names = append(names, f.Name)
	}
	return names
}

// ByName returns the function of that name.
func ByName(name string) (Function, error) {
	all := All()
	if i := slices.IndexFunc(all, func(f Function) bool { return f.Name == name }); i >= 0 {
		return all[i], nil
	}
	return Function{}, fmt.Errorf("function %q is not known; allowed: %s", name, strings.Join(Names(), ", "))
}

// number is the number that an assignment gives to a parameter.
func number(a space.Assignment, name string) float64 {
	if x, ok := a[name].AsFloat(); ok {
		return x
	}
	return math.NaN()
}

// numbers are those of the parameters x0, x1, …
func numbers(a space.Assignment, n int) []float64 {
	x := make([]float64, n)
	for i := range x {
		x[i] = number(a, indexed("x", i))
	}
	return x
}

// pick is what a categorical parameter's choice stands for.
func pick(a space.Assignment, name string, of map[space.Value]float64) float64 {
	if x, ok := of[a[name]]; ok {
		return x
	}
	return math.NaN()
}

func square(x float64) float64 { return x * x }
