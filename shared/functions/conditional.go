package functions

import (
	"math"

	"github.com/supermax-hpo/supermax/shared/space"
)

// netLayers is how many layers the conditional function's net has at most.
const netLayers = 4

// conditional is a choice among three models with parameters of their own, of which a net
// has as many widths as layers. The best model is the one with the most to tune.
func conditional() Function {
	params := []space.Param{uniform("z", 0, 1), oneOf("model", "svm", "tree", "net")}
	params = append(params, only("model", "svm", logUniform("c", 1e-4, 1e3), logUniform("gamma", 1e-5, 1e1))...)
	params = append(params, only("model", "tree", whole("depth", 1, 20), uniform("min_split", 0.01, 0.5),
		oneOf("criterion", "gini", "entropy", "log_loss"))...)
	params = append(params, only("model", "net", logUniform("lr", 1e-6, 1e-1), whole("layers", 1, netLayers),
		stepped("drop", 0, 0.5, 0.05))...)
	for i := range netLayers {
		params = append(params, above("layers", float64(i)+0.5, logWhole(indexed("units", i), 8, 512)))
	}
	criterion := map[space.Value]float64{space.String("gini"): 0.02, space.String("entropy"): 0, space.String("log_loss"): 0.05}
	model := func(a space.Assignment) float64 {
		switch name, _ := a["model"].AsString(); name {
		case "svm":
			return 0.20 + 0.02*square(math.Log10(number(a, "c"))-1) + 0.03*square(math.Log10(number(a, "gamma"))+2)
		case "tree":
			return 0.12 + 0.004*square(number(a, "depth")-7) + 0.8*square(number(a, "min_split")-0.1) + pick(a, "criterion", criterion)
		case "net":
			layers := number(a, "layers")
			f := 0.05 + 0.05*square(math.Log10(number(a, "lr"))+3.5) + 0.03*square(layers-2) + 0.5*square(number(a, "drop")-0.15)
			for i := range netLayers {
				if float64(i) < layers {
					f += 0.01 * square(math.Log2(number(a, indexed("units", i)))-7)
				}
			}
			return f
		}
		return math.NaN()
	}
	return Function{Name: "conditional", Space: &space.Space{Params: params}, Objectives: 1, Best: []float64{0.05},
		Eval: func(a space.Assignment) []float64 { return []float64{0.1*square(number(a, "z")-0.3) + model(a)} }}
}
