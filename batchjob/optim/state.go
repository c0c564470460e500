package optim

import (
	"fmt"
	"slices"

	"github.com/supermax-hpo/supermax/batchjob/tensor"
)

// A ParamState is what [AdamW] remembers of one parameter.
type ParamState struct {
	Name string
	Step int64     // how many steps the parameter had a gradient in
	M, V []float32 // the first and second moment, row-major
}

// Export copies the state of every parameter that had a gradient so far.
func (o *AdamW) Export(s *tensor.Scope) []ParamState {
	var states []ParamState
	for i, name := range o.params.Names() {
		if o.steps[i] > 0 {
			states = append(states, ParamState{Name: name, Step: o.steps[i], M: s.Read(o.m[i]), V: s.Read(o.v[i])})
		}
	}
	return states
}

// Import sets the state; parameters that are not given start anew. A state that does not
// fit changes nothing.
func (o *AdamW) Import(s *tensor.Scope, states []ParamState) error {
	names := o.params.Names()
	place := make([]int, len(states))
	for j, p := range states {
		i := slices.Index(names, p.Name)
		switch {
		case i < 0:
			return fmt.Errorf("set optimizer state: the model has no %s", p.Name)
		case slices.Contains(place[:j], i):
			return fmt.Errorf("set optimizer state: %s is given twice", p.Name)
		case p.Step < 1:
			return fmt.Errorf("set optimizer state: %s has step %d, it must be at least 1", p.Name, p.Step)
		}
		n := o.m[i].Elements()
		if len(p.M) != n || len(p.V) != n {
			return fmt.Errorf("set optimizer state: %s has %d and %d values instead of %d", p.Name, len(p.M), len(p.V), n)
		}
		place[j] = i
	}
	fresh := ParamState{}
	for i := range names {
		p := &fresh
		if j := slices.Index(place, i); j >= 0 {
			p = &states[j]
		}
		o.set(s, i, p)
	}
	return nil
}

// set writes one parameter's state; without moments they are zero.
func (o *AdamW) set(s *tensor.Scope, i int, p *ParamState) {
	o.steps[i] = p.Step
	for _, w := range []struct {
		to   tensor.T
		data []float32
	}{{o.m[i], p.M}, {o.v[i], p.V}} {
		if w.data == nil {
			w.data = make([]float32, w.to.Elements())
		}
		s.Write(w.to, w.data)
	}
}
