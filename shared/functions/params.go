package functions

import (
	"strconv"

	"github.com/supermax-hpo/supermax/shared/space"
)

func uniform(name string, low, high float64) space.Param {
	return space.Param{Name: name, Kind: space.FloatRange, Low: low, High: high}
}

func logUniform(name string, low, high float64) space.Param {
	return space.Param{Name: name, Kind: space.FloatRange, Low: low, High: high, Log: true}
}

func stepped(name string, low, high, step float64) space.Param {
	return space.Param{Name: name, Kind: space.FloatRange, Low: low, High: high, Step: step}
}

func whole(name string, low, high float64) space.Param {
	return space.Param{Name: name, Kind: space.IntRange, Low: low, High: high}
}

func logWhole(name string, low, high float64) space.Param {
	return space.Param{Name: name, Kind: space.IntRange, Low: low, High: high, Log: true}
}

func oneOf(name string, choices ...string) space.Param {
	p := space.Param{Name: name, Kind: space.Categorical}
	for _, c := range choices {
		p.Choices = append(p.Choices, space.String(c))
	}
	return p
}

// uniforms are n parameters x0, x1, … over the same range.
func uniforms(n int, low, high float64) *space.Space {
	s := &space.Space{}
	for i := range n {
		s.Params = append(s.Params, uniform(indexed("x", i), low, high))
	}
	return s
}

func indexed(prefix string, i int) string { return prefix + strconv.Itoa(i) }

// only switches parameters on for one choice of the named parameter.
func only(param, choice string, params ...space.Param) []space.Param {
	for i := range params {
		p := &params[i]
		p.When = &space.Condition{Param: param, In: []space.Value{space.String(choice)}}
		if p.Kind == space.Categorical {
			p.Otherwise = p.Choices[0]
		} else {
			p.Otherwise = p.Nearest(p.Low)
		}
	}
	return params
}

// above switches a parameter on where the named one is greater.
func above(param string, than float64, p space.Param) space.Param {
	p.When, p.Otherwise = &space.Condition{Param: param, Above: &than}, p.Nearest(p.Low)
	return p
}
