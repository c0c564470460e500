package metrics

import (
	"cmp"
	"slices"
)

// AUROC is the area under the ROC curve: the probability that a positive row scores
// higher than a negative one, ties counted half (the Mann-Whitney statistic). It is
// undefined, and false is returned, when one of the two is absent.
func AUROC(scores []float64, positive []bool) (float64, bool) {
	order := make([]int, len(scores))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(scores[a], scores[b]) })
	// Twice the pairs won, so that ties stay integers and the sum exact.
	var won, negatives, positives int64
	for i := 0; i < len(order); {
		var p, n int64
		j := i
		for ; j < len(order) && scores[order[j]] == scores[order[i]]; j++ {
			if positive[order[j]] {
				p++
			} else {
				n++
			}
		}
		won += p * (2*negatives + n)
		positives, negatives = positives+p, negatives+n
		if j == i { // NaN equals nothing, itself included
			return 0, false
		}
		i = j
	}
	if positives == 0 || negatives == 0 {
		return 0, false
	}
	return float64(won) / 2 / float64(positives*negatives), true
}
