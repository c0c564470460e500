package metrics

import (
	"fmt"
	"math"
)

// MinTemperature and MaxTemperature bound what [BestTemperature] looks for.
const (
	MinTemperature = 0.01
	MaxTemperature = 100
)

// BestTemperature returns the T in [MinTemperature, MaxTemperature] at which the mean
// negative log-likelihood of softmax(logits/T) is smallest (temperature scaling, Guo et al.
// 2017). The likelihood is convex in β = 1/T: its slope, the mean over rows of E_β[z] − z_y,
// rises with β, so that its zero is found by bisection, or a bound where it has none. Logits
// are row-major [rows, classes]; the error is that of [Evaluate].
func BestTemperature(logits []float64, classes int, labels []int) (float64, error) {
	if err := checkRows(logits, classes, labels); err != nil {
		return 0, fmt.Errorf("fit the temperature: %w", err)
	}
	low, high := math.Log(1/float64(MaxTemperature)), math.Log(1/MinTemperature) // of β
	switch {
	case likelihoodSlope(logits, classes, labels, math.Exp(low)) >= 0:
		return MaxTemperature, nil
	case likelihoodSlope(logits, classes, labels, math.Exp(high)) <= 0:
		return MinTemperature, nil
	}
	for range 60 { // from a width of 10 to 1e-17
		middle := (low + high) / 2
		if likelihoodSlope(logits, classes, labels, math.Exp(middle)) > 0 {
			high = middle
		} else {
			low = middle
		}
	}
	return math.Exp(-(low + high) / 2), nil
}

// likelihoodSlope is Σ over rows of E[z] − z_y under softmax(β·z).
func likelihoodSlope(logits []float64, classes int, labels []int, beta float64) float64 {
	slope := 0.0
	for i, y := range labels {
		row := logits[i*classes:][:classes]
		top := row[0]
		for _, z := range row {
			top = math.Max(top, z)
		}
		weights, moment := 0.0, 0.0
		for _, z := range row {
			w := math.Exp(beta * (z - top))
			weights += w
			moment += w * (z - row[y])
		}
		slope += moment / weights
	}
	return slope
}
