package space

import "strconv"

// An Error says what is wrong with one parameter: of a space, of a constraint or of an
// assignment. A reader of a file finds the line by Param, Field and Item.
type Error struct {
	Param   string
	Field   string // the part of the definition at fault (choices, low, when, …), or empty
	Item    *int   // the element of a list at fault, or nil
	Problem string // what is wrong and what is allowed, without the parameter's name
}

// Error returns one sentence without a full stop.
func (e *Error) Error() string {
	s := e.Param
	if s == "" {
		s = `""`
	}
	if e.Field != "" {
		s += "." + e.Field
	}
	return s + ": " + e.Problem
}

// Path returns the keys that lead to the fault below the parameter.
func (e *Error) Path() []string {
	var path []string
	if e.Field != "" {
		path = append(path, e.Field)
	}
	if e.Item != nil {
		path = append(path, strconv.Itoa(*e.Item))
	}
	return path
}
