// Package metrics measures classifiers (F1-macro, calibration error, AUROC, likelihood)
// and splits rows into folds, with the definitions and the index order of scikit-learn so
// that results can be compared with the field's. Everything is pure; sums are float64.
package metrics

// A Confusion counts rows by true class (first index) and predicted class.
type Confusion [][]int

// NewConfusion counts predictions of classes 0 to classes−1 against labels of the same
// length.
func NewConfusion(predicted, labels []int, classes int) Confusion {
	m := make(Confusion, classes)
	for i := range m {
		m[i] = make([]int, classes)
	}
	for i, y := range labels {
		m[y][predicted[i]]++
	}
	return m
}

// F1 is one class's harmonic mean of precision and recall, 2TP/(2TP+FP+FN); 0 for a class
// that is neither present nor predicted.
func (m Confusion) F1(class int) float64 {
	hits, misses := m[class][class], 0
	for other := range m {
		if other != class {
			misses += m[class][other] + m[other][class]
		}
	}
	if hits+misses == 0 {
		return 0
	}
	return 2 * float64(hits) / float64(2*hits+misses)
}

// F1Macro is the mean F1 of all classes, those without a row included.
func (m Confusion) F1Macro() float64 {
	sum := 0.0
	for class := range m {
		sum += m.F1(class)
	}
	return sum / float64(len(m))
}

// Accuracy is the share of rows predicted right; 0 of no rows.
func (m Confusion) Accuracy() float64 {
	right, all := 0, 0
	for i, row := range m {
		for j, n := range row {
			all += n
			if i == j {
				right += n
			}
		}
	}
	if all == 0 {
		return 0
	}
	return float64(right) / float64(all)
}
