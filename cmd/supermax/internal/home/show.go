package home

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

// ShowLines returns a Show for a log or a pipe: a line whenever a trial has moved on, at
// most one every few seconds.
func ShowLines(w io.Writer, every time.Duration) func(Progress) {
	var last time.Time
	var before protocol.Counts
	return func(p Progress) {
		now := time.Now()
		if !p.Opened && (p.Counts == before || now.Sub(last) < every) {
			return
		}
		last, before = now, p.Counts
		fmt.Fprintln(w, line(p))
	}
}

// ShowScreen returns a Show for a terminal: the line and the rung table, drawn anew in
// place. A stage's last picture stays when the next one opens.
func ShowScreen(w io.Writer) func(Progress) {
	drawn := 0
	return func(p Progress) {
		if p.Opened {
			drawn = 0
		}
		lines := append([]string{line(p)}, rungTable(p)...)
		var b strings.Builder
		if drawn > 0 {
			fmt.Fprintf(&b, "\x1b[%dA", drawn)
		}
		for _, l := range lines {
			fmt.Fprintf(&b, "\r\x1b[2K%s\n", l)
		}
		drawn = len(lines)
		_, _ = io.WriteString(w, b.String()) // a terminal that is gone sees nothing
	}
}

// line says in one line how far a stage is.
func line(p Progress) string {
	var b strings.Builder
	c := p.Counts
	fmt.Fprintf(&b, "%s %s %-7s  done %d, running %d, paused %d, failed %d of %d", p.Study, p.Stage, stageNames[p.Stage],
		c.Completed, c.Running, c.Paused, c.Failed, c.Limit)
	if p.Best != nil {
		fmt.Fprintf(&b, "  best F1 %.3f ECE %.3f (trial %d)", p.Best.F1Macro, p.Best.ECE, p.Trial)
	}
	if p.Rate > 0 {
		fmt.Fprintf(&b, "  %.1f reports/min, %s gone, about %s left", p.Rate, p.Elapsed.Round(time.Second), p.Left.Round(time.Second))
	}
	if p.Cost > 0 {
		fmt.Fprintf(&b, ", cost %.2f, about %.2f to come", p.Cost, p.ToSpend)
	}
	return b.String()
}

// rungTable says how many trials reported at each rung.
func rungTable(p Progress) []string {
	var lines []string
	for i, r := range p.Rungs {
		row := fmt.Sprintf("  rung %d  %3d epochs  %4d reported", i, r.Epochs, r.Reported)
		if r.Reported > 0 {
			row += fmt.Sprintf("  best F1 %.3f", r.Best)
		}
		lines = append(lines, row)
	}
	return lines
}
