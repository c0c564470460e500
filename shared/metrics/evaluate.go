package metrics

import (
	"fmt"
	"math"
)

// A Report is a classifier's measurements on some rows.
type Report struct {
	F1Macro  float64
	ECE      float64 // top-1, [ECEBins] bins
	Accuracy float64
	AUROC    *float64 // two classes: of class 1; nil where undefined, and for more classes
	NLL      float64  // mean −log p(label), natural logarithm
	Brier    float64  // two classes: mean (p₁ − y)²; more: mean over rows of the sum over classes
}

// Evaluate measures logits, row-major [rows, classes], against the rows' labels. Of two
// classes, class 1 is predicted from p₁ ≥ 0.5 on; of more, the first greatest. Its error
// says that the arguments do not fit together or that a logit is not finite.
func Evaluate(logits []float64, classes int, labels []int) (Report, error) {
	if err := checkRows(logits, classes, labels); err != nil {
		return Report{}, fmt.Errorf("evaluate: %w", err)
	}
	var r Report
	n := float64(len(labels))
	predicted := make([]int, len(labels))
	confidence := make([]float64, len(labels))
	correct := make([]bool, len(labels))
	score := make([]float64, len(labels))
	positive := make([]bool, len(labels))
	p := make([]float64, classes)
	for i, y := range labels {
		row := logits[i*classes:][:classes]
		norm := logSumExp(row)
		best := 0
		for c, z := range row {
			p[c] = math.Exp(z - norm)
			if z > row[best] {
				best = c
			}
		}
		if classes == 2 && row[1] >= row[0] {
			best = 1
		}
		r.NLL += (norm - row[y]) / n
		r.Brier += brier(p, y) / n
		predicted[i], confidence[i], correct[i] = best, p[best], best == y
		score[i], positive[i] = row[1]-row[0], y == 1
	}
	m := NewConfusion(predicted, labels, classes)
	r.F1Macro, r.Accuracy, r.ECE = m.F1Macro(), m.Accuracy(), ECE(confidence, correct)
	if classes == 2 {
		if a, ok := AUROC(score, positive); ok {
			r.AUROC = &a
		}
	}
	return r, nil
}

// checkRows reports that logits and labels do not fit together or that a logit is not finite.
func checkRows(logits []float64, classes int, labels []int) error {
	if classes < 2 || len(labels) == 0 || len(logits) != classes*len(labels) {
		return fmt.Errorf("%d logits for %d rows of %d classes", len(logits), len(labels), classes)
	}
	for i, y := range labels {
		if y < 0 || y >= classes {
			return fmt.Errorf("row %d has label %d, allowed is 0 to %d", i, y, classes-1)
		}
		for _, z := range logits[i*classes:][:classes] {
			if math.IsNaN(z) || math.IsInf(z, 0) {
				return fmt.Errorf("row %d: a logit is %v", i, z)
			}
		}
	}
	return nil
}

// logSumExp is log Σ exp z without overflow.
func logSumExp(z []float64) float64 {
	top := math.Inf(-1)
	for _, v := range z {
		top = math.Max(top, v)
	}
	sum := 0.0
	for _, v := range z {
		sum += math.Exp(v - top)
	}
	return top + math.Log(sum)
}

// brier is a row's squared error of probabilities.
func brier(p []float64, label int) float64 {
	if len(p) == 2 {
		d := p[label] - 1
		return d * d
	}
	sum := 0.0
	for c, v := range p {
		if c == label {
			v--
		}
		sum += v * v
	}
	return sum
}

// MajorityF1Macro is the F1-macro of always answering the training rows' most frequent
// class (the lowest of equals) on the given labels.
func MajorityF1Macro(train, labels []int, classes int) float64 {
	counts := make([]int, classes)
	for _, y := range train {
		counts[y]++
	}
	most := 0
	for c, n := range counts {
		if n > counts[most] {
			most = c
		}
	}
	predicted := make([]int, len(labels))
	for i := range predicted {
		predicted[i] = most
	}
	return NewConfusion(predicted, labels, classes).F1Macro()
}
