package tensor

import (
	"math"
	"slices"
	"testing"
)

// mask returns which elements of [tokens, columns] a dropout keeps.
func mask(t *testing.T, path Path, starts []int, firstRow, columns int, r Randomness, site uint32, p float64) []float32 {
	t.Helper()
	var kept []float32
	do(t, path, func(s *Scope) {
		rows := s.Pack(starts, true, firstRow)
		ones := make([]float32, rows.Tokens()*columns)
		for i := range ones {
			ones[i] = 1
		}
		kept = s.Read(s.Dropout(s.Floats(ones, rows.Tokens(), columns), r.At(site, rows.TokenKeys(), p)))
	})
	return kept
}

// The share that is dropped is p within 5 standard deviations, the rest is scaled so that
// the expectation stays.
func TestDropoutRate(t *testing.T) {
	const tokens, columns = 500, 100
	for _, p := range []float64{0.05, 0.1, 0.5, 0.9} {
		kept := mask(t, Kernels, []int{0, tokens}, 0, columns, Randomness{Seed: 1}, 0, p)
		dropped := 0
		for _, v := range kept {
			switch v {
			case 0:
				dropped++
			case float32(1 / (1 - p)):
			default:
				t.Fatalf("p = %v: element %v", p, v)
			}
		}
		n := float64(tokens * columns)
		if d := math.Abs(float64(dropped) - n*p); d > 5*math.Sqrt(n*p*(1-p)) {
			t.Errorf("p = %v: %d of %v dropped", p, dropped, n)
		}
	}
}

// Columns and tokens are dropped independently of their neighbours.
func TestDropoutIndependence(t *testing.T) {
	const tokens, columns = 400, 128
	kept := mask(t, Kernels, []int{0, tokens}, 0, columns, Randomness{Seed: 3, Step: 5}, 2, 0.5)
	for _, lag := range []int{1, 2, columns, columns + 1, 7 * columns} {
		equal := 0
		for i := lag; i < len(kept); i++ {
			if kept[i] == kept[i-lag] {
				equal++
			}
		}
		n := float64(len(kept) - lag)
		if d := math.Abs(float64(equal) - n/2); d > 5*math.Sqrt(n)/2 {
			t.Errorf("lag %d: %d of %v pairs are equal", lag, equal, n)
		}
	}
}

// A row's mask does not depend on which rows stand beside it in a worker's share of the
// batch, on the path, or on the number of threads.
func TestDropoutByRow(t *testing.T) {
	const columns, p = 11, 0.4
	r := Randomness{Seed: 42, Step: 9}
	starts := []int{0, 3, 10, 14}
	whole := mask(t, Kernels, starts, 0, columns, r, 5, p)
	if !slices.Equal(whole, mask(t, Library, starts, 0, columns, r, 5, p)) {
		t.Error("the library path has another mask")
	}
	for row := range 3 {
		n := starts[row+1] - starts[row]
		alone := mask(t, Kernels, []int{0, n}, row, columns, r, 5, p)
		if !slices.Equal(alone, whole[starts[row]*columns:starts[row+1]*columns]) {
			t.Errorf("row %d alone has another mask", row)
		}
	}
}

// Every part of the counter matters.
func TestDropoutDependsOn(t *testing.T) {
	base := mask(t, Kernels, []int{0, 8}, 0, 16, Randomness{Seed: 1, Step: 1}, 1, 0.5)
	for name, other := range map[string][]float32{
		"seed": mask(t, Kernels, []int{0, 8}, 0, 16, Randomness{Seed: 2, Step: 1}, 1, 0.5),
		"step": mask(t, Kernels, []int{0, 8}, 0, 16, Randomness{Seed: 1, Step: 2}, 1, 0.5),
		"site": mask(t, Kernels, []int{0, 8}, 0, 16, Randomness{Seed: 1, Step: 1}, 2, 0.5),
		"row":  mask(t, Kernels, []int{0, 8}, 1, 16, Randomness{Seed: 1, Step: 1}, 1, 0.5),
	} {
		if slices.Equal(base, other) {
			t.Errorf("another %s gives the same mask", name)
		}
	}
	if !slices.Equal(base, mask(t, Kernels, []int{0, 8}, 0, 16, Randomness{Seed: 1, Step: 1}, 1, 0.5)) {
		t.Error("the same counter gives another mask")
	}
}
