package tensor

import (
	"fmt"
	"slices"
)

// Params are a model's parameters by name, in the order of the network. They own their
// tensors. Like everything that holds tensors they are used by one worker at a time.
type Params struct {
	names   []string
	tensors []T
	index   map[string]int
}

// NewParams returns an empty set.
func NewParams() *Params { return &Params{index: map[string]int{}} }

// Add makes a parameter with these values on the scope's device. Names are unique.
func (p *Params) Add(s *Scope, a Array) T {
	if _, twice := p.index[a.Name]; twice {
		panic(fmt.Sprintf("parameter %s is added twice", a.Name))
	}
	t := s.Parameter(a.Data, a.Shape...)
	p.index[a.Name] = len(p.names)
	p.names = append(p.names, a.Name)
	p.tensors = append(p.tensors, t)
	return t
}

// Names returns the parameters' names.
func (p *Params) Names() []string { return slices.Clone(p.names) }

// Tensors returns the parameters in the order of Names; the set goes on owning them.
func (p *Params) Tensors() []T { return p.tensors }

// Find returns a parameter.
func (p *Params) Find(name string) (T, bool) {
	i, ok := p.index[name]
	if !ok {
		return T{}, false
	}
	return p.tensors[i], true
}

// Export copies all parameters to Go memory.
func (p *Params) Export(s *Scope) []Array {
	arrays := make([]Array, len(p.names))
	for i, t := range p.tensors {
		arrays[i] = Array{Name: p.names[i], Shape: t.Shape(), Data: s.Read(t)}
	}
	return arrays
}

// Import overwrites all parameters. Every parameter must be given once with its shape,
// and nothing else; otherwise nothing changes.
func (p *Params) Import(s *Scope, arrays []Array) error {
	given := map[string]bool{}
	for _, a := range arrays {
		t, ok := p.Find(a.Name)
		if !ok {
			return fmt.Errorf("set parameters: the model has no %s", a.Name)
		}
		if given[a.Name] {
			return fmt.Errorf("set parameters: %s is given twice", a.Name)
		}
		given[a.Name] = true
		if !slices.Equal(a.Shape, t.Shape()) || t.Elements() != len(a.Data) {
			return fmt.Errorf("set parameters: %s is %v with %d values instead of %v", a.Name, a.Shape, len(a.Data), t.Shape())
		}
	}
	for _, name := range p.names {
		if !given[name] {
			return fmt.Errorf("set parameters: %s is missing", name)
		}
	}
	for _, a := range arrays {
		s.Write(p.tensors[p.index[a.Name]], a.Data)
	}
	return nil
}

// Free ends the parameters' tensors.
func (p *Params) Free() {
	Free(p.tensors...)
	*p = *NewParams()
}
