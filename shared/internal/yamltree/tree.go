// Package yamltree reads YAML strictly, with the line of everything: configuration errors
// name the file, the line, the key, the value and what is allowed. It knows mappings with
// string keys, lists and plain values (YAML 1.2 core); anchors, aliases, tags and several
// documents are refused, for no configuration of ours needs them.
package yamltree

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"github.com/supermax-hpo/supermax/shared/internal/nearest"
)

// maxBytes bounds a file and maxDepth its nesting: the parser's time grows with the square
// of the depth, to minutes for a file of brackets alone.
const (
	maxBytes = 256 << 10
	maxDepth = 64
)

var tooManyDashes = regexp.MustCompile(`(?m)^ *(- +){` + strconv.Itoa(maxDepth) + `}`)

// tooDeep reports whether more brackets are open at once, or more list items open on one
// line, than any configuration needs. Brackets in strings count too, which is harmless.
func tooDeep(data []byte) bool {
	open := 0
	for _, c := range data {
		switch c {
		case '[', '{':
			open++
		case ']', '}':
			open = max(open-1, 0)
		}
		if open > maxDepth {
			return true
		}
	}
	return tooManyDashes.Match(data)
}

// An Error is a fault of a file, at a line (from 1) and, where it is about one, a key.
type Error struct {
	File    string
	Line    int
	Key     string // dotted, from the top of the file; may be empty
	Problem string // what is wrong and what is allowed
}

// Error returns file:line: key: problem.
func (e *Error) Error() string {
	s := e.File
	if e.Line > 0 {
		s += ":" + strconv.Itoa(e.Line)
	}
	if e.Key != "" {
		s += ": " + e.Key
	}
	return s + ": " + e.Problem
}

// A Node is a value of the file: a mapping, a list or a plain value.
type Node struct {
	file string
	key  string
	line int
	node ast.Node // nil: nothing was written
}

// A Field is one entry of a mapping.
type Field struct {
	Key   string
	Value Node
}

// Parse reads the one document of a file. The name is for messages only.
func Parse(file string, data []byte) (Node, error) {
	top := Node{file: file, line: 1}
	switch {
	case len(data) > maxBytes:
		return top, top.Errorf("has %d bytes; at most %d are allowed", len(data), maxBytes)
	case !utf8.Valid(data):
		return top, top.Errorf("is not UTF-8 text")
	case bytes.IndexByte(data, 0) >= 0:
		return top, top.Errorf("holds a NUL byte: it is not a text file")
	}
	if tooDeep(data) {
		return top, top.Errorf("is nested more than %d deep", maxDepth)
	}
	f, err := parser.ParseBytes(data, 0)
	if err != nil {
		var y yaml.Error
		if errors.As(err, &y) {
			if t := y.GetToken(); t != nil && t.Position != nil {
				top.line = t.Position.Line
			}
			return top, top.Errorf("is not YAML: %s", y.GetMessage())
		}
		return top, top.Errorf("is not YAML: %s", err)
	}
	var bodies []ast.Node
	for _, d := range f.Docs {
		if d.Body != nil {
			bodies = append(bodies, d.Body)
		}
	}
	switch {
	case len(bodies) == 0:
		return top, top.Errorf("is empty")
	case len(bodies) > 1:
		return top.child("", 0, bodies[1]), top.child("", 0, bodies[1]).Errorf("starts a second document; one is allowed")
	}
	return top.child("", 0, bodies[0]), nil
}

// child returns the value below n under key; line 0 stands for the value's own.
func (n Node) child(key string, line int, value ast.Node) Node {
	c := Node{file: n.file, key: n.key, line: line, node: value}
	if key != "" {
		c.key = strings.TrimPrefix(n.key+"."+key, ".")
	}
	if line == 0 {
		c.line = n.line
		if value != nil && value.GetToken() != nil {
			c.line = value.GetToken().Position.Line
		}
	}
	return c
}

// Errorf returns an [*Error] at n.
func (n Node) Errorf(format string, args ...any) error {
	return &Error{File: n.file, Line: n.line, Key: n.key, Problem: fmt.Sprintf(format, args...)}
}

// File returns the name of the file that n stands in.
func (n Node) File() string { return n.file }

// Line returns the line of n: of its key in a mapping, of its first character elsewhere.
func (n Node) Line() int { return n.line }

// IsMap reports whether n is a mapping.
func (n Node) IsMap() bool { _, ok := n.node.(*ast.MappingNode); return ok }

// IsList reports whether n is a list.
func (n Node) IsList() bool { _, ok := n.node.(*ast.SequenceNode); return ok }

// Map returns the entries of a mapping in order. Keys other than those allowed are an
// error that names the nearest ones; with none given, every key is allowed.
func (n Node) Map(allowed ...string) ([]Field, error) {
	m, ok := n.node.(*ast.MappingNode)
	if !ok {
		return nil, n.Errorf("%s is not allowed; allowed: keys with values%s", n.describe(), among(allowed))
	}
	fields := make([]Field, 0, len(m.Values))
	for _, v := range m.Values {
		key, err := n.keyOf(v)
		if err != nil {
			return nil, err
		}
		line := v.Key.GetToken().Position.Line
		value := n.child(key, line, v.Value)
		if len(allowed) > 0 && !slices.Contains(allowed, key) {
			return nil, value.Errorf("is not a key here; %s", suggestion(key, allowed))
		}
		fields = append(fields, Field{Key: key, Value: value})
	}
	return fields, nil
}

func (n Node) keyOf(v *ast.MappingValueNode) (string, error) {
	at := n.child("", 0, v.Key)
	s, ok := v.Key.(ast.ScalarNode)
	if !ok || v.Key.IsMergeKey() || v.Key.GetToken() == nil {
		return "", at.Errorf("%s is not allowed as a key; allowed: a plain string", at.describe())
	}
	key := s.GetToken().Value
	if key == "" {
		return "", at.Errorf("a key is empty")
	}
	return key, nil
}

// suggestion lists all allowed keys where they are few, else the nearest.
func suggestion(key string, allowed []string) string {
	if len(allowed) <= 8 {
		return "allowed: " + strings.Join(allowed, ", ")
	}
	return "nearest: " + strings.Join(nearest.Names(key, allowed, 3), ", ")
}

func among(allowed []string) string {
	if len(allowed) == 0 {
		return ""
	}
	return " (" + strings.Join(allowed, ", ") + ")"
}

// List returns the elements of a list.
func (n Node) List() ([]Node, error) {
	s, ok := n.node.(*ast.SequenceNode)
	if !ok {
		return nil, n.Errorf("%s is not allowed; allowed: a list", n.describe())
	}
	items := make([]Node, len(s.Values))
	for i, v := range s.Values {
		items[i] = n.child("", 0, v)
	}
	return items, nil
}

// Find follows path from n through mappings (by key) and lists (by index) and returns the
// deepest node that exists. The key of a node in a list is the list's.
func (n Node) Find(path ...string) Node {
	for _, step := range path {
		next, ok := n.step(step)
		if !ok {
			return n
		}
		n = next
	}
	return n
}

func (n Node) step(step string) (Node, bool) {
	if n.IsList() {
		items, err := n.List()
		i, notNumber := strconv.Atoi(step)
		if err != nil || notNumber != nil || i < 0 || i >= len(items) {
			return n, false
		}
		return items[i], true
	}
	if n.IsMap() {
		fields, err := n.Map()
		if err != nil {
			return n, false
		}
		for _, f := range fields {
			if f.Key == step {
				return f.Value, true
			}
		}
	}
	return n, false
}
