package analysis

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"slices"

	"github.com/supermax-hpo/supermax/shared/space"
	"github.com/supermax-hpo/supermax/shared/study"
)

// Parallel holds a stage's trials as lines across one axis a parameter.
type Parallel struct {
	Axes  []Axis `json:"axes"`  // the most important first, then in the space's order
	Lines []Line `json:"lines"` // the trials with a value that did not fail, best first
}

// Axis is a parameter with more than one value that can be on.
type Axis struct {
	Param   string        `json:"param"`
	Kind    space.Kind    `json:"kind"`
	Choices []space.Value `json:"choices,omitempty"` // of a categorical parameter, from place 0 to 1
	Low     float64       `json:"low,omitempty"`     // of another at place 0
	High    float64       `json:"high,omitempty"`    // and at place 1
	Log     bool          `json:"log,omitempty"`     // places between are even in the logarithm
}

// Line is a trial with its last value.
type Line struct {
	Trial  int         `json:"trial"`
	Epoch  int         `json:"epoch"` // that it was trained to
	Value  study.Value `json:"value"`
	Places Places      `json:"places"`
}

// Places are where a trial lies on each axis: from 0 to 1, NaN (in JSON null) where the
// parameter is off.
type Places []float64

// MarshalJSON writes NaN as null.
func (p Places) MarshalJSON() ([]byte, error) {
	out := make([]*float64, len(p))
	for i := range p {
		if !math.IsNaN(p[i]) {
			out[i] = &p[i]
		}
	}
	return json.Marshal(out)
}

// parallel lays out ranked trials, the axes by the importances.
func parallel(s *space.Space, ranked []study.Trial, by StageImportances) (Parallel, error) {
	rank := map[string]int{}
	for i, v := range by.Params {
		rank[v.Param] = i - len(by.Params)
	}
	var index []int
	for i, p := range s.Params {
		if p.Count() != 1 && s.Reachable(p.Name) {
			index = append(index, i)
		}
	}
	slices.SortStableFunc(index, func(a, b int) int { return cmp.Compare(rank[s.Params[a].Name], rank[s.Params[b].Name]) })
	out := Parallel{Axes: []Axis{}, Lines: []Line{}}
	for _, i := range index {
		p := s.Params[i]
		out.Axes = append(out.Axes, Axis{Param: p.Name, Kind: p.Kind, Choices: p.Choices, Low: p.Low, High: p.High, Log: p.Log})
	}
	for _, t := range ranked {
		point, err := s.Point(t.Params)
		if err != nil {
			return Parallel{}, fmt.Errorf("trial %d: %w", t.Number, err)
		}
		last := t.Reports[len(t.Reports)-1]
		line := Line{Trial: t.Number, Epoch: last.ToEpoch, Value: last.Value, Places: make(Places, len(index))}
		for k, i := range index {
			line.Places[k] = out.Axes[k].place(point[i])
		}
		out.Lines = append(out.Lines, line)
	}
	return out, nil
}

// place returns where a number of a point lies on the axis.
func (a Axis) place(x float64) float64 {
	switch {
	case a.Kind == space.Categorical:
		return x / float64(len(a.Choices)-1)
	case a.Log:
		return math.Log(x/a.Low) / math.Log(a.High/a.Low)
	}
	return (x - a.Low) / (a.High - a.Low)
}
