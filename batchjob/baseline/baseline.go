// Package baseline measures what a classifier without a transformer reaches on a corpus:
// TF-IDF of one and two words and a logistic regression for each criterion, cross-validated
// with the same folds as stage C. A study that does not beat it has not shown anything.
package baseline

import (
	"context"
	"fmt"
	"slices"

	"github.com/supermax-hpo/supermax/batchjob/dataset"
	"github.com/supermax-hpo/supermax/shared/metrics"
)

// Options sizes the benchmark. [Defaults] are those of the README's figures.
type Options struct {
	Terms    TermOptions
	C        float64 // inverse strength of the L2 penalty
	Balanced bool    // weigh the labels by their inverse frequency
	Folds    int
	Seed     int64 // of the folds
}

// Defaults returns the options that the benchmark is reported with.
func Defaults() Options {
	return Options{Terms: TermOptions{MaxN: 2, Sublinear: true}, C: 1, Balanced: true, Folds: 5, Seed: 42}
}

// A Result holds what the benchmark measured. All figures are of predictions on folds that
// the model was not trained on.
type Result struct {
	Criteria    []Score // in the examples' order
	All         Score   // over all pairs pooled
	Folds       []float64
	Predictions []Prediction // one an example, in the examples' order
}

// A Score compares the baseline with the majority class on some pairs.
type Score struct {
	CriterionID string // empty: all criteria together
	Pairs       int
	Positive    int     // pairs with label 1
	F1Macro     float64 // of the baseline, predicting 1 from a probability of 0.5 on
	Majority    float64 // F1-macro of the training folds' most frequent label
}

// A Prediction is the out-of-fold answer for one example.
type Prediction struct {
	ExampleID   string
	Fold        int // the fold that was held out
	Probability float64
	Label       int
}

// Run cross-validates the baseline on the examples, grouped by post. It fails when a
// criterion lacks one of the labels in a training part.
func Run(ctx context.Context, examples []dataset.Example, o Options) (*Result, error) {
	parts, err := dataset.Folds(examples, o.Folds, o.Seed)
	if err != nil {
		return nil, fmt.Errorf("run the baseline: %w", err)
	}
	r := &Result{Predictions: make([]Prediction, len(examples))}
	majority := make([]int, len(examples))
	for fold, part := range parts {
		if err := r.fold(ctx, examples, o, fold, part, majority); err != nil {
			return nil, fmt.Errorf("run the baseline on fold %d: %w", fold, err)
		}
		labels, answers := r.answers(examples, part.Valid)
		r.Folds = append(r.Folds, metrics.NewConfusion(answers, labels, 2).F1Macro())
	}
	all := make([]int, len(examples))
	for i := range all {
		all[i] = i
	}
	r.All = r.score("", examples, all, majority)
	order, rows := byCriterion(examples, all)
	for _, id := range order {
		r.Criteria = append(r.Criteria, r.score(id, examples, rows[id], majority))
	}
	return r, nil
}

// fold trains on one part and fills in the predictions of its held-out rows.
func (r *Result) fold(ctx context.Context, examples []dataset.Example, o Options, fold int, part dataset.Part, majority []int) error {
	terms, err := FitTFIDF(distinctTexts(examples, part.Train), o.Terms)
	if err != nil {
		return err
	}
	vectors := map[string]Vector{}
	vector := func(row int) Vector {
		text := examples[row].B
		v, ok := vectors[text]
		if !ok {
			v = terms.Transform(text)
			vectors[text] = v
		}
		return v
	}
	trainOrder, train := byCriterion(examples, part.Train)
	_, valid := byCriterion(examples, part.Valid)
	for id := range valid {
		if !slices.Contains(trainOrder, id) {
			return fmt.Errorf("criterion %s has no pair in the training part", id)
		}
	}
	for _, id := range trainOrder {
		if err := ctx.Err(); err != nil {
			return err
		}
		vectors := make([]Vector, len(train[id]))
		for i, row := range train[id] {
			vectors[i] = vector(row)
		}
		labels := dataset.Labels(examples, train[id])
		model, err := FitLogistic(vectors, labels, terms.Features(), o.C, o.Balanced)
		if err != nil {
			return fmt.Errorf("criterion %s: %w", id, err)
		}
		positive := 0
		for _, y := range labels {
			positive += y
		}
		for _, row := range valid[id] {
			r.Predictions[row] = Prediction{examples[row].ID, fold, model.Probability(vector(row)), examples[row].Label}
			if 2*positive > len(labels) {
				majority[row] = 1
			}
		}
	}
	return nil
}

// answers returns the labels and the predicted labels of some rows.
func (r *Result) answers(examples []dataset.Example, rows []int) (labels, answers []int) {
	labels = dataset.Labels(examples, rows)
	answers = make([]int, len(rows))
	for i, row := range rows {
		if r.Predictions[row].Probability >= 0.5 {
			answers[i] = 1
		}
	}
	return labels, answers
}

func (r *Result) score(id string, examples []dataset.Example, rows, majority []int) Score {
	labels, answers := r.answers(examples, rows)
	s := Score{CriterionID: id, Pairs: len(rows)}
	most := make([]int, len(rows))
	for i, row := range rows {
		s.Positive += labels[i]
		most[i] = majority[row]
	}
	s.F1Macro = metrics.NewConfusion(answers, labels, 2).F1Macro()
	s.Majority = metrics.NewConfusion(most, labels, 2).F1Macro()
	return s
}

// byCriterion sorts rows by criterion; order is that of first appearance.
func byCriterion(examples []dataset.Example, rows []int) (order []string, of map[string][]int) {
	of = map[string][]int{}
	for _, row := range rows {
		id := examples[row].CriterionID
		if of[id] == nil {
			order = append(order, id)
		}
		of[id] = append(of[id], row)
	}
	return order, of
}

// distinctTexts returns each post's or sentence's text once, however many criteria it is
// paired with.
func distinctTexts(examples []dataset.Example, rows []int) []string {
	type source struct{ post, sentence string }
	seen := map[source]bool{}
	var texts []string
	for _, row := range rows {
		e := examples[row]
		key := source{e.PostID, e.SentenceID}
		if !seen[key] {
			seen[key] = true
			texts = append(texts, e.B)
		}
	}
	return texts
}
