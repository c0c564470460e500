package report

import (
	"fmt"
	"math"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/supermax-hpo/supermax/cmd/supermax/internal/trainertest"
	"github.com/supermax-hpo/supermax/shared/config"
	"github.com/supermax-hpo/supermax/shared/space"
	"github.com/supermax-hpo/supermax/shared/study"
	"github.com/supermax-hpo/supermax/shared/study/analysis"
)

// shares are importances for objectives, of parameters by their shares.
func shares(target int, objectives string, params ...any) analysis.StageImportances {
	one := analysis.StageImportances{Objectives: strings.Split(objectives, "+"), Epoch: 3}
	one.Results, one.Target = 10*target, target
	for i := 0; i < len(params); i += 2 {
		one.Params = append(one.Params, analysis.Importance{Param: params[i].(string), Share: params[i+1].(float64)})
	}
	return one
}

var rect = regexp.MustCompile(`<rect class="bar (c\d)" x="([\d.]+)" y="([\d.]+)" width="([\d.]+)" height="13"><title>([^<]*)</title>`)

// drawn returns the bars of a drawing: class, x, width, title.
func drawn(svg string) []string {
	var all []string
	for _, m := range rect.FindAllStringSubmatch(svg, -1) {
		all = append(all, strings.Join([]string{m[1], m[2], m[4], m[5]}, " "))
	}
	return all
}

// The room is 640 − 190 − 54 = 396, for the longest bar.
func TestImportances(t *testing.T) {
	one := string(importances([]analysis.StageImportances{shares(6, "f1_macro", "lr", 0.5, "head", 0.25, "drop", 0.25, "none", 0.0)}))
	want := []string{
		"c1 190.0 396.0 lr, for F1-macro: 50.0 %",
		"c1 190.0 198.0 head, for F1-macro: 25.0 %",
		"c1 190.0 198.0 drop, for F1-macro: 25.0 %",
	}
	if d := cmp.Diff(want, drawn(one)); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	contains(t, one, ">50 %</text>", ">head</text>")
	lacks(t, one, ">none<")

	three := []analysis.StageImportances{
		shares(4, "f1_macro+ece", "lr", 0.6, "head", 0.4),
		shares(4, "f1_macro", "head", 0.8, "lr", 0.2),
		shares(4, "ece", "lr", 1.0, "head", 0.0),
	}
	want = []string{
		"c1 190.0 237.6 lr, for F1-macro and ECE: 60.0 %", "c2 190.0 79.2 lr, for F1-macro: 20.0 %", "c3 190.0 396.0 lr, for ECE: 100.0 %",
		"c1 190.0 158.4 head, for F1-macro and ECE: 40.0 %", "c2 190.0 316.8 head, for F1-macro: 80.0 %",
	}
	if d := cmp.Diff(want, drawn(string(importances(three)))); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if d := cmp.Diff([]key{{"c1", "F1-macro and ECE"}, {"c2", "F1-macro"}, {"c3", "ECE"}}, importanceKeys(three)); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	for target, want := range map[int]string{
		4: "4 of 40 trials, compared at epoch 3 (PED-ANOVA). So few say little more than chance.",
		5: "5 of 50 trials, compared at epoch 3 (PED-ANOVA).",
	} {
		if got := importanceBase(shares(target, "ece")); !strings.HasSuffix(got, want) {
			t.Errorf("%q, want …%q", got, want)
		}
	}
	if got := importances([]analysis.StageImportances{shares(0, "ece", "lr", 0.0)}); got != "" {
		t.Errorf("without any importance %s is drawn", got)
	}
}

// However many parameters there are, the chart shows those that matter most.
func TestImportancesOfMany(t *testing.T) {
	var params []any
	for i := range 40 {
		params = append(params, fmt.Sprintf("p%02d", i), 1.0/40)
	}
	for sets, rows := range map[int]int{1: 12, 3: 8} {
		var all []analysis.StageImportances
		for range sets {
			all = append(all, shares(5, "ece", params...))
		}
		if got := len(drawn(string(importances(all)))); got != rows*sets {
			t.Errorf("%d bars, want %d rows of %d", got, rows, sets)
		}
	}
}

// The room is 640 − 74 − 210 = 356 for 4 trials: 89 each.
func TestSurvival(t *testing.T) {
	value := &study.Value{F1Macro: 0.5, ECE: 0.1}
	got := string(survival([]analysis.Rung{
		{Epoch: 0, Reached: 4, Going: 1},
		{Epoch: 2, Reached: 3, Paused: 1, Failed: 1, Best: value, Median: &study.Value{F1Macro: 0.25}},
		{Epoch: 20, Reached: 1, Completed: 1, Best: value, Median: value},
	}))
	want := []string{
		"c3 74.0 267.0 started: 3 went on or completed", "c2 341.0 89.0 started: 1 under way",
		"c3 74.0 89.0 epoch 2: 1 went on or completed", "c0 163.0 89.0 epoch 2: 1 paused here", "c1 252.0 89.0 epoch 2: 1 failed",
		"c3 74.0 89.0 epoch 20: 1 went on or completed",
	}
	if d := cmp.Diff(want, drawn(got)); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	contains(t, got, ">4</text>", ">3 · best 0.500, median 0.250</text>", ">epoch 20</text>")
}

func TestHypervolume(t *testing.T) {
	moments := []analysis.Moment{{At: time.Time{}, SlotHours: 0.5, Hypervolume: 0.25}, {SlotHours: 1, Hypervolume: 0.5}}
	contains(t, string(hypervolume(moments)), "slot minutes", ">30</text>", ">60</text>", `<path class="line c1" d="M`)
	moments = append(moments, analysis.Moment{SlotHours: 2, Hypervolume: 0.5})
	contains(t, string(hypervolume(moments)), "slot hours")
	contains(t, string(hypervolume(nil)), "nothing was reported yet")
}

// lines are n trials over a learning rate and a head that is off in every second.
func lines(n int) analysis.Parallel {
	p := analysis.Parallel{Axes: []analysis.Axis{
		{Param: "optim.lr", Kind: space.FloatRange, Low: 1e-6, High: 1e-2, Log: true},
		{Param: "<head>", Kind: space.Categorical, Choices: []space.Value{space.String("cls"), space.String("mean")}},
	}}
	for i := range n {
		off := analysis.Places{0.5, 1}
		if i%2 == 1 {
			off[1] = math.NaN()
		}
		p.Lines = append(p.Lines, analysis.Line{Trial: i, Epoch: 4, Value: study.Value{F1Macro: 1 - float64(i)/float64(n), ECE: 0.25}, Places: off})
	}
	return p
}

func TestParallel(t *testing.T) {
	// Three axes at 30, 528 and 1026; places from 330 up to 46, off at 358.
	got := string(parallel(lines(2), false))
	contains(t, got, `viewBox="0 0 1100 378"`, `<path class="thin c1" d="M30.0 188.0L528.0 46.0L1026.0 46.0"><title>trial 0, epoch 4: F1-macro 1.0000, ECE 0.2500</title>`,
		`<path class="thin c0" d="M30.0 188.0L528.0 358.0L1026.0 330.0">`, ">optim.</text>", ">lr</text>", ">1e-06</text>", ">0.01</text>",
		">&lt;head&gt;</text>", ">mean</text>", ">off</text>", ">F1-macro</text>", ">1.000</text>", ">0.500</text>")
	lacks(t, got, ">ECE<", "<head>")
	if strings.Index(got, "thin c0") > strings.Index(got, "thin c1") {
		t.Error("the others are drawn over the best")
	}
	// One trial: nothing is off, and its value stands in the middle of its axis.
	contains(t, string(parallel(lines(1), true)), `viewBox="0 0 1100 350"`, `d="M30.0 188.0L362.0 46.0L694.0 188.0L1026.0 188.0"`, ">ECE</text>")
	if got := parallel(analysis.Parallel{}, true); got != "" {
		t.Errorf("without trials %s is drawn", got)
	}
	for n, want := range map[int][2]int{10: {1, 9}, 11: {2, 9}, 440: {44, 396}, 1500: {150, 338}, 10000: {150, 394}} {
		got := string(parallel(lines(n), true))
		if best, others := strings.Count(got, "thin c1"), strings.Count(got, "thin c0"); best != want[0] || others != want[1] {
			t.Errorf("of %d trials %d and %d are drawn, want %v", n, best, others, want)
		}
	}
}

func TestMarks(t *testing.T) {
	var many []space.Value
	for i := range maxLabels + 1 {
		many = append(many, space.Int(i))
	}
	for _, tt := range []struct {
		axis analysis.Axis
		want []mark
	}{
		{analysis.Axis{Kind: space.IntRange, Low: 8, High: 2048}, []mark{{0, "8"}, {1, "2048"}}},
		{analysis.Axis{Kind: space.FloatRange, Low: 0.00125, High: 1}, []mark{{0, "0.00125"}, {1, "1"}}},
		{analysis.Axis{Kind: space.Categorical, Choices: many[:3]}, []mark{{0, "0"}, {0.5, "1"}, {1, "2"}}},
		{analysis.Axis{Kind: space.Categorical, Choices: many}, []mark{{0, "0"}, {1, "9"}}},
	} {
		if d := cmp.Diff(tt.want, marks(tt.axis), cmp.AllowUnexported(mark{})); d != "" {
			t.Errorf("(-want +got):\n%s", d)
		}
	}
}

// The drawings stand on the page, those of both goals in stage B alone.
func TestAnalysisOnThePage(t *testing.T) {
	world := trainertest.NewWorld(t, func(c *config.Study) { c.Stages.A.Trials, c.Stages.B.Trials = 20, 10 })
	world.Walk("A", "B")
	page := write(t, world.Now(), world.Rows())
	a, b, _ := strings.Cut(page, "Stage B · refine")
	for _, part := range []string{a, b} {
		contains(t, part, "Trials that came to each rung", ">started</text>", "What matters", "compared at epoch", "Where the trials lie")
	}
	contains(t, a, "the best 2<")
	contains(t, b, "the best 1<", "Hypervolume of all reports so far", "Best by:", "F1-macro and ECE are as last reported")
	lacks(t, a, "Hypervolume", "Best by:", "ECE are")
}
