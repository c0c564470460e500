package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/supermax-hpo/supermax/shared/simulate"
)

const simulatedFile = `version: 1
name: tried
agent: criteria
corpus: {dir: ., layout: groundtruth}
price_per_hour: 0.5
stages:
  a: {trials: 12, epochs: 9, rungs: {min: 1, max: 9, factor: 3}, seeds: [1]}
  b: {trials: 8, epochs: 9, rungs: {min: 3, max: 9, factor: 3}, seeds: [1], enqueue: 4}
  c: {candidates: 2, folds: 2, seeds: [1], epochs: 9}
`

func TestSimulate(t *testing.T) {
	file := filepath.Join(t.TempDir(), "tried.yaml")
	if err := os.WriteFile(file, []byte(simulatedFile), 0o600); err != nil {
		t.Fatal(err)
	}
	table, _ := good(t, "simulate", file, "--slots", "3")
	for _, want := range []string{"simulated study tried: 3 slots, seed 1, learning curves shaped like fine-tuning", "best F1-macro",
		"rungs of A: 12 trials at epoch 1, ", "C without a scheduler: ", "chosen: trial ", " dollars\n"} {
		if !strings.Contains(table, want) {
			t.Errorf("the table lacks %q:\n%s", want, table)
		}
	}
	if again, _ := good(t, "simulate", file, "--slots", "3"); again != table {
		t.Errorf("the same command printed something else:\n%s", again)
	}

	read := func(args ...string) (r simulate.Result) {
		t.Helper()
		out, _ := good(t, append([]string{"simulate", file, "--json"}, args...)...)
		if err := json.Unmarshal([]byte(out), &r); err != nil {
			t.Fatal(err)
		}
		return r
	}
	plain, bad := read(), read("--interruptions", "2", "--slow-share", "0.5", "--oom-share", "0.1", "--nan-share", "0.1", "--crash-share", "0.1")
	if plain.Slots != 4 || plain.Study != "tried" || len(plain.Stages) != 3 || plain.Stages[0].Trials != 12 || plain.Chosen == nil {
		t.Errorf("got %+v", plain)
	}
	if d := plain.Total.Dollars - 0.5*plain.Total.SlotHours; d > 1e-9 || d < -1e-9 {
		t.Errorf("%v slot hours cost %v at 0.5", plain.Total.SlotHours, plain.Total.Dollars)
	}
	if bad.Stages[0].Interruptions == 0 || bad.Stages[0].Failed <= plain.Stages[0].Failed || bad.Total.SlotHours <= plain.Total.SlotHours {
		t.Errorf("the flags did no harm: %+v", bad.Stages[0])
	}
	if r := read("--seed", "2", "--price", "3", "--trials", "9,5"); r.Seed != 2 || r.Stages[0].Trials != 9 || r.Stages[1].Trials != 5 || r.Total.Dollars < 2*r.Total.SlotHours {
		t.Errorf("got %+v", r)
	}
	if r := read("--objective", "branin"); r.Stages[0].Best == plain.Stages[0].Best {
		t.Error("another objective gave the same result")
	}
	stopped, _ := good(t, "simulate", file, "--budget", "0.2")
	if !strings.Contains(stopped, "stopped (budget) in stage A") {
		t.Errorf("got\n%s", stopped)
	}
	free, _ := good(t, "simulate", "--trials", "5,5", "--slots", "8")
	if !strings.Contains(free, "simulated study simulated") && !strings.Contains(free, "no dollars without a price") {
		t.Errorf("got\n%s", free)
	}
}

func TestSimulateRefusals(t *testing.T) {
	refuses(t, []string{"simulate", "a", "b"}, "takes one file at most")
	refuses(t, []string{"simulate", "nosuch.yaml"}, "nosuch.yaml")
	refuses(t, []string{"simulate", "--objective", "sphere"}, `--objective: function "sphere" is not known; allowed: branin, `)
	refuses(t, []string{"simulate", "--seconds-per-epoch", "0"}, "--seconds-per-epoch 0 is not allowed")
	refuses(t, []string{"simulate", "--trials", "1,2,3"}, "--trials has 3 numbers; allowed: one for stage A, or two")
	refuses(t, []string{"simulate", "--trials", "0"}, "a.trials: 0 is not allowed; allowed: 1 or more")
	refuses(t, []string{"simulate", "--slots", "0", "--interruptions", "-1"}, "slots: 0 is not allowed; allowed: 1 to 100000", "interruptions an hour: -1 is not allowed")
	refuses(t, []string{"simulate", "--budget", "3"}, "budget: 3 dollars need a price")
	refuses(t, []string{"simulate", "--slow-factor", "0.5"}, "factor of slow slots: 0.5 is not allowed")
}
