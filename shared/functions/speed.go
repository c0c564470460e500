package functions

import (
	"math"

	"github.com/supermax-hpo/supermax/shared/space"
)

// speed20 has twenty parameters of every kind: what a sampler's time is measured on.
func speed20() Function {
	s, eval := speedSpace(), speedValue()
	return Function{Name: "speed20", Space: s, Objectives: 1, Best: []float64{0.15},
		Eval: func(a space.Assignment) []float64 { return []float64{eval(a)} }}
}

// speed20bi is speed20 with the sine of its value as second objective, for samplers that
// want several. Its golden times have no hypervolume, so it has no reference point.
func speed20bi() Function {
	s, eval := speedSpace(), speedValue()
	return Function{Name: "speed20bi", Space: s, Objectives: 2,
		Eval: func(a space.Assignment) []float64 { v := eval(a); return []float64{v, math.Sin(v)} }}
}

func speedSpace() *space.Space {
	s := &space.Space{}
	add := func(n int, param func(i int) space.Param) {
		for i := range n {
			s.Params = append(s.Params, param(i))
		}
	}
	add(6, func(i int) space.Param { return uniform(indexed("u", i), -1, 1) })
	add(4, func(i int) space.Param { return logUniform(indexed("l", i), 1e-6, 1e-1) })
	add(2, func(i int) space.Param { return stepped(indexed("s", i), 0, 0.5, 0.05) })
	add(4, func(i int) space.Param { return whole(indexed("i", i), 1, 16) })
	s.Params = append(s.Params, logWhole("il", 8, 512),
		oneOf("c0", "c0", "c1", "c2"), oneOf("c1", "c0", "c1", "c2", "c3"), oneOf("c2", "c0", "c1", "c2", "c3", "c4", "c5"))
	return s
}

func speedValue() func(space.Assignment) float64 {
	place := map[space.Value]float64{}
	for i := range 6 {
		place[space.String(indexed("c", i))] = float64(i)
	}
	return func(a space.Assignment) float64 {
		sum := 0.05 * math.Log2(number(a, "il"))
		for i := range 6 {
			sum += square(number(a, indexed("u", i)) - 0.1*float64(i))
		}
		for i := range 4 {
			sum += 0.1 * square(math.Log10(number(a, indexed("l", i)))+3)
			sum += 0.01 * square(number(a, indexed("i", i))-4)
		}
		for i := range 2 {
			sum += number(a, indexed("s", i))
		}
		for i := range 3 {
			sum += 0.1 * pick(a, indexed("c", i), place)
		}
		return sum
	}
}
