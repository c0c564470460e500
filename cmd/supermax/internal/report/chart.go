package report

import (
	"fmt"
	"html"
	"html/template"
	"math"
	"strconv"
	"strings"
)

// A chart is a plot of lines and points, drawn as SVG. Its colours are CSS classes of the
// page, so that it follows the reader's light or dark scheme.
type chart struct {
	xLabel, yLabel string
	series         []series
	whole          bool // x counts something: only whole ticks from 0
}

// A series is one line, one set of points, or both.
type series struct {
	class  string // line and point colour
	x, y   []float64
	titles []string // a point's tooltip; empty: no points are drawn
	line   bool
	step   bool // a line that keeps its value until the next point
}

// The drawing's size and margins, in SVG units.
const (
	width, height                               = 640.0, 300.0
	marginLeft, marginRight, marginTop, marginB = 58.0, 14.0, 12.0, 44.0
)

// svg draws the chart. Values that are not finite are left out.
func (c chart) svg() template.HTML {
	x, y, any := c.ranges()
	var b strings.Builder
	fmt.Fprintf(&b, `<svg viewBox="0 0 %g %g" role="img" aria-label="%s against %s">`, width, height, html.EscapeString(c.yLabel), html.EscapeString(c.xLabel))
	for _, t := range x.ticks(c.whole) {
		px := x.at(t, marginLeft, width-marginRight)
		fmt.Fprintf(&b, `<line class="grid" x1="%.1f" y1="%g" x2="%.1f" y2="%g"/><text class="tick" x="%.1f" y="%g" text-anchor="middle">%s</text>`,
			px, marginTop, px, height-marginB, px, height-marginB+16, label(t))
	}
	for _, t := range y.ticks(false) {
		py := y.at(t, height-marginB, marginTop)
		fmt.Fprintf(&b, `<line class="grid" x1="%g" y1="%.1f" x2="%g" y2="%.1f"/><text class="tick" x="%g" y="%.1f" text-anchor="end">%s</text>`,
			marginLeft, py, width-marginRight, py, marginLeft-6, py+4, label(t))
	}
	fmt.Fprintf(&b, `<text class="axis" x="%g" y="%g" text-anchor="middle">%s</text>`, (marginLeft+width-marginRight)/2, height-8, html.EscapeString(c.xLabel))
	fmt.Fprintf(&b, `<text class="axis" transform="translate(14 %g) rotate(-90)" text-anchor="middle">%s</text>`, (marginTop+height-marginB)/2, html.EscapeString(c.yLabel))
	if !any {
		fmt.Fprintf(&b, `<text class="none" x="%g" y="%g" text-anchor="middle">nothing was reported yet</text>`, (marginLeft+width-marginRight)/2, (marginTop+height-marginB)/2)
	}
	for _, s := range c.series {
		s.draw(&b, x, y)
	}
	b.WriteString(`</svg>`)
	return template.HTML(b.String()) //nolint:gosec // built above from numbers and escaped words
}

func (s series) draw(b *strings.Builder, x, y scale) {
	px := func(i int) float64 { return x.at(s.x[i], marginLeft, width-marginRight) }
	py := func(i int) float64 { return y.at(s.y[i], height-marginB, marginTop) }
	if s.line {
		var path strings.Builder
		for i := range s.x {
			switch {
			case !finite(s.x[i]) || !finite(s.y[i]):
				continue
			case path.Len() == 0:
				fmt.Fprintf(&path, "M%.1f %.1f", px(i), py(i))
			case s.step:
				fmt.Fprintf(&path, "H%.1fV%.1f", px(i), py(i))
			default:
				fmt.Fprintf(&path, "L%.1f %.1f", px(i), py(i))
			}
		}
		fmt.Fprintf(b, `<path class="line %s" d="%s"/>`, s.class, path.String())
	}
	for i, title := range s.titles {
		if finite(s.x[i]) && finite(s.y[i]) {
			fmt.Fprintf(b, `<circle class="dot %s" cx="%.1f" cy="%.1f" r="3.5"><title>%s</title></circle>`, s.class, px(i), py(i), html.EscapeString(title))
		}
	}
}

// ranges returns the scales that hold every finite value, and whether there is any.
func (c chart) ranges() (x, y scale, any bool) {
	x, y = scale{math.Inf(1), math.Inf(-1)}, scale{math.Inf(1), math.Inf(-1)}
	for _, s := range c.series {
		for i := range s.x {
			if finite(s.x[i]) && finite(s.y[i]) {
				x, y, any = x.with(s.x[i]), y.with(s.y[i]), true
			}
		}
	}
	x, y = x.padded(), y.padded()
	if c.whole {
		x.low = math.Max(0, x.low)
	}
	return x, y, any
}

// A scale maps values from low to high onto the drawing.
type scale struct{ low, high float64 }

func (s scale) with(v float64) scale { return scale{math.Min(s.low, v), math.Max(s.high, v)} }

// padded leaves a little air around the values, and makes a scale of one value (or of
// values that differ by rounding only) or of none.
func (s scale) padded() scale {
	if s.low > s.high {
		return scale{0, 1}
	}
	size := math.Max(math.Abs(s.low), math.Abs(s.high))
	pad := (s.high - s.low) * 0.04
	if s.high-s.low <= size*1e-6 {
		pad = math.Max(size*0.1, 0.05)
	}
	return scale{s.low - pad, s.high + pad}
}

func (s scale) at(v, from, to float64) float64 {
	return from + (v-s.low)/(s.high-s.low)*(to-from)
}

// ticks returns about five round values inside the scale: multiples of 1, 2 or 5 times a
// power of ten, and of no less than 1 when they are to be whole.
func (s scale) ticks(whole bool) []float64 {
	raw := (s.high - s.low) / 5
	if whole {
		raw = math.Max(raw, 1)
	}
	power := math.Pow(10, math.Floor(math.Log10(raw)))
	step := power * 10
	for _, m := range []float64{1, 2, 5} {
		if raw <= m*power*(1+1e-9) { // but for rounding
			step = m * power
			break
		}
	}
	var ticks []float64
	for k := math.Ceil(s.low / step); k*step <= s.high; k++ {
		ticks = append(ticks, k*step)
	}
	return ticks
}

// label writes a tick to six decimals; adding 0 makes -0 a plain 0.
func label(v float64) string {
	return strconv.FormatFloat(math.Round(v*1e6)/1e6+0, 'g', -1, 64)
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
