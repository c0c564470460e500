package metrics

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestMT19937(t *testing.T) {
	// The first output of init_genrand(5489), and the 10,000th, which the C++ standard
	// (ISO/IEC 14882, rand.predef) requires of mt19937.
	r := NewRandomState(5489)
	if got := r.Uint32(); got != 3499211612 {
		t.Errorf("first output %d, want 3499211612", got)
	}
	for range 9998 {
		r.Uint32()
	}
	if got := r.Uint32(); got != 4123659995 {
		t.Errorf("10000th output %d, want 4123659995", got)
	}
}

func TestEvaluateByHand(t *testing.T) {
	// Two rows at p = 1/2 and one at p₁ = 3/4: predictions 1, 1, 1 of labels 0, 1, 1.
	// F1 of class 1 = 4/5, of class 0 = 0. NLL = (2·log 2 + log 4/3)/3.
	// Brier = (1/4 + 1/4 + 1/16)/3. Bins: {½, ½} with one right, {¾} right:
	// ECE = (|1 − 1| + |1 − ¾|)/3 = 1/12. AUROC: one tie of two pairs, one won: 3/4.
	r, err := Evaluate([]float64{0, 0, 5, 5, 0, math.Log(3)}, 2, []int{0, 1, 1})
	if err != nil {
		t.Fatal(err)
	}
	near(t, "F1-macro", r.F1Macro, 0.4, tight)
	near(t, "accuracy", r.Accuracy, 2.0/3, tight)
	near(t, "NLL", r.NLL, (2*math.Log(2)+math.Log(4.0/3))/3, tight)
	near(t, "Brier", r.Brier, (0.25+0.25+0.0625)/3, tight)
	near(t, "ECE", r.ECE, 1.0/12, tight)
	near(t, "AUROC", *r.AUROC, 0.75, tight)
	if got := MajorityF1Macro([]int{1, 1, 0}, []int{0, 1, 1}, 2); math.Abs(got-0.4) > tight {
		t.Errorf("majority F1-macro %v, want 0.4", got)
	}
	if got := MajorityF1Macro([]int{0, 1}, []int{0}, 2); got != 0.5 {
		t.Errorf("majority of a tie is class 0 with F1-macro 1/2, got %v", got)
	}
}

func TestEvaluateRefuses(t *testing.T) {
	for name, tt := range map[string]struct {
		logits  []float64
		classes int
		labels  []int
	}{
		"no rows":        {nil, 2, nil},
		"one class":      {[]float64{1}, 1, []int{0}},
		"length":         {[]float64{1, 2, 3}, 2, []int{0}},
		"label too high": {[]float64{1, 2}, 2, []int{2}},
		"label below":    {[]float64{1, 2}, 2, []int{-1}},
		"NaN":            {[]float64{1, math.NaN()}, 2, []int{1}},
		"infinite":       {[]float64{1, math.Inf(1)}, 2, []int{1}},
	} {
		if _, err := Evaluate(tt.logits, tt.classes, tt.labels); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestNoRows(t *testing.T) {
	if a := NewConfusion(nil, nil, 2).Accuracy(); a != 0 {
		t.Errorf("accuracy of no rows %v", a)
	}
	if e := ECE(nil, nil); e != 0 {
		t.Errorf("ECE of no rows %v", e)
	}
	if _, ok := AUROC([]float64{math.NaN(), 1}, []bool{true, false}); ok {
		t.Error("AUROC of NaN is defined")
	}
}

// Every measure stays in its range, and huge logits do not overflow.
func TestEvaluateRanges(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		classes := rapid.IntRange(2, 5).Draw(t, "classes")
		labels := rapid.SliceOfN(rapid.IntRange(0, classes-1), 1, 30).Draw(t, "labels")
		logits := rapid.SliceOfN(rapid.Float64Range(-1e6, 1e6), classes*len(labels), classes*len(labels)).Draw(t, "logits")
		r, err := Evaluate(logits, classes, labels)
		if err != nil {
			t.Fatal(err)
		}
		for what, v := range map[string]float64{"F1": r.F1Macro, "ECE": r.ECE, "accuracy": r.Accuracy, "Brier": r.Brier / 2} {
			if !(v >= 0 && v <= 1+1e-12) {
				t.Errorf("%s is %v", what, v)
			}
		}
		if !(r.NLL >= -1e-12) || math.IsInf(r.NLL, 0) {
			t.Errorf("NLL is %v", r.NLL)
		}
	})
}

// Splits hold every row once and never part a group.
func TestSplitsPartition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		groups := rapid.SliceOfN(rapid.StringMatching("[a-f]{1,2}"), 2, 60).Draw(t, "groups")
		seed := rapid.Uint32().Draw(t, "seed")
		unique := len(distinct(groups))
		if unique < 2 {
			return
		}
		check := func(parts ...[]int) {
			owner := map[string]int{}
			all := slices.Sorted(slices.Values(slices.Concat(parts...)))
			for i, row := range all {
				if row != i {
					t.Fatalf("rows %v are not 0 to %d", all, len(groups)-1)
				}
			}
			for part, rows := range parts {
				for _, row := range rows {
					if other, ok := owner[groups[row]]; ok && other != part {
						t.Fatalf("group %s is in parts %d and %d", groups[row], other, part)
					}
					owner[groups[row]] = part
				}
			}
			if len(all) != len(groups) {
				t.Fatalf("%d rows of %d", len(all), len(groups))
			}
		}
		folds, err := GroupKFold(groups, rapid.IntRange(2, unique).Draw(t, "k"), seed)
		if err != nil {
			t.Fatal(err)
		}
		check(folds...)
		fraction := rapid.Float64Range(0.01, 0.5).Draw(t, "fraction")
		train, held, err := GroupSplit(groups, fraction, seed)
		if err != nil {
			t.Fatal(err)
		}
		check(train, held)
	})
}

func TestSplitsRefuse(t *testing.T) {
	if _, err := KFold(3, 4, 1); err == nil {
		t.Error("4 folds of 3 rows: no error")
	}
	if _, err := GroupKFold([]int{1, 1, 2}, 3, 1); err == nil {
		t.Error("3 folds of 2 groups: no error")
	}
	for _, fraction := range []float64{0, 1, math.NaN(), 0.9} {
		if _, _, err := GroupSplit([]int{1, 2}, fraction, 1); err == nil {
			t.Errorf("hold out %v of 2 groups: no error", fraction)
		}
	}
}
