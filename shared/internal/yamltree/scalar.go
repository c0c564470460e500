package yamltree

import (
	"math"
	"regexp"
	"strconv"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"

	"github.com/supermax-hpo/supermax/shared/internal/show"
)

// numberForm is YAML 1.2's decimal number without leading zeros: 010 is 8 to some readers
// and 10 to others, so here it is no number.
var numberForm = regexp.MustCompile(`^[-+]?(0|[1-9][0-9]*|\.[0-9]+|(0|[1-9][0-9]*)\.[0-9]*)([eE][-+]?[0-9]+)?$`)

var wholeForm = regexp.MustCompile(`^[-+]?[0-9]+$`)

// Scalar returns the plain value of n: a bool, an int (|i| < 2^53), a float64 or a string.
// What is in quotes is a string.
func (n Node) Scalar() (any, error) {
	switch v := n.node.(type) {
	case *ast.LiteralNode:
		return v.Value.Value, nil
	case *ast.StringNode:
		if t := v.Token.Type; t == token.DoubleQuoteType || t == token.SingleQuoteType {
			return v.Value, nil
		}
		return n.plain(v.Value)
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		return n.plain(v.GetToken().Value)
	}
	return nil, n.Errorf("%s is not allowed; allowed: one value", n.describe())
}

// plain reads what stands without quotes. The parser's own types are not used: to it,
// 3e-4 is a string and 010 is 8.
func (n Node) plain(s string) (any, error) {
	switch s {
	case "true", "True", "TRUE":
		return true, nil
	case "false", "False", "FALSE":
		return false, nil
	}
	if !numberForm.MatchString(s) {
		return s, nil
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return nil, n.Errorf("%s is too large a number", s)
	}
	if !wholeForm.MatchString(s) {
		return f, nil
	}
	if math.Abs(f) >= 1<<53 {
		return nil, n.Errorf("%s is too large a whole number; allowed: below 2^53", s)
	}
	return int(f), nil
}

// Str returns the string of n, or an error.
func (n Node) Str() (string, error) { return as[string](n, "a string") }

// Text returns a plain value as it is written, whatever its type: an identifier may look
// like a number.
func (n Node) Text() (string, error) {
	if n.IsMap() || n.IsList() || n.isNull() {
		return n.Str()
	}
	if _, err := n.Scalar(); err != nil {
		return "", err
	}
	switch v := n.node.(type) {
	case *ast.LiteralNode:
		return v.Value.Value, nil
	case *ast.StringNode:
		return v.Value, nil
	}
	return n.node.GetToken().Value, nil
}

// Bool returns the bool of n, or an error.
func (n Node) Bool() (bool, error) { return as[bool](n, "true or false") }

// Int returns the whole number of n, or an error.
func (n Node) Int() (int, error) { return as[int](n, "a whole number") }

// Float returns the number of n, whole or not, or an error.
func (n Node) Float() (float64, error) {
	v, err := n.Scalar()
	if i, ok := v.(int); ok && err == nil {
		return float64(i), nil
	}
	return as[float64](n, "a number")
}

func as[T any](n Node, want string) (T, error) {
	var zero T
	v, err := n.Scalar()
	if err != nil {
		if n.IsMap() || n.IsList() || n.isNull() {
			return zero, n.Errorf("%s is not allowed; allowed: %s", n.describe(), want)
		}
		return zero, err
	}
	x, ok := v.(T)
	if !ok {
		return zero, n.Errorf("%s is not allowed; allowed: %s", n.describe(), want)
	}
	return x, nil
}

func (n Node) isNull() bool {
	_, ok := n.node.(*ast.NullNode)
	return ok || n.node == nil
}

// describe says what n is, for a message.
func (n Node) describe() string {
	switch v := n.node.(type) {
	case nil, *ast.NullNode:
		return "nothing"
	case *ast.MappingNode:
		return "a mapping"
	case *ast.SequenceNode:
		return "a list"
	case *ast.AnchorNode, *ast.AliasNode, *ast.MergeKeyNode:
		return "an anchor or alias"
	case *ast.TagNode:
		return "a tag"
	case *ast.LiteralNode:
		return show.Quote(v.Value.Value)
	case *ast.StringNode:
		return show.Quote(v.Value)
	}
	if t := n.node.GetToken(); t != nil {
		return t.Value
	}
	return "this"
}
