package sched

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/supermax-hpo/supermax/tests/goldentest"
	"pgregory.net/rapid"
)

// Hugging Face's schedule. Its multiplier is 1 where the warm-up ends and 0 at the end,
// which says how long both are.
func TestGoldenLinear(t *testing.T) {
	data, err := os.ReadFile(filepath.Join(goldentest.Dir(t, "sched"), "schedules.json"))
	if err != nil {
		t.Fatal(err)
	}
	var schedules map[string]struct {
		Index []int     `json:"index"`
		Mult  []float64 `json:"mult"`
	}
	if err := json.Unmarshal(data, &schedules); err != nil {
		t.Fatal(err)
	}
	want := schedules["linear"]
	if len(want.Index) == 0 || len(want.Index) != len(want.Mult) {
		t.Fatalf("%d golden steps with %d values", len(want.Index), len(want.Mult))
	}
	peak, last := slices.Index(want.Mult, 1), len(want.Index)-1
	if peak < 0 || want.Mult[last] != 0 {
		t.Fatalf("the golden values %v do not show where the warm-up or the schedule ends", want.Mult)
	}
	for i, step := range want.Index {
		if got := Linear(step, want.Index[peak], want.Index[last]); math.Abs(got-want.Mult[i]) > 1e-12 {
			t.Errorf("step %d: got %v, want %v", step, got, want.Mult[i])
		}
	}
}

// The multiplier stays in [0, 1], is 1 where the warm-up ends and 0 at the end, whatever
// the numbers.
func TestLinearBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		total := rapid.IntRange(1, 10_000).Draw(t, "total")
		warmup := rapid.IntRange(0, total).Draw(t, "warmup")
		step := rapid.IntRange(0, 2*total).Draw(t, "step")
		if m := Linear(step, warmup, total); !(m >= 0 && m <= 1) {
			t.Fatalf("got %v", m)
		}
		if m := Linear(warmup, warmup, total); warmup < total && m != 1 {
			t.Fatalf("got %v where the warm-up ends", m)
		}
		if m := Linear(total, warmup, total); m != 0 {
			t.Fatalf("got %v at the end", m)
		}
	})
}

func TestWarmupSteps(t *testing.T) {
	for _, c := range []struct {
		ratio float64
		total int
		want  int
	}{{0, 100, 0}, {0.1, 100, 10}, {0.1, 101, 11}, {0.2, 3, 1}, {0.001, 10, 1}} {
		if got := WarmupSteps(c.ratio, c.total); got != c.want {
			t.Errorf("WarmupSteps(%v, %d) = %d, want %d", c.ratio, c.total, got, c.want)
		}
	}
}
