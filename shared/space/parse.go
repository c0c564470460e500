package space

import (
	"errors"
	"slices"

	"github.com/supermax-hpo/supermax/shared/internal/yamltree"
)

// version is that of the space file's format.
const version = 1

// Parse reads a space file:
//
//	version: 1
//	parameters:
//	  optim.name: {kind: categorical, choices: [adamw, lion]}
//	  optim.lr: {kind: float, low: 1e-6, high: 3e-3, log: true}
//	  head.hidden_mult: {kind: categorical, choices: [0, 0.5, 1, 2]}
//	  head.hidden_dim: {kind: int, low: 128, high: 1024, step: 128,
//	                    when: {param: head.hidden_mult, above: 0}, otherwise: 0}
//
// The file's name is for errors, which name file, line, key, value and what is allowed.
func Parse(file string, yaml []byte) (*Space, error) {
	top, err := yamltree.Parse(file, yaml)
	if err != nil {
		return nil, err
	}
	fields, err := top.Map("version", "parameters")
	if err != nil {
		return nil, err
	}
	s, versioned := &Space{}, false
	for _, f := range fields {
		switch f.Key {
		case "version":
			v, err := f.Value.Int()
			if err != nil {
				return nil, err
			}
			if v != version {
				return nil, f.Value.Errorf("%d is not allowed; allowed: %d", v, version)
			}
			versioned = true
		case "parameters":
			if s.Params, err = parseParams(f.Value); err != nil {
				return nil, err
			}
		}
	}
	if !versioned {
		return nil, top.Errorf("has no version; allowed: version: %d", version)
	}
	if err := s.validateFile(); err != nil {
		return nil, locate(top, err)
	}
	return s, nil
}

// locate turns an [*Error] into one with the line of its parameter's definition.
func locate(top yamltree.Node, err error) error {
	var e *Error
	if !errors.As(err, &e) {
		return err
	}
	return top.Find(append([]string{"parameters", e.Param}, e.Path()...)...).Errorf("%s", e.Problem)
}

// validateFile is Validate and what holds for a space as written, before narrowing: every
// condition names values that its parameter takes, and can hold.
func (s *Space) validateFile() error {
	if err := s.Validate(); err != nil {
		return err
	}
	for _, p := range s.Params {
		if p.When == nil {
			continue
		}
		parent, _ := s.Param(p.When.Param)
		for _, v := range p.When.In {
			if !parent.Contains(v) {
				return &Error{Param: p.Name, Field: "when", Problem: quote(v) + " is not a value of " + parent.Name +
					"; allowed: " + parent.Allowed()}
			}
		}
		if !s.Reachable(p.Name) {
			return &Error{Param: p.Name, Field: "when", Problem: "never holds; " + parent.Name + " takes " + parent.Allowed()}
		}
	}
	return nil
}

func parseParams(n yamltree.Node) ([]Param, error) {
	fields, err := n.Map()
	if err != nil {
		return nil, err
	}
	params := make([]Param, 0, len(fields))
	for _, f := range fields {
		p, err := parseParam(f.Key, f.Value)
		if err != nil {
			return nil, err
		}
		params = append(params, p)
	}
	return params, nil
}

func parseParam(name string, n yamltree.Node) (Param, error) {
	p := Param{Name: name}
	fields, err := n.Map("kind", "choices", "low", "high", "step", "log", "when", "otherwise")
	if err != nil {
		return p, err
	}
	var seen []string
	for _, f := range fields {
		seen = append(seen, f.Key)
		switch f.Key {
		case "kind":
			var kind string
			kind, err = f.Value.Str()
			p.Kind = Kind(kind)
		case "choices":
			p.Choices, err = parseValues(f.Value)
		case "low":
			p.Low, err = f.Value.Float()
		case "high":
			p.High, err = f.Value.Float()
		case "step":
			p.Step, err = f.Value.Float()
		case "log":
			p.Log, err = f.Value.Bool()
		case "when":
			p.When, err = parseCondition(f.Value)
		case "otherwise":
			p.Otherwise, err = parseValue(f.Value)
		}
		if err != nil {
			return p, err
		}
	}
	need := []string{"kind"}
	if p.Kind == FloatRange || p.Kind == IntRange {
		need = append(need, "low", "high")
	}
	if p.When != nil {
		need = append(need, "otherwise")
	}
	for _, key := range need {
		if !slices.Contains(seen, key) {
			return p, n.Errorf("has no %s", key)
		}
	}
	p.oneNumberType()
	return p, nil
}

// oneNumberType makes [0, 0.5, 1] floats and an int written for a float parameter one, so
// that a parameter's values have one type.
func (p *Param) oneNumberType() {
	isFloat := func(v Value) bool { return v.Type() == TypeFloat }
	if p.Kind == Categorical && slices.ContainsFunc(p.Choices, isFloat) {
		for i, v := range p.Choices {
			p.Choices[i] = v.toFloat()
		}
	}
	if p.Type() == TypeFloat {
		p.Otherwise = p.Otherwise.toFloat()
	}
}

func (v Value) toFloat() Value {
	if v.kind == intValue {
		return Float(v.num)
	}
	return v
}

func parseCondition(n yamltree.Node) (*Condition, error) {
	fields, err := n.Map("param", "in", "above")
	if err != nil {
		return nil, err
	}
	c := &Condition{}
	for _, f := range fields {
		switch f.Key {
		case "param":
			c.Param, err = f.Value.Str()
		case "in":
			c.In, err = parseValues(f.Value)
		case "above":
			var above float64
			above, err = f.Value.Float()
			c.Above = &above
		}
		if err != nil {
			return nil, err
		}
	}
	return c, nil
}

func parseValues(n yamltree.Node) ([]Value, error) {
	items, err := n.List()
	if err != nil {
		return nil, err
	}
	values := make([]Value, len(items))
	for i, item := range items {
		if values[i], err = parseValue(item); err != nil {
			return nil, err
		}
	}
	return values, nil
}

func parseValue(n yamltree.Node) (Value, error) {
	x, err := n.Scalar()
	if err != nil {
		return Value{}, err
	}
	v, ok := ValueOf(x)
	if !ok {
		return Value{}, n.Errorf("%v is not allowed; allowed: true or false, numbers, strings", x)
	}
	return v, nil
}
