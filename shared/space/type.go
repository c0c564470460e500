package space

// Type is the type of a parameter's values, which is also its column type in Parquet.
type Type string

// The types of values.
const (
	TypeBool   Type = "bool"
	TypeInt    Type = "int"
	TypeFloat  Type = "float"
	TypeString Type = "string"
)

// Type returns the type that all values of p have, Otherwise included.
func (p Param) Type() Type {
	switch {
	case p.Kind == FloatRange:
		return TypeFloat
	case p.Kind == IntRange:
		return TypeInt
	case len(p.Choices) == 0:
		return ""
	}
	return p.Choices[0].Type()
}

// Type returns the type of v, empty for the zero Value.
func (v Value) Type() Type {
	switch v.kind {
	case boolValue:
		return TypeBool
	case intValue:
		return TypeInt
	case floatValue:
		return TypeFloat
	case stringValue:
		return TypeString
	}
	return ""
}

// ValueOf returns the Value of a Go bool, int, float64 or string, false for another type.
func ValueOf(x any) (Value, bool) {
	switch x := x.(type) {
	case bool:
		return Bool(x), true
	case int:
		return Int(x), true
	case float64:
		return Float(x), true
	case string:
		return String(x), true
	}
	return Value{}, false
}
