package head

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/supermax-hpo/supermax/batchjob/tensor"
)

func TestValidate(t *testing.T) {
	good := Config{Pooling: "mean", HiddenDim: 8, Layers: 2, Activation: "relu", Dropout: 0.5, Classes: 2}
	if err := good.Validate(); err != nil {
		t.Error(err)
	}
	if err := (Config{Pooling: "cls", Classes: 3}).Validate(); err != nil {
		t.Error(err)
	}
	for want, change := range map[string]func(*Config){
		`pooling "sum", allowed are [cls mean max attention]`: func(c *Config) { c.Pooling = "sum" },
		"hidden_dim -1":     func(c *Config) { c.HiddenDim = -1 },
		"n_layers 0":        func(c *Config) { c.Layers = 0 },
		`activation "tanh"`: func(c *Config) { c.Activation = "tanh" },
		"dropout 1":         func(c *Config) { c.Dropout = 1 },
		"dropout NaN":       func(c *Config) { c.Dropout = math.NaN() },
		"1 classes":         func(c *Config) { c.Classes = 1 },
	} {
		c := good
		change(&c)
		if err := c.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want …%s…", err, want)
		}
	}
}

func TestInit(t *testing.T) {
	c := Config{Pooling: "attention", HiddenDim: 64, Layers: 2, Activation: "gelu", Classes: 2}
	arrays := c.Init(48, 7)
	var names []string
	for _, a := range arrays {
		names = append(names, a.Name)
		sum, squares := 0.0, 0.0
		for _, v := range a.Data {
			sum += float64(v)
			squares += float64(v) * float64(v)
		}
		n := float64(len(a.Data))
		if strings.HasSuffix(a.Name, ".bias") {
			if squares != 0 {
				t.Errorf("%s is not zero", a.Name)
			}
			continue
		}
		// Five standard errors of the mean and of the variance.
		if math.Abs(sum/n) > 5*0.02/math.Sqrt(n) || math.Abs(squares/n/0.0004-1) > 5*math.Sqrt(2/n) {
			t.Errorf("%s has mean %v and deviation %v", a.Name, sum/n, math.Sqrt(squares/n))
		}
	}
	want := []string{"attn_pool.weight", "head.layers.0.weight", "head.layers.0.bias", "head.layers.1.weight", "head.layers.1.bias", "head.weight", "head.bias"}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(arrays, c.Init(48, 7)); diff != "" {
		t.Error("the same seed gives other values")
	}
	if slices.Equal(arrays[0].Data, c.Init(48, 8)[0].Data) {
		t.Error("another seed gives the same values")
	}
	c.Prefix = "evidence."
	for i, a := range c.Init(48, 7) {
		if a.Name != "evidence."+want[i] {
			t.Errorf("%s of a second head is named %s", want[i], a.Name)
		}
		if strings.HasSuffix(a.Name, ".weight") && slices.Equal(a.Data, arrays[i].Data) {
			t.Errorf("%s starts as the first head's", a.Name)
		}
	}
}

// dense is a linear map in plain Go: weight [out, in].
func dense(x []float64, weight, bias []float32) []float64 {
	y := make([]float64, len(bias))
	for i := range y {
		y[i] = float64(bias[i])
		for j, v := range x {
			y[i] += v * float64(weight[i*len(x)+j])
		}
	}
	return y
}

// Each activation's head computes what its definition says.
func TestScore(t *testing.T) {
	functions := map[string]func(float64) float64{
		"relu":  func(v float64) float64 { return max(v, 0) },
		"gelu":  func(v float64) float64 { return v * 0.5 * math.Erfc(-v/math.Sqrt2) },
		"swish": func(v float64) float64 { return v / (1 + math.Exp(-v)) },
	}
	for _, activation := range Activations {
		c := Config{Pooling: "cls", HiddenDim: 6, Layers: 3, Activation: activation, Dropout: 0.5, Classes: 3}
		x := []float32{30, -20, 10, 40, -50, 60, 5, -5}
		want := make([]float64, len(x))
		for i, v := range x {
			want[i] = float64(v)
		}
		params := c.Init(len(x), 3)
		for i := 0; i < len(params); i += 2 {
			for j := range params[i].Data {
				params[i].Data[j] *= 10
			}
			want = dense(want, params[i].Data, params[i+1].Data)
			if i < len(params)-2 {
				for k, v := range want {
					want[k] = functions[activation](v)
				}
			}
		}
		got := score(t, c, x, func(p *tensor.Params, s *tensor.Scope) {
			if err := p.Import(s, params); err != nil {
				t.Error(err)
			}
		})
		for k, v := range got {
			if d := math.Abs(float64(v) - want[k]); !(d <= 1e-4*(1+math.Abs(want[k]))) {
				t.Errorf("%s: class %d has %v instead of %v", activation, k, v, want[k])
			}
		}
	}
}

// score runs a head without dropout on one row of one token.
func score(t *testing.T, c Config, x []float32, prepare func(*tensor.Params, *tensor.Scope)) []float32 {
	t.Helper()
	w, err := tensor.Start(tensor.Options{Device: "cpu", Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	params := tensor.NewParams()
	defer params.Free()
	var got []float32
	if err := w.Do(func(s *tensor.Scope) {
		h, err := New(s, c, len(x), 1, params)
		if err != nil {
			t.Error(err)
			return
		}
		prepare(params, s)
		got = s.Read(h.Forward(s, s.Floats(x, 1, len(x)), s.Pack([]int{0, 1}, false, 0), nil, 0))
	}); err != nil {
		t.Fatal(err)
	}
	return got
}

// Every layer's dropout is at a site of its own, and one row's differs from the next's.
func TestDropoutSites(t *testing.T) {
	w, err := tensor.Start(tensor.Options{Device: "cpu", Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	for _, c := range []Config{
		{Pooling: "cls", Dropout: 0.5, Classes: 2},
		{Pooling: "cls", HiddenDim: 16, Layers: 1, Activation: "relu", Dropout: 0.5, Classes: 2},
	} {
		params := tensor.NewParams()
		if err := w.Do(func(s *tensor.Scope) {
			h, err := New(s, c, 16, 1, params)
			if err != nil {
				t.Error(err)
				return
			}
			ones := make([]float32, 32)
			for i := range ones {
				ones[i] = 1
			}
			rows := s.Pack([]int{0, 1, 2}, true, 0)
			at := func(site uint32) []float32 {
				return s.Read(h.Forward(s, s.Floats(ones, 2, 16), rows, &tensor.Randomness{Seed: 1}, site))
			}
			a := at(0)
			if slices.Equal(a, at(1)) || slices.Equal(a[:2], a[2:]) {
				t.Errorf("%+v: sites or rows drop alike", c)
			}
			if !slices.Equal(a, at(0)) {
				t.Errorf("%+v: the same site drops otherwise", c)
			}
		}); err != nil {
			t.Fatal(err)
		}
		params.Free()
	}
	if err := w.Do(func(s *tensor.Scope) {
		if _, err := New(s, Config{}, 16, 1, tensor.NewParams()); err == nil {
			t.Error("an empty configuration was accepted")
		}
	}); err != nil {
		t.Fatal(err)
	}
}
