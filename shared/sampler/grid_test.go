package sampler

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/supermax-hpo/supermax/shared/space"
)

// drawGrid draws a small space without continua, in which parameters of all kinds switch
// others on.
func drawGrid(t *rapid.T) *space.Space {
	s := &space.Space{}
	for i := range rapid.IntRange(1, 6).Draw(t, "params") {
		name, n := string(rune('a'+i)), rapid.IntRange(1, 4).Draw(t, "values")
		var p space.Param
		switch rapid.IntRange(0, 3).Draw(t, "kind") {
		case 0:
			p = oneOf(name, []string{"u", "v", "w", "x"}[:n]...)
		case 1:
			p = stepped(name, 0.1, 0.1+0.1*float64(n-1), 0.1)
		case 2:
			p = whole(name, 3, 3+float64(n-1), 0)
			p.Log = rapid.Bool().Draw(t, "log")
		case 3:
			p = whole(name, -4, -4+2*float64(n-1), 2)
		}
		if i > 0 && rapid.IntRange(0, 2).Draw(t, "conditional") > 0 {
			parent := &s.Params[rapid.IntRange(0, i-1).Draw(t, "parent")]
			p.When, p.Otherwise = &space.Condition{Param: parent.Name}, p.At(0)
			some := parent.At(rapid.IntRange(0, parent.Count()-1).Draw(t, "value"))
			if above, ok := some.AsFloat(); ok && rapid.Bool().Draw(t, "above") {
				p.When.Above = &above
			} else {
				p.When.In = []space.Value{some, parent.At(0)}
			}
		}
		s.Params = append(s.Params, p)
	}
	if err := s.Validate(); err != nil {
		t.Fatalf("the test made a wrong space: %v", err)
	}
	return s
}

// configurations enumerates a space parameter by parameter.
func configurations(s *space.Space, a space.Assignment, i int, found map[string]bool) {
	if i == len(s.Params) {
		found[fmt.Sprint(a)] = true
		return
	}
	p := s.Params[i]
	if !s.Active(a, p.Name) {
		a[p.Name] = p.Otherwise
		configurations(s, a, i+1, found)
		return
	}
	for k := range p.Count() {
		a[p.Name] = p.At(k)
		configurations(s, a, i+1, found)
	}
}

func TestGridIsWhole(t *testing.T) { rapid.Check(t, gridIsWhole) }

func FuzzGrid(f *testing.F) { f.Fuzz(rapid.MakeFuzz(gridIsWhole)) }

// gridIsWhole is the property that a grid goes through every configuration of its space once,
// but for those that are trials already, and then ends.
func gridIsWhole(t *rapid.T) {
	s := drawGrid(t)
	left := map[string]bool{}
	configurations(s, space.Assignment{}, 0, left)
	size, err := GridSize(s)
	if err != nil || size != uint64(len(left)) {
		t.Fatalf("the size is %d (%v), want %d", size, err, len(left))
	}
	h := historyOf(t, Problem{Space: s, Directions: []Direction{Maximize}}, nil)
	g := Grid{Seed: rapid.Uint64().Draw(t, "seed")}
	rng := rand.New(rand.NewPCG(g.Seed, 5))
	number := 0
	add := func(point space.Point) {
		set(t, h, Observation{Number: number, Point: point, Rung: -1, State: []State{Running, Failed}[number%2]})
		number++
	}
	for range rapid.IntRange(0, 3).Draw(t, "enqueued") {
		point := h.layout.drawAll(rng)
		delete(left, fmt.Sprint(s.Assignment(point)))
		add(point)
	}
	for len(left) > 0 {
		a, err := g.Suggest(h, nil)
		if err != nil {
			t.Fatalf("with %d configurations left: %v", len(left), err)
		}
		if complete, err := s.Complete(a); err != nil || fmt.Sprint(complete) != fmt.Sprint(a) || !left[fmt.Sprint(a)] {
			t.Fatalf("%v is not valid, complete and left: %v", a, err)
		}
		delete(left, fmt.Sprint(a))
		add(pointOf(t, s, a))
	}
	if a, err := g.Suggest(h, nil); !errors.Is(err, ErrExhausted) {
		t.Fatalf("with nothing left: %v, %v", a, err)
	}
}

func TestGridSize(t *testing.T) {
	var many []space.Param
	for i := range 40 {
		many = append(many, whole(fmt.Sprintf("p%d", i), 1, 10, 0))
	}
	off := func(p space.Param) space.Param { return when(p, "model", "gone") }
	for _, c := range []struct {
		name   string
		params []space.Param
		want   uint64
		err    string
	}{
		{"one", []space.Param{oneOf("model", "a")}, 1, ""},
		{"too many to count", many, math.MaxUint64, ""},
		{"a wide range with a branch", []space.Param{whole("n", 1, 1<<50, 0), func() space.Param {
			p, above := oneOf("c", "x", "y", "z"), float64(1<<50-2)
			p.When, p.Otherwise = &space.Condition{Param: "n", Above: &above}, space.String("x")
			return p
		}()}, 1<<50 - 2 + 2*3, ""},
		{"a continuum that is never on", []space.Param{oneOf("model", "a", "b"), off(uniform("x", 0, 1))}, 2, ""},
		{"continua", []space.Param{uniform("x", 0, 1), whole("n", 1, 3, 0), oneOf("model", "a", "b"), when(logUniform("y", 0.1, 1), "model", "b")}, 0,
			`sampler "grid" needs a step for x, y: without one a number has no end of values`},
	} {
		s := &space.Space{Params: c.params}
		got, err := GridSize(s)
		if got != c.want || (err == nil) != (c.err == "") || err != nil && err.Error() != c.err {
			t.Errorf("%s: %d, %v, want %d, %q", c.name, got, err, c.want, c.err)
		}
		a, suggestErr := Grid{Seed: 3}.Suggest(historyOf(t, Problem{Space: s, Directions: []Direction{Maximize}}, nil), nil)
		if (suggestErr == nil) != (err == nil) || suggestErr != nil && !strings.Contains(suggestErr.Error(), c.err) {
			t.Errorf("%s: suggested %v, %v", c.name, a, suggestErr)
		}
	}
}

// A search that ends before the grid does has seen most values of every parameter.
func TestGridSpreads(t *testing.T) {
	s := &space.Space{Params: []space.Param{whole("a", 1, 10, 0), whole("b", 1, 10, 0), whole("c", 1, 10, 0)}}
	for seed := range uint64(5) {
		h := historyOf(t, Problem{Space: s, Directions: []Direction{Maximize}}, nil)
		var seen [3]map[float64]bool
		for d := range seen {
			seen[d] = map[float64]bool{}
		}
		for i := range 20 {
			a, err := Grid{Seed: seed}.Suggest(h, nil)
			if err != nil {
				t.Fatal(err)
			}
			point := pointOf(t, s, a)
			set(t, h, Observation{Number: i, Point: point, Rung: -1, State: Running})
			for d, x := range point {
				seen[d][x] = true
			}
		}
		for d, values := range seen {
			if len(values) < 7 {
				t.Errorf("seed %d: 20 of 1,000 trials have %d of 10 values of parameter %d", seed, len(values), d)
			}
		}
	}
}
