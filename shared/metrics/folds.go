package metrics

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// KFold divides n rows into k shuffled folds and returns each fold's rows in ascending
// order, as scikit-learn's KFold(k, shuffle=True, random_state=seed). The first n mod k
// folds have one row more.
func KFold(n, k int, seed uint32) ([][]int, error) {
	if k < 2 || k > n {
		return nil, fmt.Errorf("split %d rows into %d folds: allowed are 2 folds to one a row", n, k)
	}
	folds := arraySplit(NewRandomState(seed).Permutation(n), k)
	for _, fold := range folds {
		slices.Sort(fold)
	}
	return folds, nil
}

// GroupKFold divides rows into k shuffled folds so that rows of one group share a fold,
// as scikit-learn's GroupKFold(k, shuffle=True, random_state=seed): the groups, sorted,
// are permuted and dealt out in equal numbers. It returns each fold's rows in ascending
// order.
func GroupKFold[G cmp.Ordered](groups []G, k int, seed uint32) ([][]int, error) {
	unique := distinct(groups)
	if k < 2 || k > len(unique) {
		return nil, fmt.Errorf("split %d groups into %d folds: allowed are 2 folds to one a group", len(unique), k)
	}
	foldOf := make(map[G]int, len(unique))
	for fold, members := range arraySplit(NewRandomState(seed).Permutation(len(unique)), k) {
		for _, g := range members {
			foldOf[unique[g]] = fold
		}
	}
	folds := make([][]int, k)
	for row, g := range groups {
		folds[foldOf[g]] = append(folds[foldOf[g]], row)
	}
	return folds, nil
}

// GroupSplit holds out ⌈fraction·groups⌉ whole groups and returns the remaining and the
// held-out rows, both ascending, as scikit-learn's GroupShuffleSplit(1,
// test_size=fraction, random_state=seed). Both parts have at least one group.
func GroupSplit[G cmp.Ordered](groups []G, fraction float64, seed uint32) (train, held []int, err error) {
	unique := distinct(groups)
	n := int(math.Ceil(fraction * float64(len(unique))))
	if !(fraction > 0 && fraction < 1) || n >= len(unique) {
		return nil, nil, fmt.Errorf("hold out %v of %d groups: both parts need at least one group", fraction, len(unique))
	}
	out := make(map[G]bool, n)
	for _, g := range NewRandomState(seed).Permutation(len(unique))[:n] {
		out[unique[g]] = true
	}
	for row, g := range groups {
		if out[g] {
			held = append(held, row)
		} else {
			train = append(train, row)
		}
	}
	return train, held, nil
}

func distinct[G cmp.Ordered](groups []G) []G {
	unique := slices.Clone(groups)
	slices.Sort(unique)
	return slices.Compact(unique)
}

// arraySplit cuts a into k consecutive parts; the first len(a) mod k have one more.
func arraySplit(a []int, k int) [][]int {
	parts := make([][]int, k)
	at := 0
	for i := range parts {
		n := len(a) / k
		if i < len(a)%k {
			n++
		}
		parts[i] = a[at : at+n]
		at += n
	}
	return parts
}
