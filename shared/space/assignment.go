package space

import (
	"fmt"
	"maps"
)

// Float returns the number that the named parameter has, an error where it is missing or
// not a number.
func (a Assignment) Float(name string) (float64, error) {
	return get(a, name, Value.AsFloat, "a number")
}

// Int returns the whole number that the named parameter has.
func (a Assignment) Int(name string) (int, error) {
	return get(a, name, Value.AsInt, "a whole number")
}

// Bool returns the bool that the named parameter has.
func (a Assignment) Bool(name string) (bool, error) {
	return get(a, name, Value.AsBool, "true or false")
}

// Str returns the string that the named parameter has.
func (a Assignment) Str(name string) (string, error) {
	return get(a, name, Value.AsString, "a string")
}

func get[T any](a Assignment, name string, as func(Value) (T, bool), want string) (T, error) {
	var zero T
	v, ok := a[name]
	if !ok {
		return zero, fmt.Errorf("parameter %s is missing", name)
	}
	x, ok := as(v)
	if !ok {
		return zero, fmt.Errorf("parameter %s is %s, not %s", name, quote(v), want)
	}
	return x, nil
}

// Clone returns a copy of a.
func (a Assignment) Clone() Assignment { return maps.Clone(a) }

// Equal reports whether a and b give equal values to the same parameters.
func (a Assignment) Equal(b Assignment) bool {
	return maps.EqualFunc(a, b, Value.Equal)
}
