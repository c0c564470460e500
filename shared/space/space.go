// Package space describes what a study searches: typed parameters, the conditions that
// switch some of them on, and the constraints by which a study narrows them. It holds
// values, never behaviour: samplers draw from a Space, the trainer reads an [Assignment].
//
// A Space and everything in it is read-only once validated and safe for concurrent use;
// what changes one returns a copy.
package space

import (
	"slices"
	"strings"

	"github.com/supermax-hpo/supermax/shared/internal/nearest"
)

// A Space is an ordered list of parameters. A parameter stands after the one that its
// condition names.
type Space struct {
	Params []Param `json:"params"`
}

// Param returns the parameter of that name.
func (s *Space) Param(name string) (Param, bool) {
	if i := s.index(name); i >= 0 {
		return s.Params[i], true
	}
	return Param{}, false
}

// index returns the place of the parameter of that name, or -1.
func (s *Space) index(name string) int {
	for i := range s.Params {
		if s.Params[i].Name == name {
			return i
		}
	}
	return -1
}

// Names returns the parameters' names in order.
func (s *Space) Names() []string {
	names := make([]string, len(s.Params))
	for i, p := range s.Params {
		names[i] = p.Name
	}
	return names
}

// Active reports whether the named parameter is switched on under a: it is unconditional,
// or the parameter that its condition names is active and has a value that satisfies it.
// A value missing in a satisfies no condition; an unknown name is not active.
func (s *Space) Active(a Assignment, name string) bool {
	i := s.index(name)
	return i >= 0 && s.active(a, i)
}

// active is [Space.Active] for the parameter at place i.
func (s *Space) active(a Assignment, i int) bool {
	when := s.Params[i].When
	if when == nil {
		return true
	}
	v, ok := a[when.Param]
	return ok && when.Holds(v) && s.Active(a, when.Param)
}

// Reachable reports whether the named parameter is active under at least one assignment.
// Narrowing can switch a parameter off for good: aug.enabled false, for aug.method_strategy.
func (s *Space) Reachable(name string) bool {
	p, ok := s.Param(name)
	if !ok {
		return false
	}
	if p.When == nil {
		return true
	}
	parent, ok := s.Param(p.When.Param)
	return ok && p.When.holdsSomewhere(parent) && s.Reachable(parent.Name)
}

// Clone returns a deep copy of s.
func (s *Space) Clone() *Space {
	c := &Space{Params: slices.Clone(s.Params)}
	for i, p := range c.Params {
		c.Params[i].Choices = slices.Clone(p.Choices)
		if p.When == nil {
			continue
		}
		when := *p.When
		when.In = slices.Clone(when.In)
		if when.Above != nil {
			above := *when.Above
			when.Above = &above
		}
		c.Params[i].When = &when
	}
	return c
}

// WithChoices returns a copy of s in which the named categorical parameter also takes
// extra; those that it takes already are skipped. A study's own backbones join model.name
// in this way. The error is an [*Error].
func (s *Space) WithChoices(name string, extra ...Value) (*Space, error) {
	c := s.Clone()
	for i := range c.Params {
		p := &c.Params[i]
		if p.Name != name {
			continue
		}
		if p.Kind != Categorical {
			return nil, &Error{Param: name, Problem: "takes " + p.Allowed() + ": no choice can be added"}
		}
		for _, v := range extra {
			if indexOf(p.Choices, v) < 0 {
				p.Choices = append(p.Choices, v)
			}
		}
		if err := c.Validate(); err != nil {
			return nil, err
		}
		return c, nil
	}
	return nil, s.unknown(name)
}

// unknown is the error for a parameter that s does not have.
func (s *Space) unknown(name string) *Error {
	return &Error{Param: name, Problem: "is not a parameter; nearest: " + strings.Join(nearest.Names(name, s.Names(), 3), ", ")}
}
