package metrics

import (
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// logit is the two-class row whose class 1 has probability p.
func logit(p float64) []float64 { return []float64{0, math.Log(p / (1 - p))} }

func logits(p ...float64) []float64 {
	var z []float64
	for _, v := range p {
		z = append(z, logit(v)...)
	}
	return z
}

// Eight items of three groups. The table says which ones each policy answers with yes;
// F1-macro and accuracy follow from the counts beside it.
func TestNullPoliciesByHand(t *testing.T) {
	p := []float64{0.9, 0.7, 0.2, 0.6, 0.3, 0.4, 0.3, 0.1}
	groups := []int{7, 7, 7, 2, 2, 5, 5, 5}
	labels := []int{1, 1, 0, 0, 1, 0, 1, 0}
	for _, c := range []struct {
		name         string
		policy       NullPolicy
		tp, fp, fn   int // of class 1; the other two counts follow
		wantAccuracy float64
	}{
		// yes: 0.9 (1), 0.7 (1), 0.6 (0)
		{"none", NullPolicy{Strategy: NullNone}, 2, 1, 2, 5.0 / 8},
		// yes: also 0.3 (1), 0.4 (0), 0.3 (1)
		{"threshold 0.25", NullPolicy{Strategy: NullThreshold, Threshold: 0.25}, 4, 2, 0, 6.0 / 8},
		// everything
		{"threshold 0", NullPolicy{Strategy: NullThreshold}, 4, 4, 0, 4.0 / 8},
		{"threshold 1", NullPolicy{Strategy: NullThreshold, Threshold: 1}, 0, 0, 4, 4.0 / 8},
		// group 7: from 0.54 on: 0.9, 0.7; group 2: from 0.36 on: 0.6 alone; group 5 has no 0.5
		{"ratio 0.6", NullPolicy{Strategy: NullRatio, Ratio: 0.6}, 2, 1, 2, 5.0 / 8},
		// group 7: from 0.18 on: all; group 2: from 0.12 on: both; group 5: none
		{"ratio 0.2", NullPolicy{Strategy: NullRatio, Ratio: 0.2}, 3, 2, 1, 5.0 / 8},
		// Down from the top: yes to the first k of 0.9+ 0.7+ 0.6- 0.4- 0.3+ 0.3+ 0.2- 0.1-. F1-macro is
		// (F1₀ + F1₁)/2: k=2: (8/10 + 4/6)/2 = 0.733, k=6: (4/6 + 8/10)/2 = 0.733. The
		// thresholds are 0.65 and 0.25: 0.65 is nearer to a half.
		{"calibrated", NullPolicy{Strategy: NullCalibrated, Temperature: 1}, 2, 0, 2, 6.0 / 8},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, fitted, err := c.policy.Evaluate(logits(p...), labels, groups)
			if err != nil {
				t.Fatal(err)
			}
			tn := len(p) - c.tp - c.fp - c.fn
			f1 := func(hits, misses int) float64 { return 2 * float64(hits) / float64(2*hits+misses) }
			near(t, "F1-macro", r.F1Macro, (f1(c.tp, c.fp+c.fn)+f1(tn, c.fp+c.fn))/2, tight)
			near(t, "accuracy", r.Accuracy, c.wantAccuracy, tight)
			if (fitted != nil) != (c.policy.Strategy == NullCalibrated) {
				t.Errorf("fitted %+v", fitted)
			}
			if fitted != nil {
				near(t, "threshold", fitted.Threshold, 0.65, tight)
			}
			// What is measured of the probabilities is that of the plain ones.
			plain, err := Evaluate(logits(p...), 2, labels)
			if err != nil {
				t.Fatal(err)
			}
			if r.ECE != plain.ECE || r.NLL != plain.NLL || r.Brier != plain.Brier || *r.AUROC != *plain.AUROC {
				t.Errorf("probabilities measured %+v, want %+v", r, plain)
			}
		})
	}
}

// Logits ±2·log 3 at temperature 2 are ±log 3: p = 3/4 and 1/4. Of four items, three are
// right: ECE = |3/4 − 3/4| = 0 where it is |0.9 − 0.75| = 0.15 without. Three right of four
// is the likelihood's best temperature, so that it is 2 as well.
func TestCalibratedTemperatureByHand(t *testing.T) {
	z := 2 * math.Log(3)
	rows := []float64{0, z, 0, z, 0, -z, 0, -z}
	labels := []int{1, 1, 0, 1}
	r, fitted, err := NullPolicy{Strategy: NullCalibrated, Temperature: 2}.Evaluate(rows, labels, make([]int, 4))
	if err != nil {
		t.Fatal(err)
	}
	near(t, "ECE", r.ECE, 0, tight)
	near(t, "NLL", r.NLL, (3*math.Log(4.0/3)+math.Log(4))/4, tight)
	near(t, "best temperature", fitted.BestTemperature, 2, 1e-12)
	near(t, "threshold", fitted.Threshold, 0.5, tight)
	r, fitted, err = NullPolicy{Strategy: NullCalibrated, Temperature: 1}.Evaluate(rows, labels, make([]int, 4))
	if err != nil {
		t.Fatal(err)
	}
	near(t, "ECE at 1", r.ECE, 0.15, tight)
	near(t, "best temperature at 1", fitted.BestTemperature, 2, 1e-12)
}

func TestNullPolicyRefuses(t *testing.T) {
	for want, policy := range map[string]NullPolicy{
		`null.strategy "never" is not allowed; allowed: none, threshold, ratio, calibrated`: {Strategy: "never"},
		`null.strategy "" is not allowed`:         {},
		"null.threshold 1.5 is not allowed":       {Strategy: NullThreshold, Threshold: 1.5},
		"null.threshold NaN is not allowed":       {Strategy: NullThreshold, Threshold: math.NaN()},
		"null.ratio -0.5 is not allowed":          {Strategy: NullRatio, Ratio: -0.5},
		"null.temperature 0 is not allowed":       {Strategy: NullCalibrated},
		"null.temperature +Inf is not allowed":    {Strategy: NullCalibrated, Temperature: math.Inf(1)},
		"evaluate: 1 groups for 2 rows":           {Strategy: NullNone},
		"evaluate: null.temperature -1 is not al": {Strategy: NullCalibrated, Temperature: -1},
	} {
		_, _, err := policy.Evaluate([]float64{0, 1, 0, 1}, []int{0, 1}, []int{1})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want …%s…", policy, err, want)
		}
	}
	for _, strategy := range []string{NullNone, NullThreshold, NullRatio, NullCalibrated} {
		policy := NullPolicy{Strategy: strategy, Temperature: 1}
		if _, _, err := policy.Evaluate([]float64{0, math.NaN()}, []int{1}, []int{0}); err == nil {
			t.Errorf("%s measures NaN", strategy)
		}
		// Logits beyond what probabilities can show are no fault.
		if _, _, err := policy.Evaluate([]float64{-1e4, 1e4, 1e4, -1e4}, []int{1, 0}, []int{0, 1}); err != nil {
			t.Errorf("%s: %v", strategy, err)
		}
	}
}

// Items without labels are answered as those with them.
func TestDecide(t *testing.T) {
	p, groups := []float64{0.9, 0.5, 0.2, 0.6, 0.3, 0.4}, []int{1, 1, 1, 2, 2, 3}
	for _, c := range []struct {
		policy    NullPolicy
		threshold float64
		want      []bool
	}{
		{NullPolicy{Strategy: NullNone}, 0.9, []bool{true, true, false, true, false, false}},
		{NullPolicy{Strategy: NullThreshold, Threshold: 0.3}, 0.9, []bool{true, true, false, true, true, true}},
		{NullPolicy{Strategy: NullRatio, Ratio: 0.5}, 0.9, []bool{true, true, false, true, true, false}},
		{NullPolicy{Strategy: NullCalibrated, Temperature: 2}, 0.55, []bool{true, false, false, true, false, false}},
	} {
		if got, err := c.policy.Decide(p, groups, c.threshold); err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%+v: %v, %v, want %v", c.policy, got, err, c.want)
		}
	}
	for want, err := range map[string]error{
		"null.strategy":         second(NullPolicy{}.Decide(p, groups, 0)),
		"1 groups for 6 items":  second(NullPolicy{Strategy: NullNone}.Decide(p, []int{1}, 0)),
		"fitted threshold NaN ": second(NullPolicy{Strategy: NullCalibrated, Temperature: 1}.Decide(p, groups, math.NaN())),
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want …%s…", err, want)
		}
	}
	z := []float64{0, math.Log(3), math.Log(9), 0}
	for i, want := range []float64{0.75, 0.1} {
		near(t, "p", NullPolicy{Strategy: NullThreshold}.Probabilities(z)[i], want, tight)
	}
	near(t, "p at 2", NullPolicy{Strategy: NullCalibrated, Temperature: 2}.Probabilities(z)[1], 0.25, tight)
}

func second(_ []bool, err error) error { return err }

// drawItems makes logits of two classes, with labels and groups.
func drawItems(t *rapid.T) (z []float64, labels, groups []int) {
	n := rapid.IntRange(1, 40).Draw(t, "n")
	for range n {
		// Eighths: differences that no probability rounds away.
		z = append(z, float64(rapid.IntRange(-160, 160).Draw(t, "z0"))/8, float64(rapid.IntRange(-6, 6).Draw(t, "z1")))
		labels = append(labels, rapid.IntRange(0, 1).Draw(t, "label"))
		groups = append(groups, rapid.IntRange(0, 5).Draw(t, "group"))
	}
	return z, labels, groups
}

// The fitted threshold is as good as the best of all that tell the items apart, at every
// temperature, and so never worse than one half.
func TestCalibratedIsBest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		z, labels, groups := drawItems(t)
		temperature := rapid.Float64Range(0.5, 3).Draw(t, "temperature")
		r, fitted, err := NullPolicy{Strategy: NullCalibrated, Temperature: temperature}.Evaluate(z, labels, groups)
		if err != nil {
			t.Fatal(err)
		}
		if !(fitted.Threshold >= 0 && fitted.Threshold <= 1) {
			t.Fatalf("threshold %v", fitted.Threshold)
		}
		p := classOne(z, temperature)
		for _, threshold := range append(slices.Clone(p), 0.5, 1) {
			other := Report{}.answered(NullPolicy{Strategy: NullThreshold, Threshold: threshold}.decide(p, nil, 0), labels)
			if other.F1Macro > r.F1Macro {
				t.Fatalf("F1-macro %v at %v, %v at the fitted %v", other.F1Macro, threshold, r.F1Macro, fitted.Threshold)
			}
		}
		if plain, err := Evaluate(z, 2, labels); err != nil || plain.F1Macro > r.F1Macro {
			t.Fatalf("F1-macro %v without a policy, %v with (%v)", plain.F1Macro, r.F1Macro, err)
		}
	})
}

// No temperature of a fine grid is likelier than the best one.
func TestBestTemperatureIsBest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		z, labels, _ := drawItems(t)
		best, err := BestTemperature(z, 2, labels)
		if err != nil {
			t.Fatal(err)
		}
		nll := func(temperature float64) float64 {
			scaled := slices.Clone(z)
			for i := range scaled {
				scaled[i] /= temperature
			}
			r, err := Evaluate(scaled, 2, labels)
			if err != nil {
				t.Fatal(err)
			}
			return r.NLL
		}
		least := nll(best)
		for temperature := MinTemperature; temperature <= MaxTemperature; temperature *= 1.3 {
			if other := nll(temperature); other < least-1e-12*(1+least) {
				t.Fatalf("NLL %v at %v, %v at the best %v", other, temperature, least, best)
			}
		}
	})
}

// A threshold of one half and a ratio over groups of one item are the policy none; which
// numbers the groups have, and the order of the items, do not matter.
func TestPolicyIdentities(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		z, labels, groups := drawItems(t)
		measure := func(policy NullPolicy, z []float64, labels, groups []int) Report {
			r, _, err := policy.Evaluate(z, labels, groups)
			if err != nil {
				t.Fatal(err)
			}
			return r
		}
		none := measure(NullPolicy{Strategy: NullNone}, z, labels, groups)
		alone := make([]int, len(groups))
		for i := range alone {
			alone[i] = i
		}
		ratio := NullPolicy{Strategy: NullRatio, Ratio: rapid.Float64Range(0, 1).Draw(t, "ratio")}
		if r := measure(ratio, z, labels, alone); r.F1Macro != none.F1Macro || r.Accuracy != none.Accuracy {
			t.Fatalf("ratio over single items: %+v, want %+v", r, none)
		}
		half := measure(NullPolicy{Strategy: NullThreshold, Threshold: 0.5}, z, labels, groups)
		if half.F1Macro != none.F1Macro {
			t.Fatalf("threshold of one half: %+v, want %+v", half, none)
		}
		renamed := make([]int, len(groups))
		for i, g := range groups {
			renamed[i] = 100 - 3*g
		}
		before := measure(ratio, z, labels, groups)
		if r := measure(ratio, z, labels, renamed); r.F1Macro != before.F1Macro {
			t.Fatalf("other numbers of the groups: %+v, want %+v", r, before)
		}
		var z2 []float64
		var labels2, groups2 []int
		for i := range slices.Backward(labels) {
			z2, labels2, groups2 = append(z2, z[2*i:2*i+2]...), append(labels2, labels[i]), append(groups2, groups[i])
		}
		if r := measure(ratio, z2, labels2, groups2); r.F1Macro != before.F1Macro || r.Accuracy != before.Accuracy {
			t.Fatalf("backwards: %+v, want %+v", r, before)
		}
	})
}
