package report

import (
	"fmt"
	"html/template"
	"strings"

	"github.com/supermax-hpo/supermax/shared/study/analysis"
)

// topBars is how many bars the chart of the importances has at most.
const topBars = 24

// goalNames are what the page calls the objectives.
var goalNames = map[string]string{"f1_macro": "F1-macro", "f1_per_dollar": "F1-macro per dollar", "ece": "ECE"}

// importances draws how much the parameters matter, those that matter most for all of the
// stage's objectives first. Nothing is drawn when nothing can be said.
func importances(all []analysis.StageImportances) template.HTML {
	c := bars{label: "importance of each parameter", left: 190, right: 54}
	for i, v := range all[0].Params {
		if i*len(all) >= topBars || i >= topBars/2 || v.Share == 0 {
			break
		}
		row := barRow{name: v.Param}
		for k, one := range all {
			share := shareOf(one, v.Param)
			row.lines = append(row.lines, barLine{
				bars: []bar{{class: importanceClass(k), share: share, title: fmt.Sprintf("%s, for %s: %.1f %%", v.Param, goalsOf(one), 100*share)}},
				note: fmt.Sprintf("%.0f %%", 100*share),
			})
		}
		c.rows = append(c.rows, row)
	}
	if len(c.rows) == 0 {
		return ""
	}
	c.stretch()
	return c.svg()
}

// stretch makes the longest bar as long as there is room for: what counts is how the bars
// compare, and the notes hold the figures.
func (c bars) stretch() {
	longest := 0.0
	for _, row := range c.rows {
		for _, line := range row.lines {
			longest = max(longest, line.bars[0].share)
		}
	}
	for _, row := range c.rows {
		for _, line := range row.lines {
			line.bars[0].share /= longest
		}
	}
}

func shareOf(one analysis.StageImportances, param string) float64 {
	for _, v := range one.Params {
		if v.Param == param {
			return v.Share
		}
	}
	return 0
}

// importanceClass is the colour of the stage's objectives together, then of each.
func importanceClass(k int) string { return []string{"c1", "c2", "c3"}[k] }

func goalsOf(one analysis.StageImportances) string {
	var names []string
	for _, o := range one.Objectives {
		names = append(names, goalNames[o])
	}
	return strings.Join(names, " and ")
}

// A key explains a colour.
type key struct{ Class, Name string }

func importanceKeys(all []analysis.StageImportances) []key {
	if len(all) < 2 {
		return nil
	}
	var keys []key
	for k, one := range all {
		keys = append(keys, key{importanceClass(k), goalsOf(one)})
	}
	return keys
}

// importanceBase says what the importances rest on.
func importanceBase(one analysis.StageImportances) string {
	text := fmt.Sprintf("How much each parameter decides whether a trial is among the best tenth: %d of %d trials, compared at epoch %d (PED-ANOVA).", one.Target, one.Results, one.Epoch)
	if one.Target < 5 {
		text += " So few say little more than chance."
	}
	return text
}

// The fates of a trial at a rung.
var survivalKeys = []key{{"c3", "went on or completed"}, {"c2", "under way"}, {"c0", "paused here"}, {"c1", "failed"}}

// survival draws how many trials came to each rung and what became of them.
func survival(rungs []analysis.Rung) template.HTML {
	c := bars{label: "trials that came to each rung", left: 74, right: 210}
	all := float64(rungs[0].Reached)
	for _, r := range rungs {
		row := barRow{name: fmt.Sprintf("epoch %d", r.Epoch)}
		line := barLine{note: fmt.Sprint(r.Reached)}
		if r.Epoch == 0 {
			row.name = "started"
		} else {
			line.note += fmt.Sprintf(" · best %.3f, median %.3f", r.Best.F1Macro, r.Median.F1Macro)
		}
		for k, n := range []int{r.Reached - r.Going - r.Paused - r.Failed, r.Going, r.Paused, r.Failed} {
			line.bars = append(line.bars, bar{survivalKeys[k].Class, float64(n) / all, fmt.Sprintf("%s: %d %s", row.name, n, survivalKeys[k].Name)})
		}
		row.lines = []barLine{line}
		c.rows = append(c.rows, row)
	}
	return c.svg()
}

// hypervolume draws how the hypervolume grew with the slot hours.
func hypervolume(moments []analysis.Moment) template.HTML {
	unit, name := 1.0, "slot hours"
	if len(moments) > 0 && moments[len(moments)-1].SlotHours < 2 {
		unit, name = 60, "slot minutes"
	}
	line := series{class: "c1", line: true, step: true}
	for _, m := range moments {
		line.x, line.y = append(line.x, m.SlotHours*unit), append(line.y, m.Hypervolume)
	}
	return chart{name, "hypervolume", []series{line}, false}.svg()
}
