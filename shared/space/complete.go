package space

import "slices"

// Complete checks a and returns a complete assignment: every parameter of s, active ones
// with the given value (in its canonical form: an int, a float, the choice itself), the
// others with their Otherwise, whatever a says about them. The error, an [*Error], names
// the first parameter that s does not have, that is active and missing, or whose value is
// not allowed.
func (s *Space) Complete(a Assignment) (Assignment, error) {
	if name, ok := s.stranger(a); ok {
		return nil, s.unknown(name)
	}
	full := make(Assignment, len(s.Params))
	for i := range s.Params {
		p := &s.Params[i]
		// Params stand after their conditions, so full already decides them.
		if !s.active(full, i) {
			full[p.Name] = p.Otherwise
			continue
		}
		v, ok := a[p.Name]
		if !ok {
			return nil, &Error{Param: p.Name, Problem: "is missing; allowed: " + p.Allowed()}
		}
		c, ok := p.canonical(v)
		if !ok {
			return nil, &Error{Param: p.Name, Problem: quote(v) + " is not allowed; allowed: " + p.Allowed()}
		}
		full[p.Name] = c
	}
	return full, nil
}

// stranger returns the first name in a, in alphabetical order, that s does not have.
func (s *Space) stranger(a Assignment) (string, bool) {
	known := 0
	for i := range s.Params {
		if _, ok := a[s.Params[i].Name]; ok {
			known++
		}
	}
	if known == len(a) {
		return "", false
	}
	strange := make([]string, 0, len(a)-known)
	for name := range a {
		if s.index(name) < 0 {
			strange = append(strange, name)
		}
	}
	return slices.Min(strange), true
}
