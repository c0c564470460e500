package report

import (
	"fmt"
	"html"
	"html/template"
	"math"
	"strings"

	"github.com/supermax-hpo/supermax/shared/space"
	"github.com/supermax-hpo/supermax/shared/study/analysis"
)

const (
	topAxes    = 7   // parameters, the most important
	bestLines  = 150 // at most, the best tenth of the trials
	otherLines = 400 // at most, of the others
	maxLabels  = 9   // choices that are named at an axis
)

// The parallel coordinates' drawing, in SVG units. It is as wide as the page.
const (
	wideWidth                             = 1100.0
	axisLeft, axisRight, axisTop, axisEnd = 30.0, 74.0, 46.0, 330.0
	offPlace                              = 358.0 // below the axis: the parameter is off
)

// An upright is an axis as it is drawn.
type upright struct {
	name   string
	places []float64 // of the lines, NaN: off
	marks  []mark
	off    bool // some line has the parameter off
}

type mark struct {
	place float64
	text  string
}

// parallel draws the trials as lines over the most important parameters and the
// objectives, the best in colour.
func parallel(p analysis.Parallel, both bool) template.HTML {
	if len(p.Lines) == 0 {
		return ""
	}
	axes := uprights(p, both)
	at := func(k int) float64 {
		return axisLeft + float64(k)/float64(len(axes)-1)*(wideWidth-axisLeft-axisRight)
	}
	end := axisEnd
	for _, a := range axes {
		if a.off {
			end = offPlace
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, `<svg viewBox="0 0 %g %g" role="img" aria-label="trials across parameters and objectives">`, wideWidth, end+20)
	best := brightest(len(p.Lines))
	step := (len(p.Lines) - best + otherLines - 1) / otherLines
	for i := len(p.Lines) - 1; i >= 0; i-- { // the best are drawn last, over the others
		class := "c1"
		if i >= best {
			if class = "c0"; (i-best)%step != 0 {
				continue
			}
		}
		var path strings.Builder
		for k, a := range axes {
			fmt.Fprintf(&path, "%c%.1f %.1f", "ML"[min(k, 1)], at(k), upTo(a.places[i]))
		}
		line := p.Lines[i]
		fmt.Fprintf(&b, `<path class="thin %s" d="%s"><title>trial %d, epoch %d: F1-macro %.4f, ECE %.4f</title></path>`,
			class, path.String(), line.Trial, line.Epoch, line.Value.F1Macro, line.Value.ECE)
	}
	for k, a := range axes {
		a.draw(&b, at(k))
	}
	b.WriteString(`</svg>`)
	return template.HTML(b.String()) //nolint:gosec // built above from numbers and escaped words
}

// brightest is how many of n trials are drawn in colour: the best tenth, one of one.
func brightest(n int) int { return min((n+9)/10, bestLines) }

// upTo returns the height at which a place is drawn.
func upTo(place float64) float64 {
	if math.IsNaN(place) {
		return offPlace
	}
	return axisEnd - place*(axisEnd-axisTop)
}

func (a upright) draw(b *strings.Builder, x float64) {
	fmt.Fprintf(b, `<line class="upright" x1="%.1f" y1="%g" x2="%.1f" y2="%g"/>`, x, axisTop, x, axisEnd)
	group, name := "", a.name
	if dot := strings.LastIndexByte(a.name, '.'); dot >= 0 {
		group, name = a.name[:dot+1], a.name[dot+1:]
	}
	anchor := "middle"
	if x == axisLeft {
		x, anchor = 6, "start"
	}
	fmt.Fprintf(b, `<text class="tick" x="%.1f" y="18" text-anchor="%s">%s</text><text class="axis" x="%.1f" y="33" text-anchor="%s">%s</text>`,
		x, anchor, html.EscapeString(group), x, anchor, html.EscapeString(name))
	if anchor == "start" {
		x = axisLeft
	}
	for _, m := range a.marks {
		fmt.Fprintf(b, `<text class="tick over" x="%.1f" y="%.1f">%s</text>`, x+5, upTo(m.place)+4, html.EscapeString(m.text))
	}
}

// uprights returns the axes to draw: parameters, then the objectives.
func uprights(p analysis.Parallel, both bool) []upright {
	var axes []upright
	for k, a := range p.Axes {
		if k == topAxes {
			break
		}
		u := upright{name: a.Param, marks: marks(a)}
		for _, line := range p.Lines {
			u.places = append(u.places, line.Places[k])
			u.off = u.off || math.IsNaN(line.Places[k])
		}
		if u.off {
			u.marks = append(u.marks, mark{math.NaN(), "off"})
		}
		axes = append(axes, u)
	}
	f1, ece := make([]float64, len(p.Lines)), make([]float64, len(p.Lines))
	for i, line := range p.Lines {
		f1[i], ece[i] = line.Value.F1Macro, line.Value.ECE
	}
	axes = append(axes, objective("F1-macro", f1))
	if both {
		axes = append(axes, objective("ECE", ece))
	}
	return axes
}

// marks names the ends of a range, or the choices where there is room.
func marks(a analysis.Axis) []mark {
	switch a.Kind {
	case space.IntRange:
		return []mark{{0, fmt.Sprintf("%.0f", a.Low)}, {1, fmt.Sprintf("%.0f", a.High)}}
	case space.FloatRange:
		return []mark{{0, fmt.Sprintf("%.3g", a.Low)}, {1, fmt.Sprintf("%.3g", a.High)}}
	}
	var list []mark
	last := len(a.Choices) - 1
	for i, v := range a.Choices {
		if len(a.Choices) <= maxLabels || i == 0 || i == last {
			list = append(list, mark{float64(i) / float64(last), v.String()})
		}
	}
	return list
}

// objective is an axis from the lowest to the highest value.
func objective(name string, values []float64) upright {
	s := scale{math.Inf(1), math.Inf(-1)}
	for _, v := range values {
		s = s.with(v)
	}
	if s.low == s.high {
		s = s.padded()
	}
	u := upright{name: name, marks: []mark{{0, fmt.Sprintf("%.3f", s.low)}, {1, fmt.Sprintf("%.3f", s.high)}}}
	for _, v := range values {
		u.places = append(u.places, s.at(v, 0, 1))
	}
	return u
}
