package report

import (
	"cmp"
	"fmt"
	"html/template"
	"slices"

	"github.com/supermax-hpo/supermax/shared/protocol"
	"github.com/supermax-hpo/supermax/shared/results"
	"github.com/supermax-hpo/supermax/shared/study"
)

// progress draws every report of a search stage in the order in which they came, and the
// best so far.
func progress(state *study.State, stage protocol.Stage) template.HTML {
	reports := state.Accepted(stage)
	slices.SortStableFunc(reports, func(a, b study.Report) int { return a.At.Compare(b.At) })
	every := series{class: "c0"}
	best := series{class: "c1", line: true, step: true}
	top := 0.0
	for i, r := range reports {
		every.x, every.y = append(every.x, float64(i+1)), append(every.y, r.Value.F1Macro)
		every.titles = append(every.titles, fmt.Sprintf("trial %d, rung %d (epoch %d): F1-macro %.4f, ECE %.4f", r.Trial, r.Rung, r.ToEpoch, r.Value.F1Macro, r.Value.ECE))
		top = max(top, r.Value.F1Macro)
		best.x, best.y = append(best.x, float64(i+1)), append(best.y, top)
	}
	return chart{"reports, in order", "F1-macro", []series{every, best}, true}.svg()
}

// pareto draws a stage's trials by both objectives, the front joined by a line.
func pareto(state *study.State, stage protocol.Stage) template.HTML {
	title := func(t study.Trial, v study.Value) string {
		return fmt.Sprintf("trial %d (rung %d): F1-macro %.4f, ECE %.4f", t.Number, t.Rung, v.F1Macro, v.ECE)
	}
	all := series{class: "c0"}
	for _, t := range state.Best(stage) {
		v, _ := t.Value()
		all.x, all.y = append(all.x, v.ECE), append(all.y, v.F1Macro)
		all.titles = append(all.titles, title(t, v))
	}
	front := series{class: "c1", line: true}
	for _, t := range state.Pareto(stage) {
		v, _ := t.Value()
		front.x, front.y = append(front.x, v.ECE), append(front.y, v.F1Macro)
		front.titles = append(front.titles, title(t, v))
	}
	return chart{"ECE (lower is better)", "F1-macro (higher is better)", []series{all, front}, false}.svg()
}

// curves draws each trial's F1-macro by epoch, mean over its seeds, in the colour of the
// rung that it reached.
func curves(state *study.State, stage protocol.Stage, rows []results.Row) template.HTML {
	type point struct {
		sum float64
		n   int
	}
	byTrial := map[int]map[int]point{}
	for _, r := range rows {
		if r.Stage != stage || r.Epoch == 0 {
			continue
		}
		if byTrial[r.Trial] == nil {
			byTrial[r.Trial] = map[int]point{}
		}
		p := byTrial[r.Trial][r.Epoch]
		byTrial[r.Trial][r.Epoch] = point{p.sum + r.F1Macro, p.n + 1}
	}
	c := chart{xLabel: "epoch", yLabel: "F1-macro", whole: true}
	rungs := state.Rungs(stage)
	for _, t := range state.Trials(stage) {
		epochs := byTrial[t.Number]
		if len(epochs) == 0 {
			continue
		}
		s := series{class: rungClass(rungs, t), line: true}
		for e := range epochs {
			s.x = append(s.x, float64(e))
		}
		slices.SortFunc(s.x, cmp.Compare[float64])
		for _, e := range s.x {
			p := epochs[int(e)]
			s.y = append(s.y, p.sum/float64(p.n))
		}
		if len(s.x) == 1 { // a line of one point is not to be seen
			s.titles = []string{fmt.Sprintf("trial %d: F1-macro %.4f", t.Number, s.y[0])}
		}
		c.series = append(c.series, s)
	}
	return c.svg()
}

// rungColours is how many colours the page has for rungs.
const rungColours = 6

// rungColour is that of the i-th of n rungs; neighbours share one where there are many.
func rungColour(i, n int) string {
	if n > rungColours {
		i = i * rungColours / n
	}
	return fmt.Sprintf("c%d", i)
}

// rungClass is the colour of the rung at which a trial reported last.
func rungClass(rungs []int, t study.Trial) string {
	at := 0
	if n := len(t.Reports); n > 0 {
		at = max(0, slices.Index(rungs, t.Reports[n-1].ToEpoch))
	}
	return rungColour(at, len(rungs))
}

// rungKeys explains the colours of the rungs.
func rungKeys(rungs []int) []key {
	var keys []key
	first := 0
	for i, epoch := range rungs {
		class := rungColour(i, len(rungs))
		if k := len(keys); k > 0 && keys[k-1].Class == class {
			keys[k-1].Name = fmt.Sprintf("epochs %d to %d", first, epoch)
			continue
		}
		first = epoch
		keys = append(keys, key{class, fmt.Sprintf("epoch %d", epoch)})
	}
	return keys
}
