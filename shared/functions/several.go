package functions

import (
	"math"

	"github.com/supermax-hpo/supermax/shared/space"
)

// zdtFunction is a problem of Zitzler, Deb and Thiele, "Comparison of multiobjective
// evolutionary algorithms" (2000): 30 variables, of which the first is the place on the
// front and the sum of the others the distance from it. The front's shape says how low the
// second objective gets, given the first and that distance.
func zdtFunction(name string, shape func(f1, g float64) float64) Function {
	const variables = 30
	return Function{Name: name, Space: uniforms(variables, 0, 1), Objectives: 2, Refs: [][]float64{{1.1, 1.1}, {1.1, 7}},
		Eval: func(a space.Assignment) []float64 {
			x, sum := numbers(a, variables), 0.0
			for _, v := range x[1:] {
				sum += v
			}
			g := 1 + 9*sum/(variables-1)
			return []float64{x[0], g * shape(x[0], g)}
		}}
}

// zdt1 has a convex front.
func zdt1() Function {
	return zdtFunction("zdt1", func(f1, g float64) float64 { return 1 - math.Sqrt(f1/g) })
}

// zdt2 has a concave front.
func zdt2() Function {
	return zdtFunction("zdt2", func(f1, g float64) float64 { return 1 - square(f1/g) })
}

// zdt3 has a front in five pieces.
func zdt3() Function {
	return zdtFunction("zdt3", func(f1, g float64) float64 {
		return 1 - math.Sqrt(f1/g) - (f1/g)*math.Sin(10*math.Pi*f1)
	})
}

// dtlz2 has an eighth of a sphere as its front: Deb, Thiele, Laumanns and Zitzler,
// "Scalable multi-objective optimization test problems" (2002), 12 variables and three
// objectives.
func dtlz2() Function {
	const variables = 12
	return Function{Name: "dtlz2", Space: uniforms(variables, 0, 1), Objectives: 3,
		Refs: [][]float64{{1.1, 1.1, 1.1}, {2.5, 2.5, 2.5}},
		Eval: func(a space.Assignment) []float64 {
			x, radius := numbers(a, variables), 1.0
			for _, v := range x[2:] {
				radius += square(v - 0.5)
			}
			east, north := x[0]*math.Pi/2, x[1]*math.Pi/2
			return []float64{radius * math.Cos(east) * math.Cos(north), radius * math.Cos(east) * math.Sin(north), radius * math.Sin(east)}
		}}
}

// mixedbi trades a fine-tuned classifier's error for what it costs to run, over parameters
// of every kind.
func mixedbi() Function {
	type of = map[space.Value]float64
	str, num := space.String, space.Int
	batch := space.Param{Name: "batch", Kind: space.Categorical, Choices: []space.Value{num(8), num(16), num(32), num(64)}}
	length := space.Param{Name: "len", Kind: space.IntRange, Low: 32, High: 512, Step: 32}
	s := &space.Space{Params: []space.Param{oneOf("model", "small", "base", "large"), logUniform("lr", 1e-6, 1e-2),
		batch, length, uniform("dropout", 0, 0.5), oneOf("opt", "adamw", "lamb", "lion")}}
	var (
		floor      = of{str("small"): 0.30, str("base"): 0.22, str("large"): 0.18}
		bestRate   = of{str("small"): 3.8, str("base"): 4.5, str("large"): 5.0} // minus log10
		batchError = of{num(8): 0, num(16): 0, num(32): 0.005, num(64): 0.015}
		optError   = of{str("adamw"): 0, str("lamb"): 0.01, str("lion"): 0.004}
		size       = of{str("small"): 1, str("base"): 3, str("large"): 9}
		batchCost  = of{num(8): 1.3, num(16): 1.0, num(32): 0.85, num(64): 0.8}
	)
	return Function{Name: "mixedbi", Space: s, Objectives: 2, Refs: [][]float64{{1, 12}},
		Eval: func(a space.Assignment) []float64 {
			length := number(a, "len")
			err := pick(a, "model", floor) + 0.03*square(math.Log10(number(a, "lr"))+pick(a, "model", bestRate)) +
				0.10*math.Exp(-length/128) + 0.3*square(number(a, "dropout")-0.1) + pick(a, "batch", batchError) + pick(a, "opt", optError)
			return []float64{err, pick(a, "model", size) * (length / 512) * pick(a, "batch", batchCost)}
		}}
}
