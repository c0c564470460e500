package space

// A Condition holds while the named parameter is itself active and its value is one of In
// or, where Above is set, greater than Above. Exactly one of the two is set.
type Condition struct {
	Param string   `json:"param"`
	In    []Value  `json:"in,omitempty"`
	Above *float64 `json:"above,omitempty"`
}

// Holds reports whether v, the value of the parameter c.Param, satisfies c.
func (c Condition) Holds(v Value) bool {
	if c.Above != nil {
		f, ok := v.AsFloat()
		return ok && f > *c.Above
	}
	return indexOf(c.In, v) >= 0
}

// holdsSomewhere reports whether some value of p satisfies c.
func (c Condition) holdsSomewhere(p Param) bool {
	if p.Kind == Categorical {
		for _, v := range p.Choices {
			if c.Holds(v) {
				return true
			}
		}
		return false
	}
	if c.Above != nil {
		return p.High > *c.Above
	}
	for _, v := range c.In {
		if p.Contains(v) {
			return true
		}
	}
	return false
}
