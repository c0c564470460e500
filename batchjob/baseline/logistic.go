package baseline

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/optimize"
)

// Logistic is a fitted logistic regression: P(1 | x) = 1 / (1 + exp(−w·x − b)).
type Logistic struct {
	Weights []float64
	Bias    float64
}

// FitLogistic minimises ½‖w‖² + c · Σ weight(label) · loss with L-BFGS, as scikit-learn's
// LogisticRegression(C=c); the bias is not shrunk. Balanced weights are n/(2·n_label). Both
// labels must be there; c must be positive. The same input always gives the same weights.
func FitLogistic(rows []Vector, labels []int, features int, c float64, balanced bool) (*Logistic, error) {
	var count [2]int
	for _, y := range labels {
		count[y]++
	}
	if count[0] == 0 || count[1] == 0 {
		return nil, fmt.Errorf("fit logistic regression: %d pairs with label 0 and %d with label 1; both are needed", count[0], count[1])
	}
	weight := [2]float64{c, c}
	if balanced {
		for y := range weight {
			weight[y] *= float64(len(labels)) / float64(2*count[y])
		}
	}
	problem := optimize.Problem{
		Func: func(x []float64) float64 {
			m := Logistic{x[:features], x[features]}
			loss := 0.0
			for _, w := range m.Weights {
				loss += w * w / 2
			}
			for i, row := range rows {
				loss += weight[labels[i]] * softplus(-sign(labels[i])*m.score(row))
			}
			return loss
		},
		Grad: func(grad, x []float64) {
			m := Logistic{x[:features], x[features]}
			copy(grad, m.Weights)
			grad[features] = 0
			for i, row := range rows {
				s := sign(labels[i])
				slope := -s * weight[labels[i]] * sigmoid(-s*m.score(row))
				for k, j := range row.Index {
					grad[j] += slope * row.Value[k]
				}
				grad[features] += slope
			}
		},
	}
	result, err := optimize.Minimize(problem, make([]float64, features+1),
		&optimize.Settings{GradientThreshold: 1e-5, MajorIterations: 1000}, &optimize.LBFGS{Store: 10})
	if err != nil {
		return nil, fmt.Errorf("fit logistic regression: %w", err)
	}
	if result.Status != optimize.GradientThreshold && result.Status != optimize.FunctionConvergence {
		return nil, fmt.Errorf("fit logistic regression: no convergence: %v", result.Status)
	}
	return &Logistic{result.X[:features], result.X[features]}, nil
}

// Probability returns P(label 1 | row).
func (m *Logistic) Probability(row Vector) float64 { return sigmoid(m.score(row)) }

func (m *Logistic) score(row Vector) float64 {
	z := m.Bias
	for k, j := range row.Index {
		z += m.Weights[j] * row.Value[k]
	}
	return z
}

func sign(label int) float64 { return float64(2*label - 1) }

func sigmoid(z float64) float64 { return 1 / (1 + math.Exp(-z)) }

// softplus is ln(1 + e^z) without overflow.
func softplus(z float64) float64 { return max(z, 0) + math.Log1p(math.Exp(-math.Abs(z))) }
