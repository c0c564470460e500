package head

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/supermax-hpo/supermax/batchjob/tensor"
)

// pooled is each pooling's definition in plain Go, for one row's states [n][hidden].
func pooled(pooling string, states [][]float64, vector []float64) []float64 {
	weights := make([]float64, len(states))
	switch pooling {
	case "cls":
		weights[0] = 1
	case "cls of the last":
		weights[len(weights)-1] = 1
	case "mean":
		for i := range weights {
			weights[i] = 1 / float64(len(states))
		}
	case "attention":
		sum := 0.0
		for i, h := range states {
			score := 0.0
			for j, v := range h {
				score += v * vector[j]
			}
			weights[i] = math.Exp(score)
			sum += weights[i]
		}
		for i := range weights {
			weights[i] /= sum
		}
	}
	y := make([]float64, len(states[0]))
	for j := range y {
		y[j] = math.Inf(-1)
		if pooling != "max" {
			y[j] = 0
		}
		for i, h := range states {
			if pooling == "max" {
				y[j] = max(y[j], h[j])
			} else {
				y[j] += weights[i] * h[j]
			}
		}
	}
	return y
}

func TestPool(t *testing.T) {
	const hidden = 5
	starts := []int{0, 1, 4, 11}
	rng := rand.New(rand.NewPCG(1, 2))
	flat := make([]float32, starts[3]*hidden)
	states := make([][]float64, starts[3])
	for i := range flat {
		flat[i] = float32(rng.NormFloat64())
		states[i/hidden] = append(states[i/hidden], float64(flat[i]))
	}
	w, err := tensor.Start(tensor.Options{Device: "cpu", Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	for _, pooling := range append(slices.Clone(Poolings), "cls of the last") {
		config := Config{Pooling: pooling, Classes: 2}
		if pooling == "cls of the last" {
			config.Pooling, config.Last = "cls", true
		}
		params := tensor.NewParams()
		if err := w.Do(func(s *tensor.Scope) {
			h, err := New(s, config, hidden, 1, params)
			if err != nil {
				t.Error(err)
				return
			}
			var vector []float64
			if pooling == "attention" {
				data := make([]float32, hidden)
				for i := range data {
					data[i] = float32(rng.NormFloat64())
					vector = append(vector, float64(data[i]))
				}
				s.Write(h.attention, data)
			}
			got := s.Read(h.Pool(s, s.Floats(flat, starts[3], hidden), s.Pack(starts, false, 0)))
			for r := range 3 {
				for j, want := range pooled(pooling, states[starts[r]:starts[r+1]], vector) {
					if d := math.Abs(float64(got[r*hidden+j]) - want); !(d <= 1e-6) {
						t.Errorf("%s: row %d, element %d is %v instead of %v", pooling, r, j, got[r*hidden+j], want)
					}
				}
			}
		}); err != nil {
			t.Fatal(err)
		}
		params.Free()
	}
}
