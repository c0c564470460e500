package baseline

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/supermax-hpo/supermax/batchjob/dataset"
)

func TestTokens(t *testing.T) {
	// The pattern keeps runs of two or more word characters; an apostrophe is none.
	want := []string{"don", "sleep", "hello_world", "42", "café", "über"}
	if d := cmp.Diff(want, tokens("I don't sleep, a hello_world 42! Café Über x")); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestFitTFIDFRefusesNoTerms(t *testing.T) {
	if _, err := FitTFIDF([]string{"a !", ""}, TermOptions{}); err == nil || !strings.Contains(err.Error(), "no term is left") {
		t.Errorf("got %v, want that no term is left", err)
	}
}

// One feature that is 1 in every row of label 1 and absent elsewhere. With s = w + b for the
// rows of label 1 and b for the others, the optimum has w = c·n·σ(−s) by the gradient in w
// and n·σ(−s) = n·σ(b) by that in b, so b = −w/2 and w = c·n·σ(−w/2).
func TestLogisticOptimum(t *testing.T) {
	const n, c = 10, 0.7
	var rows []Vector
	var labels []int
	for range n {
		rows = append(rows, Vector{Index: []int{0}, Value: []float64{1}}, Vector{})
		labels = append(labels, 1, 0)
	}
	m, err := FitLogistic(rows, labels, 1, c, false)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "bias", m.Bias, -m.Weights[0]/2, 1e-7)
	near(t, "weight", m.Weights[0], c*n*sigmoid(-m.Weights[0]/2), 1e-7)
}

// Balancing 3 rows of label 0 and 1 of label 1 weighs them 4/6 and 4/2: the bias alone then
// fits ln(weight₁·1 / weight₀·3) = ln(2 / 2) = 0, without balance ln(1/3).
func TestLogisticBalance(t *testing.T) {
	rows := make([]Vector, 4)
	labels := []int{0, 0, 1, 0}
	for balanced, want := range map[bool]float64{true: 0, false: math.Log(1. / 3)} {
		m, err := FitLogistic(rows, labels, 0, 1, balanced)
		if err != nil {
			t.Fatal(err)
		}
		near(t, fmt.Sprintf("bias, balanced %v", balanced), m.Bias, want, 1e-7)
	}
}

func TestLogisticRefuses(t *testing.T) {
	rows := make([]Vector, 2)
	if _, err := FitLogistic(rows, []int{1, 1}, 0, 1, false); err == nil || !strings.Contains(err.Error(), "0 pairs with label 0 and 2 with label 1; both are needed") {
		t.Errorf("one label: got %v", err)
	}
	for _, c := range []float64{0, -1, math.NaN(), math.Inf(1)} {
		if _, err := FitLogistic(rows, []int{0, 1}, 0, c, false); err == nil || !strings.Contains(err.Error(), "it must be positive") {
			t.Errorf("C = %v: got %v", c, err)
		}
	}
	bad := []Vector{{Index: []int{0}, Value: []float64{math.NaN()}}, {}}
	if _, err := FitLogistic(bad, []int{0, 1}, 1, 1, false); err == nil {
		t.Error("a NaN feature was fitted")
	}
}

// At the minimum no direction descends: the gradient vanishes, whatever the data.
func TestLogisticGradientVanishes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const features = 4
		n := rapid.IntRange(2, 30).Draw(t, "rows")
		rows := make([]Vector, n)
		labels := make([]int, n)
		for i := range rows {
			labels[i] = i % 2
			for j := range features {
				if rapid.Bool().Draw(t, "there") {
					rows[i].Index = append(rows[i].Index, j)
					rows[i].Value = append(rows[i].Value, rapid.Float64Range(-3, 3).Draw(t, "value"))
				}
			}
		}
		c := rapid.Float64Range(0.01, 100).Draw(t, "c")
		m, err := FitLogistic(rows, labels, features, c, rapid.Bool().Draw(t, "balanced"))
		if err != nil {
			t.Fatal(err)
		}
		// Labels alternate, so with an even n balance changes nothing; check that case.
		if n%2 == 1 {
			return
		}
		grad := append(append([]float64(nil), m.Weights...), 0)
		for i, row := range rows {
			slope := c * (m.Probability(row) - float64(labels[i]))
			for k, j := range row.Index {
				grad[j] += slope * row.Value[k]
			}
			grad[features] += slope
		}
		for j, g := range grad {
			if math.Abs(g) > 1e-6*c*float64(n) {
				t.Fatalf("gradient %d is %v at the minimum", j, g)
			}
		}
	})
}

// corpus makes posts whose label of "mood" is plain from one word; "hope" is always 0.
func corpus(posts int) []dataset.Example {
	var examples []dataset.Example
	for i := range posts {
		text, label := "a sunny day outside", 0
		if i%3 == 0 {
			text, label = "a gloomy day outside", 1
		}
		post := fmt.Sprintf("p%02d", i)
		examples = append(examples, dataset.Example{ID: post + "/mood", PostID: post, CriterionID: "mood", B: text, Label: label})
	}
	return examples
}

func TestRun(t *testing.T) {
	examples := corpus(60)
	r, err := Run(context.Background(), examples, Defaults())
	if err != nil {
		t.Fatal(err)
	}
	// Label 1 is a third: answering 0 gives F1 2·40/(2·40+20) = 0.8 for label 0 and 0 for
	// label 1.
	want := Score{Pairs: 60, Positive: 20, F1Macro: 1, Majority: 0.4}
	if d := cmp.Diff(want, r.All); d != "" {
		t.Errorf("all (-want +got):\n%s", d)
	}
	want.CriterionID = "mood"
	if d := cmp.Diff([]Score{want}, r.Criteria); d != "" {
		t.Errorf("criteria (-want +got):\n%s", d)
	}
	if d := cmp.Diff([]float64{1, 1, 1, 1, 1}, r.Folds); d != "" {
		t.Errorf("folds (-want +got):\n%s", d)
	}
	parts, err := dataset.Folds(examples, 5, 42)
	if err != nil {
		t.Fatal(err)
	}
	for fold, part := range parts {
		for _, row := range part.Valid {
			p := r.Predictions[row]
			if p.Fold != fold || p.ExampleID != examples[row].ID || p.Label != examples[row].Label || (p.Probability >= 0.5) != (p.Label == 1) {
				t.Errorf("example %d is predicted as %+v", row, p)
			}
		}
	}
	again, err := Run(context.Background(), examples, Defaults())
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(r, again); d != "" {
		t.Errorf("a second run differs (-first +second):\n%s", d)
	}
	var b bytes.Buffer
	if err := r.WriteTable(&b); err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"mood 60 33.3 % 1.000 0.400", "all pooled 60 33.3 %", "F1-macro by fold: 1.000, 1.000"} {
		if !strings.Contains(squeeze(b.String()), line) {
			t.Errorf("the table lacks %q:\n%s", line, b.String())
		}
	}
}

// Where label 1 is the more frequent one, the majority answers 1.
func TestRunMajority(t *testing.T) {
	examples := corpus(60)
	for i := range examples {
		examples[i].Label = 1 - examples[i].Label
	}
	r, err := Run(context.Background(), examples, Defaults())
	if err != nil {
		t.Fatal(err)
	}
	near(t, "majority", r.All.Majority, 0.4, 1e-12)
}

func TestRunRefuses(t *testing.T) {
	rare := corpus(60)
	for i := range rare {
		other := rare[i]
		other.CriterionID, other.ID, other.Label = "hope", other.PostID+"/hope", 0
		rare = append(rare, other)
	}
	lone := append(corpus(60), dataset.Example{ID: "p00/hope", PostID: "p00", CriterionID: "hope", B: "a gloomy day", Label: 1})
	blank := corpus(60)
	for i := range blank {
		blank[i].B = "!"
	}
	for name, c := range map[string]struct {
		examples []dataset.Example
		folds    int
		want     string
	}{
		"a criterion without label 1": {rare, 5, "run the baseline on fold 0: criterion hope: fit logistic regression: 48 pairs with label 0 and 0 with label 1"},
		"a criterion in one fold":     {lone, 5, "criterion hope"},
		"no words":                    {blank, 5, "no term is left"},
		"one fold":                    {corpus(60), 1, "run the baseline: make folds by post: "},
	} {
		o := Defaults()
		o.Folds = c.folds
		_, err := Run(context.Background(), c.examples, o)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want …%s…", name, err, c.want)
		}
	}
}

func TestRunStopsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Run(ctx, corpus(60), Defaults()); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context canceled", err)
	}
}

type fullDisk struct{ room int }

func (d *fullDisk) Write(p []byte) (int, error) {
	if d.room -= len(p); d.room < 0 {
		return 0, errors.New("no space left")
	}
	return len(p), nil
}

func TestWriteTableFails(t *testing.T) {
	r, err := Run(context.Background(), corpus(60), Defaults())
	if err != nil {
		t.Fatal(err)
	}
	var whole bytes.Buffer
	if err := r.WriteTable(&whole); err != nil {
		t.Fatal(err)
	}
	for _, room := range []int{0, whole.Len() - 1} {
		if err := r.WriteTable(&fullDisk{room}); err == nil || !strings.Contains(err.Error(), "print the baseline: no space left") {
			t.Errorf("room for %d bytes: got %v", room, err)
		}
	}
}

// squeeze turns runs of blanks into one.
func squeeze(s string) string { return strings.Join(strings.Fields(s), " ") }
