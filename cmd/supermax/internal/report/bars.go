package report

import (
	"fmt"
	"html"
	"html/template"
	"strings"
)

// bars are rows of horizontal bars, drawn as SVG.
type bars struct {
	label       string  // what a screen reader says of them
	left, right float64 // room for names and notes
	rows        []barRow
}

// A barRow is a name and one or more lines of bars.
type barRow struct {
	name  string
	lines []barLine
}

// A barLine is bars end to end, and a note behind them.
type barLine struct {
	bars []bar
	note string
}

// A bar takes a share of the width, from 0 to 1.
type bar struct {
	class string
	share float64
	title string
}

// The bars' height and the gaps between lines and between rows, in SVG units.
const barHeight, barGap, rowGap = 13.0, 2.0, 9.0

// svg draws the rows from top to bottom.
func (c bars) svg() template.HTML {
	var b strings.Builder
	high := 2 * marginTop
	for _, row := range c.rows {
		high += row.height() + rowGap
	}
	high -= rowGap
	fmt.Fprintf(&b, `<svg viewBox="0 0 %g %g" role="img" aria-label="%s">`, width, high, html.EscapeString(c.label))
	whole := width - c.left - c.right
	y := marginTop
	for _, row := range c.rows {
		fmt.Fprintf(&b, `<text class="axis" x="%g" y="%.1f" text-anchor="end">%s</text>`, c.left-8, y+row.height()/2+4, html.EscapeString(row.name))
		for _, line := range row.lines {
			x := c.left
			for _, bar := range line.bars {
				w := bar.share * whole
				if w <= 0 {
					continue
				}
				fmt.Fprintf(&b, `<rect class="bar %s" x="%.1f" y="%.1f" width="%.1f" height="%g"><title>%s</title></rect>`,
					bar.class, x, y, max(w, 1), barHeight, html.EscapeString(bar.title))
				x += w
			}
			fmt.Fprintf(&b, `<text class="tick" x="%.1f" y="%.1f">%s</text>`, max(x, c.left+1)+6, y+barHeight-3, html.EscapeString(line.note))
			y += barHeight + barGap
		}
		y += rowGap - barGap
	}
	b.WriteString(`</svg>`)
	return template.HTML(b.String()) //nolint:gosec // built above from numbers and escaped words
}

func (r barRow) height() float64 { return float64(len(r.lines))*(barHeight+barGap) - barGap }
