package sampler

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/supermax-hpo/supermax/shared/space"
)

// An objective is a test problem: a space, directions and the values of an assignment.
type objective struct {
	Problem
	eval func(space.Assignment) []float64
}

func newObjective(dirs []Direction, eval func(space.Assignment) []float64, params ...space.Param) objective {
	return objective{Problem{Space: &space.Space{Params: params}, Directions: dirs}, eval}
}

func uniform(name string, low, high float64) space.Param {
	return space.Param{Name: name, Kind: space.FloatRange, Low: low, High: high}
}

func logUniform(name string, low, high float64) space.Param {
	return space.Param{Name: name, Kind: space.FloatRange, Low: low, High: high, Log: true}
}

func stepped(name string, low, high, step float64) space.Param {
	return space.Param{Name: name, Kind: space.FloatRange, Low: low, High: high, Step: step}
}

func whole(name string, low, high, step float64) space.Param {
	return space.Param{Name: name, Kind: space.IntRange, Low: low, High: high, Step: step}
}

func oneOf(name string, choices ...string) space.Param {
	p := space.Param{Name: name, Kind: space.Categorical}
	for _, c := range choices {
		p.Choices = append(p.Choices, space.String(c))
	}
	return p
}

func when(p space.Param, parent string, values ...string) space.Param {
	p.When = &space.Condition{Param: parent}
	for _, v := range values {
		p.When.In = append(p.When.In, space.String(v))
	}
	p.Otherwise = p.At(0)
	if p.Count() == 0 {
		p.Otherwise = space.Float(0)
	}
	return p
}

func get(a space.Assignment, name string) float64 {
	x, ok := a[name].AsFloat()
	if !ok {
		panic(name + " is not a number")
	}
	return x
}

// branin is Dixon and Szegö's function (1978), minimum 0.397887.
func branin() objective {
	return newObjective([]Direction{Minimize}, func(a space.Assignment) []float64 {
		x, y := get(a, "x"), get(a, "y")
		u := y - 5.1/(4*math.Pi*math.Pi)*x*x + 5/math.Pi*x - 6
		return []float64{u*u + 10*(1-1/(8*math.Pi))*math.Cos(x) + 10}
	}, uniform("x", -5, 10), uniform("y", 0, 15))
}

// conditional is the golden data's function of that name: three models with
// hyper-parameters of their own; minimum 0.05.
func conditional() objective {
	unit := func(i string) space.Param {
		p := whole("units"+i, 8, 512, 0)
		p.Log = true
		above := float64(i[0]-'0') - 0.5
		p.When = &space.Condition{Param: "layers", Above: &above}
		p.Otherwise = space.Int(0)
		return p
	}
	params := []space.Param{
		uniform("z", 0, 1), oneOf("model", "svm", "tree", "net"),
		when(logUniform("c", 1e-4, 1e3), "model", "svm"), when(logUniform("gamma", 1e-5, 10), "model", "svm"),
		when(whole("depth", 1, 20, 0), "model", "tree"), when(uniform("min_split", 0.01, 0.5), "model", "tree"),
		when(oneOf("criterion", "gini", "entropy", "log_loss"), "model", "tree"),
		when(logUniform("lr", 1e-6, 1e-1), "model", "net"), when(whole("layers", 1, 4, 0), "model", "net"),
		when(stepped("drop", 0, 0.5, 0.05), "model", "net"), unit("1"), unit("2"), unit("3"), unit("4"),
	}
	square := func(x float64) float64 { return x * x }
	return newObjective([]Direction{Minimize}, func(a space.Assignment) []float64 {
		f := 0.1 * square(get(a, "z")-0.3)
		switch model, _ := a["model"].AsString(); model {
		case "svm":
			f += 0.20 + 0.02*square(math.Log10(get(a, "c"))-1) + 0.03*square(math.Log10(get(a, "gamma"))+2)
		case "tree":
			f += 0.12 + 0.004*square(get(a, "depth")-7) + 0.8*square(get(a, "min_split")-0.1)
			criterion, _ := a["criterion"].AsString()
			f += map[string]float64{"gini": 0.02, "log_loss": 0.05}[criterion]
		default:
			layers := get(a, "layers")
			f += 0.05 + 0.05*square(math.Log10(get(a, "lr"))+3.5) + 0.03*square(layers-2) + 0.5*square(get(a, "drop")-0.15)
			for _, u := range []string{"units1", "units2", "units3", "units4"}[:int(layers)] {
				f += 0.01 * square(math.Log2(get(a, u))-7)
			}
		}
		return []float64{f}
	}, params...)
}

// zdt1 is Zitzler, Deb and Thiele's first problem (2000) with d variables.
func zdt1(d int) objective {
	var params []space.Param
	for i := range d {
		params = append(params, uniform("x"+string(rune('a'+i)), 0, 1))
	}
	return newObjective([]Direction{Minimize, Minimize}, func(a space.Assignment) []float64 {
		f, g := get(a, params[0].Name), 1.0
		for _, p := range params[1:] {
			g += 9 * get(a, p.Name) / float64(d-1)
		}
		return []float64{f, g * (1 - math.Sqrt(f/g))}
	}, params...)
}

// search runs n trials one after the other and returns their values.
func search(t testing.TB, o objective, s Sampler, seed uint64, n int) [][]float64 {
	t.Helper()
	h := historyOf(t, o.Problem, nil)
	values := make([][]float64, n)
	for i := range n {
		a, err := s.Suggest(h, rand.New(rand.NewPCG(seed, uint64(i))))
		if err != nil {
			t.Fatal(err)
		}
		values[i] = o.eval(a)
		set(t, h, Observation{Number: i, Point: pointOf(t, o.Space, a), Values: values[i], State: Completed})
	}
	return values
}

// fataler is what the tests of testing and of rapid have in common.
type fataler interface {
	Helper()
	Fatal(...any)
}

// historyOf returns the history of those trials.
func historyOf(t fataler, p Problem, trials []Observation) *History {
	t.Helper()
	h, err := NewHistory(p)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range trials {
		set(t, h, o)
	}
	return h
}

func set(t fataler, h *History, o Observation) {
	t.Helper()
	if err := h.Set(o); err != nil {
		t.Fatal(err)
	}
}

func pointOf(t fataler, s *space.Space, a space.Assignment) space.Point {
	t.Helper()
	point, err := s.Point(a)
	if err != nil {
		t.Fatal(err)
	}
	return point
}

// medianOver returns the median of score over that many seeds.
func medianOver(seeds int, score func(seed uint64) float64) float64 {
	scores := make([]float64, seeds)
	for i := range scores {
		scores[i] = score(uint64(i))
	}
	slices.Sort(scores)
	return scores[seeds/2]
}

func lowest(values [][]float64) float64 {
	return slices.MinFunc(values, slices.Compare)[0]
}

func TestTPEBeatsRandom(t *testing.T) {
	for _, c := range []struct {
		name string
		objective
		trials int
	}{{"branin", branin(), 50}, {"conditional", conditional(), 60}} {
		tpe := medianOver(15, func(seed uint64) float64 { return lowest(search(t, c.objective, TPE{}, seed, c.trials)) })
		random := medianOver(15, func(seed uint64) float64 { return lowest(search(t, c.objective, Random{}, seed, c.trials)) })
		if !(tpe < random) {
			t.Errorf("%s: after %d trials TPE's median is %v, random's %v", c.name, c.trials, tpe, random)
		}
	}
}

func TestNSGA2BeatsRandom(t *testing.T) {
	o := zdt1(8)
	score := func(s Sampler) float64 {
		return medianOver(5, func(seed uint64) float64 {
			return Hypervolume(search(t, o, s, seed, 200), o.Directions, []float64{1.1, 7})
		})
	}
	if nsga2, random := score(NSGA2{}), score(Random{}); !(nsga2 > random) {
		t.Errorf("NSGA-II's median hypervolume is %v, random's %v", nsga2, random)
	}
}

// mixed20 is a 20-parameter space of every kind, for the benchmarks.
func mixed20() objective {
	var params []space.Param
	add := func(n int, p func(name string) space.Param) {
		for range n {
			params = append(params, p("p"+string(rune('a'+len(params)))))
		}
	}
	add(6, func(n string) space.Param { return uniform(n, 0, 1) })
	add(4, func(n string) space.Param { return logUniform(n, 1e-5, 1) })
	add(2, func(n string) space.Param { return stepped(n, 0, 1, 0.05) })
	add(4, func(n string) space.Param { return whole(n, 1, 32, 0) })
	add(1, func(n string) space.Param { p := whole(n, 1, 512, 0); p.Log = true; return p })
	add(1, func(n string) space.Param { return oneOf(n, "a", "b", "c") })
	add(1, func(n string) space.Param { return oneOf(n, "a", "b", "c", "d") })
	add(1, func(n string) space.Param { return oneOf(n, "a", "b", "c", "d", "e", "f") })
	return newObjective([]Direction{Minimize}, func(a space.Assignment) []float64 {
		sum := 0.0
		for _, p := range params {
			if x, ok := a[p.Name].AsFloat(); ok {
				sum += x / p.High
			}
		}
		return []float64{sum}
	}, params...)
}

func benchmarkSuggest(b *testing.B, s Sampler, o objective, trials int) {
	rng := rand.New(rand.NewPCG(1, 2))
	h := historyOf(b, o.Problem, nil)
	for i := range trials {
		point := h.layout.drawAll(rng)
		set(b, h, Observation{Number: i, Point: point, Values: o.eval(o.Space.Assignment(point)), State: Completed})
	}
	for b.Loop() {
		if _, err := s.Suggest(h, rng); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkTPE1000(b *testing.B)    { benchmarkSuggest(b, TPE{}, mixed20(), 1000) }
func BenchmarkNSGA2_1000(b *testing.B) { benchmarkSuggest(b, NSGA2{}, zdt1(20), 1000) }
