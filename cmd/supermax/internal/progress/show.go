package progress

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/supermax-hpo/supermax/shared/protocol"
)

// stageNames are the stages in words.
var stageNames = map[protocol.Stage]string{
	protocol.StageA: "explore",
	protocol.StageB: "refine",
	protocol.StageC: "confirm",
}

// Lines returns a show function for a log or a pipe: a line whenever a trial has moved on, at
// most one every so often, and one when a stage is opened or left.
func Lines(w io.Writer, every time.Duration) func(Status) {
	var last time.Time
	var before protocol.Counts
	return func(p Status) {
		now := time.Now()
		if !p.Opened && (p.Counts == before || !p.Left && now.Sub(last) < every) {
			return
		}
		last, before = now, p.Counts
		fmt.Fprintln(w, line(p))
	}
}

// Screen returns a show function for a terminal: the line and the rung table, drawn anew in
// place. A stage's last picture stays when the next one opens. width returns the
// terminal's width in characters, or 0 when it has none: a longer line would wrap, and
// the next picture would be drawn in the wrong place.
func Screen(w io.Writer, width func() int) func(Status) {
	drawn := 0
	return func(p Status) {
		if p.Opened {
			drawn = 0
		}
		lines := append(lines(p), rungTable(p)...)
		var b strings.Builder
		if drawn > 0 {
			fmt.Fprintf(&b, "\x1b[%dA", drawn)
		}
		columns := width()
		for i := range max(drawn, len(lines)) {
			text := ""
			if i < len(lines) {
				text = cut(lines[i], columns)
			}
			fmt.Fprintf(&b, "\r\x1b[2K%s\n", text)
		}
		drawn = max(drawn, len(lines))
		_, _ = io.WriteString(w, b.String()) // a terminal that is gone sees nothing
	}
}

// cut shortens a line to one less than the columns, so that no terminal wraps it.
func cut(text string, columns int) string {
	runes := []rune(text)
	if columns <= 1 || len(runes) < columns {
		return text
	}
	return string(runes[:columns-2]) + "…"
}

// line says in one line how far a stage is.
func line(p Status) string { return strings.Join(lines(p), "  ") }

// lines are the parts of [line] that a screen shows below one another.
func lines(p Status) []string {
	c := p.Counts
	list := []string{fmt.Sprintf("%s %s %-7s  done %d, running %d, paused %d, failed %d of %d", p.Study, p.Stage, stageNames[p.Stage],
		c.Completed, c.Running, c.Paused, c.Failed, c.Limit)}
	if p.Best != nil {
		what := "trial"
		if p.Stage == protocol.StageC {
			what = "over its folds, trial"
		}
		list = append(list, fmt.Sprintf("best F1 %.3f ECE %.3f (%s %d)", p.Best.F1Macro, p.Best.ECE, what, p.Trial))
	}
	if p.Rate > 0 {
		pace := fmt.Sprintf("%.1f reports/min, %s gone", p.Rate, duration(p.Elapsed))
		if p.ToGo > 0 {
			pace += fmt.Sprintf(", about %s left", duration(p.ToGo))
		}
		list = append(list, pace)
	}
	if p.Cost > 0 {
		list = append(list, fmt.Sprintf("cost %.2f, about %.2f to come", p.Cost, p.ToSpend))
	}
	return list
}

// duration writes a duration to what matters of it: 42s, 3m20s, 5h07m, 12d3h.
func duration(d time.Duration) string {
	switch d = d.Round(time.Second); {
	case d < time.Minute:
		return fmt.Sprintf("%ds", d/time.Second)
	case d < time.Hour:
		return fmt.Sprintf("%dm%02ds", d/time.Minute, d%time.Minute/time.Second)
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh%02dm", d/time.Hour, d%time.Hour/time.Minute)
	}
	return fmt.Sprintf("%dd%dh", d/(24*time.Hour), d%(24*time.Hour)/time.Hour)
}

// rungTable says how many trials reported at each rung.
func rungTable(p Status) []string {
	var table []string
	for i, r := range p.Rungs {
		row := fmt.Sprintf("  rung %d  %3d epochs  %4d reported", i, r.Epochs, r.Reported)
		if r.Best > 0 {
			row += fmt.Sprintf("  best F1 %.3f", r.Best)
		}
		table = append(table, row)
	}
	return table
}
