package metrics

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/supermax-hpo/supermax/tests/goldentest"
)

// readGolden decodes metrics/NAME.
func readGolden(t *testing.T, name string, into any) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(goldentest.Dir(t, "metrics"), name))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, into); err != nil {
		t.Fatalf("read %s: %v", name, err)
	}
}

// goldenCase is one entry of cases.json: the fields that are measured here.
type goldenCase struct {
	ID           int
	Kind         string
	Logits       json.RawMessage
	Labels       json.RawMessage
	F1Macro      float64    `json:"f1_macro"`
	F1Binary     float64    `json:"f1_binary"`
	F1PerClass   []float64  `json:"f1_per_class"`
	Accuracy     float64    `json:"accuracy"`
	AUROC        *float64   `json:"auroc"`
	AUROCByClass []*float64 `json:"auroc_per_class"`
	NLL          float64    `json:"nll"`
	BrierBinary  float64    `json:"brier_binary"`
	BrierSum     float64    `json:"brier_sum"`
	BrierMean    float64    `json:"brier_mean"`
	ECE          float64    `json:"ece15_top1"`
	ECEFlat      float64    `json:"ece15_top1_flattened"`
	Accuracies   float64    `json:"accuracy_elementwise"`
	Temperature  struct {
		T       float64
		NLL     float64 `json:"nll_at_T"`
		AtBound bool    `json:"at_bound"`
	}
}

// near fails when two values differ by more than the golden README's tolerance.
func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance) {
		t.Errorf("%s is %.15g, want %.15g", what, got, want)
	}
}

const (
	loose = 1e-9
	tight = 1e-12
)

func TestGoldenCases(t *testing.T) {
	var cases []goldenCase
	readGolden(t, "cases.json", &cases)
	if len(cases) == 0 {
		t.Fatal("cases.json has no case")
	}
	for _, c := range cases {
		t.Run(fmt.Sprintf("%s-%d", c.Kind, c.ID), func(t *testing.T) {
			decode := func(data json.RawMessage, into any) {
				if err := json.Unmarshal(data, into); err != nil {
					t.Fatal(err)
				}
			}
			var rows [][]float64
			var flat []float64
			var labels []int
			var many [][]int
			switch {
			case c.Kind == "binary":
				decode(c.Logits, &flat)
				decode(c.Labels, &labels)
				checkBinary(t, c, flat, labels)
			case len(c.F1PerClass) > 0:
				decode(c.Logits, &rows)
				decode(c.Labels, &many)
				checkMultilabel(t, c, rows, many)
			default:
				decode(c.Logits, &rows)
				decode(c.Labels, &labels)
				checkMulticlass(t, c, rows, labels)
			}
		})
	}
}

// twoClasses turns logits of class 1 into rows of two: softmax(0, z) = sigmoid(z).
func twoClasses(z []float64) []float64 {
	var out []float64
	for _, v := range z {
		out = append(out, 0, v)
	}
	return out
}

// checkTemperature compares the likelihoods at both best temperatures, which tell them
// apart where it is flat.
func checkTemperature(t *testing.T, c goldenCase, logits []float64, classes int, labels []int) {
	t.Helper()
	best, err := BestTemperature(logits, classes, labels)
	if err != nil {
		t.Fatal(err)
	}
	if atBound := best == MinTemperature || best == MaxTemperature; atBound != c.Temperature.AtBound {
		t.Errorf("the best temperature is %v, want %v (at a bound: %t)", best, c.Temperature.T, c.Temperature.AtBound)
	}
	scaled := slices.Clone(logits)
	for i := range scaled {
		scaled[i] /= best
	}
	r, err := Evaluate(scaled, classes, labels)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "NLL at the best temperature", r.NLL, c.Temperature.NLL, loose)
}

func checkAUROC(t *testing.T, what string, got *float64, want *float64) {
	t.Helper()
	if (got == nil) != (want == nil) {
		t.Errorf("%s: defined %t, want %t", what, got != nil, want != nil)
	} else if want != nil {
		near(t, what, *got, *want, tight)
	}
}

func checkBinary(t *testing.T, c goldenCase, z []float64, labels []int) {
	r, err := Evaluate(twoClasses(z), 2, labels)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "F1-macro", r.F1Macro, c.F1Macro, tight)
	near(t, "accuracy", r.Accuracy, c.Accuracy, tight)
	near(t, "ECE", r.ECE, c.ECE, loose)
	near(t, "NLL", r.NLL, c.NLL, loose)
	near(t, "Brier", r.Brier, c.BrierBinary, loose)
	checkTemperature(t, c, twoClasses(z), 2, labels)
	checkAUROC(t, "AUROC", r.AUROC, c.AUROC)
	var predicted []int
	for _, v := range z {
		if v >= 0 {
			predicted = append(predicted, 1)
		} else {
			predicted = append(predicted, 0)
		}
	}
	near(t, "F1 of class 1", NewConfusion(predicted, labels, 2).F1(1), c.F1Binary, tight)
}

func checkMulticlass(t *testing.T, c goldenCase, rows [][]float64, labels []int) {
	classes := len(rows[0])
	r, err := Evaluate(slices.Concat(rows...), classes, labels)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "F1-macro", r.F1Macro, c.F1Macro, tight)
	near(t, "accuracy", r.Accuracy, c.Accuracy, tight)
	near(t, "ECE", r.ECE, c.ECE, loose)
	near(t, "NLL", r.NLL, c.NLL, loose)
	near(t, "Brier", r.Brier, c.BrierSum, loose)
	checkTemperature(t, c, slices.Concat(rows...), classes, labels)
	for class, want := range c.AUROCByClass {
		var scores []float64
		var positive []bool
		for i, row := range rows {
			scores = append(scores, math.Exp(row[class]-logSumExp(row)))
			positive = append(positive, labels[i] == class)
		}
		checkAUROC(t, fmt.Sprintf("AUROC of class %d", class), defined(AUROC(scores, positive)), want)
	}
}

// checkMultilabel takes every (row, label) pair as a row of two classes.
func checkMultilabel(t *testing.T, c goldenCase, rows [][]float64, labels [][]int) {
	r, err := Evaluate(twoClasses(slices.Concat(rows...)), 2, slices.Concat(labels...))
	if err != nil {
		t.Fatal(err)
	}
	near(t, "accuracy", r.Accuracy, c.Accuracies, tight)
	near(t, "ECE", r.ECE, c.ECEFlat, loose)
	near(t, "NLL", r.NLL, c.NLL, loose)
	near(t, "Brier", r.Brier, c.BrierMean, loose)
	checkTemperature(t, c, twoClasses(slices.Concat(rows...)), 2, slices.Concat(labels...))
	mean := 0.0
	for class, want := range c.F1PerClass {
		var predicted, y []int
		var scores []float64
		var positive []bool
		for i, row := range rows {
			p := 0
			if row[class] >= 0 {
				p = 1
			}
			predicted, y = append(predicted, p), append(y, labels[i][class])
			scores, positive = append(scores, row[class]), append(positive, labels[i][class] == 1)
		}
		f1 := NewConfusion(predicted, y, 2).F1(1)
		near(t, fmt.Sprintf("F1 of label %d", class), f1, want, tight)
		mean += f1 / float64(len(c.F1PerClass))
		checkAUROC(t, fmt.Sprintf("AUROC of label %d", class), defined(AUROC(scores, positive)), c.AUROCByClass[class])
	}
	near(t, "F1-macro", mean, c.F1Macro, tight)
}

func defined(v float64, ok bool) *float64 {
	if !ok {
		return nil
	}
	return &v
}

func TestGoldenFolds(t *testing.T) {
	var golden struct {
		Indices map[string]struct {
			Groups      []int
			KFold       [][]int `json:"kfold"`
			GroupKFold  [][]int `json:"groupkfold_shuffle42"`
			Permutation []int   `json:"permutation_RandomState42"`
		} `json:"test_indices"`
	}
	readGolden(t, "folds.json", &golden)
	if len(golden.Indices) == 0 {
		t.Fatal("folds.json has no case")
	}
	for name, want := range golden.Indices {
		t.Run(name, func(t *testing.T) {
			n := len(want.Groups)
			if diff := cmp.Diff(want.Permutation, NewRandomState(42).Permutation(n)); diff != "" {
				t.Errorf("permutation (-want +got):\n%s", diff)
			}
			folds, err := KFold(n, len(want.KFold), 42)
			if diff := cmp.Diff(want.KFold, folds); err != nil || diff != "" {
				t.Errorf("KFold: %v (-want +got):\n%s", err, diff)
			}
			folds, err = GroupKFold(want.Groups, len(want.GroupKFold), 42)
			if diff := cmp.Diff(want.GroupKFold, folds); err != nil || diff != "" {
				t.Errorf("GroupKFold: %v (-want +got):\n%s", err, diff)
			}
			// Where every row is its own group, the held-out rows are the first
			// ⌈fraction·n⌉ of the permutation (scikit-learn's ShuffleSplit).
			rows := make([]int, n)
			for i := range rows {
				rows[i] = i
			}
			expect := slices.Sorted(slices.Values(want.Permutation[:(n+4)/5]))
			_, held, err := GroupSplit(rows, 0.2, 42)
			if diff := cmp.Diff(expect, held); err != nil || diff != "" {
				t.Errorf("GroupSplit: %v (-want +got):\n%s", err, diff)
			}
		})
	}
}
