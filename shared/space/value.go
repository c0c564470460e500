package space

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// A Value is one parameter's value: a bool, an integer, a float or a string. The zero
// Value is none of them and is never valid in an [Assignment]. Values are immutable and
// comparable with ==; [Value.Equal] compares numbers across integer and float.
type Value struct {
	kind valueKind
	num  float64
	str  string
}

type valueKind uint8

const (
	invalidValue valueKind = iota
	boolValue
	intValue
	floatValue
	stringValue
)

// Bool returns v as a Value.
func Bool(v bool) Value {
	if v {
		return Value{kind: boolValue, num: 1}
	}
	return Value{kind: boolValue}
}

// Int returns v as a Value; |v| must be below 2^53, as in JSON.
func Int(v int) Value { return Value{kind: intValue, num: float64(v)} }

// Float returns v as a Value.
func Float(v float64) Value { return Value{kind: floatValue, num: v} }

// String returns v as a Value.
func String(v string) Value { return Value{kind: stringValue, str: v} }

// IsValid reports whether v holds anything.
func (v Value) IsValid() bool { return v.kind != invalidValue }

// AsBool returns the bool that v holds.
func (v Value) AsBool() (bool, bool) { return v.num != 0, v.kind == boolValue }

// AsInt returns the integer that v holds; a float with an integral value counts.
func (v Value) AsInt() (int, bool) {
	ok := v.kind == intValue || v.kind == floatValue && v.num == math.Trunc(v.num)
	return int(v.num), ok
}

// AsFloat returns the number that v holds.
func (v Value) AsFloat() (float64, bool) {
	return v.num, v.kind == intValue || v.kind == floatValue
}

// AsString returns the string that v holds.
func (v Value) AsString() (string, bool) { return v.str, v.kind == stringValue }

// Equal reports whether v and w mean the same: like kinds by value, numbers by size.
func (v Value) Equal(w Value) bool {
	if x, ok := v.AsFloat(); ok {
		y, ok := w.AsFloat()
		return ok && x == y
	}
	return v == w
}

// String formats v as YAML and JSON would without quotes. A float keeps a point or an
// exponent, so that what was a float is read as one.
func (v Value) String() string {
	switch v.kind {
	case boolValue:
		return strconv.FormatBool(v.num != 0)
	case intValue:
		return strconv.FormatInt(int64(v.num), 10)
	case floatValue:
		s := strconv.FormatFloat(v.num, 'g', -1, 64)
		if !strings.ContainsAny(s, ".eEnN") {
			s += ".0"
		}
		return s
	case stringValue:
		return v.str
	}
	return "<none>"
}

// MarshalJSON writes v as a JSON bool, number or string.
func (v Value) MarshalJSON() ([]byte, error) {
	switch v.kind {
	case stringValue:
		return json.Marshal(v.str)
	case boolValue, intValue:
		return []byte(v.String()), nil
	case floatValue:
		if math.IsNaN(v.num) || math.IsInf(v.num, 0) {
			return nil, fmt.Errorf("write parameter value: %v is not a finite number", v.num)
		}
		return []byte(v.String()), nil
	}
	return nil, fmt.Errorf("write parameter value: it is empty")
}

// UnmarshalJSON reads a bool, a number or a string. A number without point and exponent
// is an integer.
func (v *Value) UnmarshalJSON(data []byte) error {
	data = bytes.TrimSpace(data)
	if len(data) == 0 {
		return fmt.Errorf("read parameter value: it is empty")
	}
	switch c := data[0]; {
	case c == '"':
		var s string
		if err := json.Unmarshal(data, &s); err != nil {
			return fmt.Errorf("read parameter value: %w", err)
		}
		*v = String(s)
	case c == 't' || c == 'f':
		var b bool
		if err := json.Unmarshal(data, &b); err != nil {
			return fmt.Errorf("read parameter value: %w", err)
		}
		*v = Bool(b)
	case c == '-' || c >= '0' && c <= '9':
		f, err := strconv.ParseFloat(string(data), 64)
		if err != nil {
			return fmt.Errorf("read parameter value: %w", err)
		}
		if bytes.ContainsAny(data, ".eE") || math.Abs(f) >= 1<<53 {
			*v = Float(f)
		} else {
			*v = Int(int(f))
		}
	default:
		return fmt.Errorf("read parameter value: %s is not a bool, a number or a string", data)
	}
	return nil
}

// An Assignment gives a Value to parameters by their dotted names (`optim.lr`). A
// complete one names every parameter of its space; a parameter whose condition is off
// has the value that the space defines for that.
type Assignment map[string]Value
