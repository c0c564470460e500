package tensor

import (
	"math"
	"testing"
)

func TestLinear(t *testing.T) {
	do(t, Kernels, func(s *Scope) {
		x, weight := s.Floats([]float32{1, 2, 3, 4}, 2, 2), s.Floats([]float32{1, 0, 0, 1, 1, 1}, 3, 2)
		if d := worst(s.Read(s.Linear(x, weight, s.Floats([]float32{10, 20, 30}, 3))), []float32{11, 22, 33, 13, 24, 37}); d != 0 {
			t.Errorf("with a bias off by %v", d)
		}
		if d := worst(s.Read(s.Linear(x, weight, T{})), []float32{1, 2, 3, 3, 4, 7}); d != 0 {
			t.Errorf("without a bias off by %v", d)
		}
		if got := s.Read(s.Pack([]int{0, 1, 2}, false, 0).First(x)); worst(got, []float32{1, 2, 3, 4}) != 0 {
			t.Errorf("first tokens %v", got)
		}
	})
}

// The loss is sum_i w[y_i]·nll_i / sum_i w[y_i]; smoothing by e replaces nll_i by
// (1-e)·w[y_i]·nll_i + e/C·sum_c w_c·(-log p_c), over the same sum of weights.
func TestCrossEntropy(t *testing.T) {
	logits := []float64{2, -1, 0.5, 0, 1, 3}
	labels := []int32{2, 0}
	weights := []float64{0.5, 1, 2}
	for _, smoothing := range []float64{0, 0.1, 0.9} {
		for _, weighted := range []bool{false, true} {
			w := []float64{1, 1, 1}
			if weighted {
				w = weights
			}
			total, share := 0.0, 0.0
			for i, y := range labels {
				row := logits[3*i : 3*i+3]
				norm := math.Log(math.Exp(row[0]) + math.Exp(row[1]) + math.Exp(row[2]))
				total += (1 - smoothing) * w[y] * (norm - row[y])
				for c, v := range row {
					total += smoothing / 3 * w[c] * (norm - v)
				}
				share += w[y]
			}
			do(t, Kernels, func(s *Scope) {
				var wt T
				if weighted {
					wt = s.Floats([]float32{0.5, 1, 2}, 3)
				}
				x := make([]float32, len(logits))
				for i, v := range logits {
					x[i] = float32(v)
				}
				got := s.Item(s.CrossEntropy(s.Floats(x, 2, 3), s.Indices(labels), wt, smoothing))
				if math.Abs(got-total/share) > 1e-6 {
					t.Errorf("smoothing %v, weighted %v: got %v, want %v", smoothing, weighted, got, total/share)
				}
			})
		}
	}
}

func TestDeviceName(t *testing.T) {
	if got := startWorker(t, Kernels).Device(); got != "cpu" {
		t.Errorf("got %q", got)
	}
	if got := device(2).String(); got != "cuda:2" {
		t.Errorf("got %q", got)
	}
}

func TestOpErrorMessage(t *testing.T) {
	for message, want := range map[string]string{
		"shapes differ\nException raised from f\nframe #0: g": "add: shapes differ",
		"":        "add: failed without a message",
		"  \n x ": "add: x",
	} {
		if got := newOpError("add", message, false).Error(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
