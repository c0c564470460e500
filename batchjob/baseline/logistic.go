package baseline

import (
	"fmt"
	"math"
)

// Logistic is a fitted logistic regression: P(1 | x) = 1 / (1 + exp(−w·x − b)).
type Logistic struct {
	Weights []float64
	Bias    float64
}

// FitLogistic minimises ½‖w‖² + c · Σ weight(label) · loss, as scikit-learn's
// LogisticRegression(C=c); the bias is not shrunk. Balanced weights are n/(2·n_label). Both
// labels must be there; c must be positive. The same input always gives the same weights.
func FitLogistic(rows []Vector, labels []int, features int, c float64, balanced bool) (*Logistic, error) {
	if !(c > 0) || math.IsInf(c, 1) {
		return nil, fmt.Errorf("fit logistic regression: C = %v is not allowed; it must be positive", c)
	}
	var count [2]int
	for _, y := range labels {
		count[y]++
	}
	if count[0] == 0 || count[1] == 0 {
		return nil, fmt.Errorf("fit logistic regression: %d pairs with label 0 and %d with label 1; both are needed", count[0], count[1])
	}
	f := objective{rows: rows, features: features, sign: make([]float64, len(rows)), weight: make([]float64, len(rows))}
	for i, y := range labels {
		f.sign[i], f.weight[i] = float64(2*y-1), c
		if balanced {
			f.weight[i] *= float64(len(labels)) / float64(2*count[y])
		}
	}
	x, err := f.minimize()
	if err != nil {
		return nil, fmt.Errorf("fit logistic regression: %w", err)
	}
	return &Logistic{x[:features], x[features]}, nil
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

func sigmoid(z float64) float64 { return 1 / (1 + math.Exp(-z)) }
