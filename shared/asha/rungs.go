package asha

import "fmt"

// Rungs are the epochs, rising, at which each rung ends; the last is the whole budget.
type Rungs []int

// New returns the rungs first, first·factor, first·factor² … below last, and then last.
func New(first, last, factor int) (Rungs, error) {
	switch {
	case first < 1:
		return nil, fmt.Errorf("rungs: the first ends after %d epochs, at least 1 is needed", first)
	case last < first:
		return nil, fmt.Errorf("rungs: the last ends after %d epochs, before the first after %d", last, first)
	case factor < 2:
		return nil, fmt.Errorf("rungs: the reduction factor is %d, at least 2 is needed", factor)
	}
	var r Rungs
	for epoch := first; epoch < last; epoch *= factor {
		r = append(r, epoch)
		if epoch > last/factor { // the next would be past the last, or overflow
			break
		}
	}
	return append(r, last), nil
}

// Span returns the epochs that a trial is trained for in a rung: after the first of
// them up to and including the second. The rung must exist.
func (r Rungs) Span(rung int) (from, to int) {
	if rung > 0 {
		from = r[rung-1]
	}
	return from, r[rung]
}
