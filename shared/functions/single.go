package functions

import (
	"math"

	"github.com/supermax-hpo/supermax/shared/space"
)

// branin has three equal minima: Dixon and Szegö, "Towards global optimisation 2" (1978).
func branin() Function {
	s := &space.Space{Params: []space.Param{uniform("x1", -5, 10), uniform("x2", 0, 15)}}
	return Function{Name: "branin", Space: s, Objectives: 1, Best: []float64{0.39788735772973816},
		Eval: func(a space.Assignment) []float64 {
			x, y := number(a, "x1"), number(a, "x2")
			valley := y - 5.1/(4*math.Pi*math.Pi)*x*x + 5/math.Pi*x - 6
			return []float64{valley*valley + 10*(1-1/(8*math.Pi))*math.Cos(x) + 10}
		}}
}

// hartmann6 has six minima, one of them global: Hartman, "Some experiments in global
// optimization" (1973), with the constants of Dixon and Szegö.
func hartmann6() Function {
	height := [4]float64{1.0, 1.2, 3.0, 3.2}
	steep := [4][6]float64{
		{10, 3, 17, 3.5, 1.7, 8}, {0.05, 10, 17, 0.1, 8, 14}, {3, 3.5, 1.7, 10, 17, 8}, {17, 8, 0.05, 10, 0.1, 14}}
	centre := [4][6]float64{ // in ten thousandths
		{1312, 1696, 5569, 124, 8283, 5886}, {2329, 4135, 8307, 3736, 1004, 9991},
		{2348, 1451, 3522, 2883, 3047, 6650}, {4047, 8828, 8732, 5743, 1091, 381}}
	return Function{Name: "hartmann6", Space: uniforms(6, 0, 1), Objectives: 1, Best: []float64{-3.3223680114155147},
		Eval: func(a space.Assignment) []float64 {
			x, sum := numbers(a, 6), 0.0
			for well := range height {
				away := 0.0
				for i := range x {
					away += steep[well][i] * square(x[i]-1e-4*centre[well][i])
				}
				sum += height[well] * math.Exp(-away)
			}
			return []float64{-sum}
		}}
}

// rosenbrock4 is a curved valley that is easy to find and hard to follow: Rosenbrock, "An
// automatic method for finding the greatest or least value of a function" (1960), in four
// dimensions.
func rosenbrock4() Function {
	return Function{Name: "rosenbrock4", Space: uniforms(4, -5, 10), Objectives: 1, Best: []float64{0},
		Eval: func(a space.Assignment) []float64 {
			x, sum := numbers(a, 4), 0.0
			for i := range x[:len(x)-1] {
				sum += 100*square(x[i+1]-x[i]*x[i]) + square(1-x[i])
			}
			return []float64{sum}
		}}
}

// ackley10 is flat far out and has a local minimum in every unit cube: Ackley, "A
// connectionist machine for genetic hillclimbing" (1987), in ten dimensions.
func ackley10() Function {
	return Function{Name: "ackley10", Space: uniforms(10, -32.768, 32.768), Objectives: 1, Best: []float64{0},
		Eval: func(a space.Assignment) []float64 {
			x := numbers(a, 10)
			squares, waves := 0.0, 0.0
			for _, v := range x {
				squares += v * v / float64(len(x))
				waves += math.Cos(2*math.Pi*v) / float64(len(x))
			}
			return []float64{-20*math.Exp(-0.2*math.Sqrt(squares)) - math.Exp(waves) + 20 + math.E}
		}}
}
