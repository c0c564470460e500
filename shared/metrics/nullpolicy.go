package metrics

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// The strategies of a [NullPolicy].
const (
	NullNone       = "none"
	NullThreshold  = "threshold"
	NullRatio      = "ratio"
	NullCalibrated = "calibrated"
)

// A NullPolicy says when the answer about an item is rather no. It decides from the
// probability p of class 1 and the item's group, the items about the same post and
// criterion:
//
//	none        yes from p ≥ 0.5
//	threshold   yes from p ≥ Threshold
//	ratio       yes from p ≥ Ratio × the group's largest p, and that ≥ 0.5
//	calibrated  p at Temperature, yes from the threshold that maximises F1-macro
//
// The threshold of calibrated is fitted on the rows that are measured, the validation part.
type NullPolicy struct {
	Strategy    string
	Threshold   float64 // in [0, 1]
	Ratio       float64 // in [0, 1]
	Temperature float64 // above 0
}

// Fitted is what the policy calibrated was fitted to.
type Fitted struct {
	Threshold       float64 // in [0, 1]: yes from this probability on
	BestTemperature float64 // the one that minimises the NLL, see [BestTemperature]
}

// Validate reports the first value that the strategy cannot use; those of other strategies
// do not matter.
func (n NullPolicy) Validate() error {
	switch {
	case n.Strategy == NullNone:
	case n.Strategy == NullThreshold && !(n.Threshold >= 0 && n.Threshold <= 1):
		return fmt.Errorf("null.threshold %v is not allowed; allowed: a number from 0 to 1", n.Threshold)
	case n.Strategy == NullRatio && !(n.Ratio >= 0 && n.Ratio <= 1):
		return fmt.Errorf("null.ratio %v is not allowed; allowed: a number from 0 to 1", n.Ratio)
	case n.Strategy == NullCalibrated && !(n.Temperature > 0 && !math.IsInf(n.Temperature, 1)):
		return fmt.Errorf("null.temperature %v is not allowed; allowed: a number above 0", n.Temperature)
	case !slices.Contains([]string{NullThreshold, NullRatio, NullCalibrated}, n.Strategy):
		return fmt.Errorf("null.strategy %q is not allowed; allowed: none, threshold, ratio, calibrated", n.Strategy)
	}
	return nil
}

// Evaluate measures the policy's answers and probabilities on logits, row-major [rows, 2],
// with the rows' labels and groups (any numbers; equal ones are one group). F1-macro and
// accuracy are the answers'; ECE, AUROC, NLL and Brier are the probabilities', which no
// threshold changes. Fitted is nil but for calibrated. Its errors are those of [Evaluate]
// and of Validate.
func (n NullPolicy) Evaluate(logits []float64, labels, groups []int) (Report, *Fitted, error) {
	if err := n.Validate(); err != nil {
		return Report{}, nil, fmt.Errorf("evaluate: %w", err)
	}
	if len(groups) != len(labels) {
		return Report{}, nil, fmt.Errorf("evaluate: %d groups for %d rows", len(groups), len(labels))
	}
	if n.Strategy != NullCalibrated {
		r, err := Evaluate(logits, 2, labels)
		if err != nil || n.Strategy == NullNone {
			return r, nil, err
		}
		return r.answered(n.decide(classOne(logits, 1), groups, 0), labels), nil, nil
	}
	best, err := BestTemperature(logits, 2, labels)
	if err != nil {
		return Report{}, nil, err
	}
	scaled := make([]float64, len(logits))
	for i, z := range logits {
		scaled[i] = z / n.Temperature
	}
	r, err := Evaluate(scaled, 2, labels)
	if err != nil {
		return Report{}, nil, err
	}
	p := classOne(logits, n.Temperature)
	threshold := bestThreshold(p, labels)
	return r.answered(n.decide(p, groups, threshold), labels), &Fitted{threshold, best}, nil
}

// Probabilities returns the probability of class 1 that the policy decides from, for logits
// [rows, 2].
func (n NullPolicy) Probabilities(logits []float64) []float64 {
	if n.Strategy == NullCalibrated {
		return classOne(logits, n.Temperature)
	}
	return classOne(logits, 1)
}

// Decide answers items that have no labels, from their probabilities and groups (see
// Evaluate). threshold is the fitted one and counts for calibrated alone.
func (n NullPolicy) Decide(p []float64, groups []int, threshold float64) ([]bool, error) {
	if err := n.Validate(); err != nil {
		return nil, fmt.Errorf("decide: %w", err)
	}
	if len(groups) != len(p) {
		return nil, fmt.Errorf("decide: %d groups for %d items", len(groups), len(p))
	}
	if n.Strategy == NullCalibrated && !(threshold >= 0 && threshold <= 1) {
		return nil, fmt.Errorf("decide: fitted threshold %v is not allowed; allowed: a number from 0 to 1", threshold)
	}
	return n.decide(p, groups, threshold), nil
}

func (n NullPolicy) decide(p []float64, groups []int, threshold float64) []bool {
	yes := make([]bool, len(p))
	switch n.Strategy {
	case NullNone:
		threshold = 0.5
	case NullThreshold:
		threshold = n.Threshold
	case NullRatio:
		top := map[int]float64{}
		for i, g := range groups {
			top[g] = max(top[g], p[i])
		}
		for i, g := range groups {
			yes[i] = top[g] >= 0.5 && p[i] >= n.Ratio*top[g]
		}
		return yes
	}
	for i, v := range p {
		yes[i] = v >= threshold
	}
	return yes
}

// answered replaces what a report says of the answers.
func (r Report) answered(yes []bool, labels []int) Report {
	predicted := make([]int, len(labels))
	for i, y := range yes {
		if y {
			predicted[i] = 1
		}
	}
	m := NewConfusion(predicted, labels, 2)
	r.F1Macro, r.Accuracy = m.F1Macro(), m.Accuracy()
	return r
}

// classOne returns each row's probability of class 1 at a temperature.
func classOne(logits []float64, temperature float64) []float64 {
	p := make([]float64, len(logits)/2)
	for i := range p {
		p[i] = 1 / (1 + math.Exp((logits[2*i]-logits[2*i+1])/temperature))
	}
	return p
}

// bestThreshold returns the threshold from which on yes gives the highest F1-macro. Every
// threshold between two neighbouring probabilities gives the same answers: the middle stands
// for them, and of equally good ones the one that is nearest to 0.5, then the lower.
func bestThreshold(p []float64, labels []int) float64 {
	order := make([]int, len(p))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(p[a], p[b]) })
	m := Confusion{{0, 0}, {0, 0}} // everything is answered with yes
	for _, y := range labels {
		m[y][1]++
	}
	best, bestF1, below := 0.0, math.Inf(-1), 0.0
	consider := func(from, to float64) {
		middle := from + (to-from)/2
		if middle <= from { // no number lies between them
			middle = to
		}
		f1 := m.F1Macro()
		if f1 > bestF1 || f1 == bestF1 && math.Abs(middle-0.5) < math.Abs(best-0.5) {
			best, bestF1 = middle, f1
		}
	}
	for i := 0; i < len(order); {
		here := p[order[i]]
		consider(below, here)
		for ; i < len(order) && p[order[i]] == here; i++ {
			y := labels[order[i]]
			m[y][1]--
			m[y][0]++
		}
		below = here
	}
	if below < 1 {
		consider(below, 1)
	}
	return best
}
