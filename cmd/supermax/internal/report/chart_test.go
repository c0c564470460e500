package report

import (
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestTicks(t *testing.T) {
	for _, tt := range []struct {
		scale scale
		whole bool
		want  []string
	}{
		{scale{0, 1}, false, []string{"0", "0.2", "0.4", "0.6", "0.8", "1"}},
		{scale{-0.3, 0.7}, false, []string{"-0.2", "0", "0.2", "0.4", "0.6"}},
		{scale{0.61, 0.66}, false, []string{"0.61", "0.62", "0.63", "0.64", "0.65", "0.66"}},
		{scale{0, 2.04}, true, []string{"0", "1", "2"}},
		{scale{0, 21}, true, []string{"0", "5", "10", "15", "20"}},
		{scale{0, 1040}, true, []string{"0", "500", "1000"}},
	} {
		var got []string
		for _, v := range tt.scale.ticks(tt.whole) {
			got = append(got, label(v))
		}
		if d := cmp.Diff(tt.want, got); d != "" {
			t.Errorf("%v (-want +got):\n%s", tt.scale, d)
		}
	}
	if got := label(math.Copysign(0, -1)); got != "0" {
		t.Errorf("minus zero is %s", got)
	}
}

func TestPadded(t *testing.T) {
	inf := math.Inf(1)
	for _, tt := range []struct{ scale, want scale }{
		{scale{inf, -inf}, scale{0, 1}},              // no value
		{scale{1, 2}, scale{0.96, 2.04}},             // 4 %
		{scale{2, 2}, scale{1.8, 2.2}},               // 10 % of the value
		{scale{0, 0}, scale{-0.05, 0.05}},            // nor of nothing
		{scale{0.5, 0.5 + 1e-16}, scale{0.45, 0.55}}, // rounding
	} {
		if d := cmp.Diff(tt.want, tt.scale.padded(), cmp.AllowUnexported(scale{}), cmp.Comparer(func(a, b float64) bool { return math.Abs(a-b) < 1e-12 })); d != "" {
			t.Errorf("%v (-want +got):\n%s", tt.scale, d)
		}
	}
}

// Whatever the values, the chart is drawn, within its frame, with a few ticks.
func TestChartOfAnything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.OneOf(rapid.Float64Range(-1e6, 1e6), rapid.SampledFrom([]float64{0, 0.7, 0.7 + 1e-16, math.NaN(), math.Inf(1)})), 0, 8)
		s := series{class: "c0", x: values.Draw(t, "x"), line: true, step: rapid.Bool().Draw(t, "step")}
		for range s.x {
			s.y = append(s.y, values.Filter(func(v []float64) bool { return len(v) > 0 }).Draw(t, "y")[0])
			s.titles = append(s.titles, "x")
		}
		c := chart{"x", "y", []series{s}, rapid.Bool().Draw(t, "whole")}
		x, y, any := c.ranges()
		if x.low >= x.high && !c.whole || y.low >= y.high {
			t.Fatalf("scales %v, %v", x, y)
		}
		for _, ticks := range [][]float64{x.ticks(c.whole), y.ticks(false)} {
			if len(ticks) > 11 {
				t.Fatalf("ticks %v", ticks)
			}
		}
		if got := string(c.svg()); strings.Contains(got, "NaN") || strings.Contains(got, "Inf") || strings.Contains(got, "nothing was reported") == any {
			t.Fatal(got)
		}
	})
}
