package sampler

import (
	"math"
	"slices"

	"github.com/supermax-hpo/supermax/shared/space"
)

// A model is what TPE learns from: where each free parameter was in each trial.
type model struct {
	trials []Observation
	groups []group
}

// A group is a set of free parameters that were active in the same finished trials.
type group struct {
	index  []int // into the space's parameters
	params []space.Param
	dims   []dimension

	pattern []uint64 // a bit for each trial: finished and active
}

// newModel groups the parameters by the trials.
func newModel(s *space.Space, trials []Observation) *model {
	m := &model{trials: trials}
	words := (len(trials) + 63) / 64
	patterns := make([]uint64, words*len(s.Params))
	for t, o := range trials {
		if !o.finished() {
			continue
		}
		word, bit := t/64, uint64(1)<<(t%64)
		for i, x := range o.Point {
			if !math.IsNaN(x) {
				patterns[i*words+word] |= bit
			}
		}
	}
	for i, p := range s.Params {
		pattern := patterns[i*words : (i+1)*words]
		never := !slices.ContainsFunc(pattern, func(w uint64) bool { return w != 0 })
		if _, fixed := p.Fixed(); fixed || never {
			continue
		}
		g := slices.IndexFunc(m.groups, func(g group) bool { return slices.Equal(g.pattern, pattern) })
		if g < 0 {
			g = len(m.groups)
			m.groups = append(m.groups, group{pattern: pattern})
		}
		m.groups[g].index = append(m.groups[g].index, i)
		m.groups[g].params = append(m.groups[g].params, p)
		m.groups[g].dims = append(m.groups[g].dims, newDimension(p))
	}
	return m
}

// observed returns the trials in which the whole group was active, those with good[trial]
// apart from the rest: the answers' [d][i] is trial i in the group's dimension d.
func (m *model) observed(g group, good []bool) (goodOnes, rest [][]float64) {
	var which [2][]space.Point
	for t, o := range m.trials {
		if !slices.ContainsFunc(g.index, func(i int) bool { return math.IsNaN(o.Point[i]) }) {
			part := 1
			if good[t] {
				part = 0
			}
			which[part] = append(which[part], o.Point)
		}
	}
	return columns(which[0], g.index), columns(which[1], g.index)
}

// columns returns those coordinates of the points, one row a coordinate.
func columns(points []space.Point, index []int) [][]float64 {
	flat := make([]float64, len(index)*len(points))
	rows := make([][]float64, len(index))
	for d := range rows {
		rows[d] = flat[d*len(points) : (d+1)*len(points)]
	}
	for t, point := range points {
		for d, i := range index {
			flat[d*len(points)+t] = point[i]
		}
	}
	return rows
}
