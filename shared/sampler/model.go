package sampler

import (
	"bytes"
	"fmt"
	"math"

	"github.com/supermax-hpo/supermax/shared/space"
)

// A model is what TPE learns from: where each free parameter was in each trial.
type model struct {
	trials []Observation
	points [][]float64 // [trial][parameter], NaN where the parameter was not active
	groups []group
}

// A group is a set of free parameters that were active in the same finished trials.
type group struct {
	index  []int // into the space's parameters
	params []space.Param
	dims   []dimension
}

// newModel reads the trials. A trial with a value that the space does not allow is an
// error: it belongs to another study.
func newModel(s *space.Space, trials []Observation) (*model, error) {
	m := &model{trials: trials, points: make([][]float64, len(trials))}
	patterns := make([][]byte, len(s.Params)) // for each parameter, in which finished trials it was active
	for t, o := range trials {
		m.points[t] = make([]float64, len(s.Params))
		for i, p := range s.Params {
			x, err := point(s, p, o)
			if err != nil {
				return nil, err
			}
			m.points[t][i] = x
			if !o.finished() {
				continue
			}
			if math.IsNaN(x) {
				patterns[i] = append(patterns[i], 0)
			} else {
				patterns[i] = append(patterns[i], 1)
			}
		}
	}
	place := make(map[string]int)
	for i, p := range s.Params {
		if _, fixed := p.Fixed(); fixed || !bytes.Contains(patterns[i], []byte{1}) {
			continue
		}
		g, ok := place[string(patterns[i])]
		if !ok {
			g = len(m.groups)
			place[string(patterns[i])] = g
			m.groups = append(m.groups, group{})
		}
		m.groups[g].index = append(m.groups[g].index, i)
		m.groups[g].params = append(m.groups[g].params, p)
		m.groups[g].dims = append(m.groups[g].dims, newDimension(p))
	}
	return m, nil
}

// point returns where a trial lies in the dimension of p, NaN if p was not active.
func point(s *space.Space, p space.Param, o Observation) (float64, error) {
	if !s.Active(o.Params, p.Name) {
		return math.NaN(), nil
	}
	v := o.Params[p.Name]
	if !p.Contains(v) {
		return 0, fmt.Errorf("trial %d has %s = %s; allowed: %s", o.Number, p.Name, v, p.Allowed())
	}
	if p.Kind == space.Categorical {
		return float64(p.Index(v)), nil
	}
	x, _ := v.AsFloat()
	return x, nil
}

// observed returns the trials that keep accepts and in which the whole group was active:
// the answer's [d][i] is trial i in the group's dimension d.
func (m *model) observed(g group, keep func(Observation) bool) [][]float64 {
	columns := make([][]float64, len(g.index))
	for t, o := range m.trials {
		if !keep(o) || m.inactive(t, g) {
			continue
		}
		for d, i := range g.index {
			columns[d] = append(columns[d], m.points[t][i])
		}
	}
	return columns
}

// inactive reports whether some parameter of the group was not active in trial t.
func (m *model) inactive(t int, g group) bool {
	for _, i := range g.index {
		if math.IsNaN(m.points[t][i]) {
			return true
		}
	}
	return false
}
