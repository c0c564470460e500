package space

import "slices"

// Complete checks a and returns a complete assignment: every parameter of s, active ones
// with the given value (in its canonical form: an int, a float, the choice itself), the
// others with their Otherwise, whatever a says about them. The error, an [*Error], names
// the first parameter that s does not have, that is active and missing, or whose value is
// not allowed.
func (s *Space) Complete(a Assignment) (Assignment, error) {
	given := make([]string, 0, len(a))
	for name := range a {
		given = append(given, name)
	}
	slices.Sort(given)
	for _, name := range given {
		if _, ok := s.Param(name); !ok {
			return nil, s.unknown(name)
		}
	}
	full := make(Assignment, len(s.Params))
	for _, p := range s.Params {
		// Params stand after their conditions, so full already decides them.
		if !s.Active(full, p.Name) {
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
