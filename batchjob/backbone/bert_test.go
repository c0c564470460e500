package backbone_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/supermax-hpo/supermax/batchjob/backbone"
	"github.com/supermax-hpo/supermax/batchjob/internal/modeltest"
	"github.com/supermax-hpo/supermax/batchjob/pretrained"
	"github.com/supermax-hpo/supermax/batchjob/tensor"
)

// small returns a checkpoint of a very small BERT, changed.
func small(t *testing.T, change func(*pretrained.Config)) *pretrained.Weights {
	t.Helper()
	c := pretrained.DefaultConfig()
	c.VocabSize, c.HiddenSize, c.NumHiddenLayers, c.NumAttentionHeads = 20, 8, 1, 2
	c.IntermediateSize, c.MaxPositionEmbeddings, c.InitializerRange = 12, 10, 0.5
	if change != nil {
		change(&c)
	}
	return modeltest.BERT(t, c)
}

// rowsOf packs rows of ids.
func rowsOf(rows ...[]int32) backbone.Batch {
	var b backbone.Batch
	for _, ids := range rows {
		b.Append(ids, make([]int32, len(ids)))
	}
	return b
}

// last returns the last hidden states.
func last(t *testing.T, w *pretrained.Weights, b backbone.Batch, random *tensor.Randomness) (got []float32) {
	t.Helper()
	inModel(t, tensor.Kernels, w, func(s *tensor.Scope, m *backbone.Encoder) {
		states := m.Forward(s, b, s.Pack(b.Starts, random != nil, 0), random)
		got = s.Read(states[len(states)-1])
	})
	return got
}

// Every activation that package pretrained accepts is another function; names of one
// function agree.
func TestActivations(t *testing.T) {
	b := rowsOf([]int32{1, 2, 3}, []int32{4, 5})
	outputs := map[string][]float32{}
	for _, name := range []string{"gelu", "gelu_new", "gelu_pytorch_tanh", "relu", "silu", "swish", "tanh"} {
		outputs[name] = last(t, small(t, func(c *pretrained.Config) { c.HiddenAct = name }), b, nil)
	}
	if !slices.Equal(outputs["gelu_new"], outputs["gelu_pytorch_tanh"]) || !slices.Equal(outputs["silu"], outputs["swish"]) {
		t.Error("two names of one activation differ")
	}
	distance := func(a, b string) (d float64) {
		for i := range outputs[a] {
			d = max(d, math.Abs(float64(outputs[a][i]-outputs[b][i])))
		}
		return d
	}
	if d := distance("gelu", "gelu_new"); d == 0 || d > 0.01 {
		t.Errorf("the tanh approximation of gelu is off by %v", d)
	}
	for _, name := range []string{"relu", "silu", "tanh"} {
		if d := distance("gelu", name); d < 0.01 {
			t.Errorf("%s differs from gelu by %v only", name, d)
		}
	}
}

// Dropout is applied at the rates of config.json, the embeddings' and the layers'.
func TestDropoutPlaces(t *testing.T) {
	b := rowsOf([]int32{1, 2, 3, 4})
	random := &tensor.Randomness{Seed: 1, Step: 1}
	none := func(c *pretrained.Config) { c.HiddenDropoutProb, c.AttentionProbsDropoutProb = 0, 0 }
	still := last(t, small(t, none), b, nil)
	if !slices.Equal(still, last(t, small(t, none), b, random)) {
		t.Error("rates of zero change the result")
	}
	if !slices.Equal(still, last(t, small(t, nil), b, nil)) {
		t.Error("without randomness the rates change the result")
	}
	for name, change := range map[string]func(*pretrained.Config){
		"hidden":    func(c *pretrained.Config) { c.HiddenDropoutProb, c.AttentionProbsDropoutProb = 0.5, 0 },
		"attention": func(c *pretrained.Config) { c.HiddenDropoutProb, c.AttentionProbsDropoutProb = 0, 0.5 },
	} {
		if slices.Equal(still, last(t, small(t, change), b, random)) {
			t.Errorf("%s dropout changes nothing", name)
		}
	}
}

func TestSites(t *testing.T) {
	inModel(t, tensor.Kernels, small(t, func(c *pretrained.Config) { c.NumHiddenLayers = 3 }), func(_ *tensor.Scope, m *backbone.Encoder) {
		if m.Sites() != 1+3*3 {
			t.Errorf("got %d dropout sites for 3 layers", m.Sites())
		}
	})
}

func TestNoPooler(t *testing.T) {
	w := small(t, nil)
	w.Params = slices.DeleteFunc(w.Params, func(p pretrained.Param) bool { return strings.HasPrefix(p.Name, "pooler.") })
	b := rowsOf([]int32{1, 2})
	inModel(t, tensor.Kernels, w, func(s *tensor.Scope, m *backbone.Encoder) {
		rows := s.Pack(b.Starts, false, 0)
		states := m.Forward(s, b, rows, nil)
		if _, err := m.Pool(s, states[1], rows); err == nil {
			t.Error("a model without pooler pools")
		}
	})
}

func TestNewRefuses(t *testing.T) {
	for want, change := range map[string]func(*pretrained.Weights){
		"parameter encoder.layer.0.output.dense.bias is missing": func(w *pretrained.Weights) {
			w.Params = slices.DeleteFunc(w.Params, func(p pretrained.Param) bool { return p.Name == "encoder.layer.0.output.dense.bias" })
		},
		`model_type "gpt2"`: func(w *pretrained.Weights) { w.Config.ModelType = "gpt2" },
		"hidden_act":        func(w *pretrained.Weights) { w.Config.HiddenAct = "mish" },
	} {
		w := small(t, nil)
		change(w)
		worker, err := tensor.Start(tensor.Options{Device: "cpu", Threads: 1})
		if err != nil {
			t.Fatal(err)
		}
		params := tensor.NewParams()
		if err := worker.Do(func(s *tensor.Scope) {
			if _, err := backbone.New(s, w, params, ""); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want …%s…", err, want)
			}
		}); err != nil {
			t.Fatal(err)
		}
		params.Free()
		worker.Close()
	}
}

func TestCheck(t *testing.T) {
	inModel(t, tensor.Kernels, small(t, nil), func(_ *tensor.Scope, m *backbone.Encoder) {
		if err := m.Check(rowsOf([]int32{1, 19}, make([]int32, 10))); err != nil {
			t.Error(err)
		}
		types := rowsOf([]int32{1, 2})
		types.TypeIDs[1] = -1
		for want, b := range map[string]backbone.Batch{
			"id 20, the vocabulary has 20":   rowsOf([]int32{1, 20}),
			"id -1":                          rowsOf([]int32{-1}),
			"row 1 has 11 tokens":            rowsOf([]int32{1}, make([]int32, 11)),
			"type -1, there are 2":           types,
			"0 row starts do not cover 0":    {},
			"2 row starts do not cover 3 id": {IDs: []int32{1, 2, 3}, TypeIDs: []int32{0, 0, 0}, Starts: []int{0, 2}},
			"row 0 has 0 tokens":             {IDs: []int32{1}, TypeIDs: []int32{0}, Starts: []int{0, 0, 1}},
		} {
			if err := m.Check(b); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want …%s…", err, want)
			}
		}
	})
}
