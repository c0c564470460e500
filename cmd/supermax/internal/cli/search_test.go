package cli

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/supermax-hpo/supermax/shared/searchbench"
)

func TestSearchBench(t *testing.T) {
	args := []string{"search", "bench", "--functions", "branin,mixedbi", "--samplers", "tpe,random", "--trials", "10,20", "--slots", "1,4", "--seeds", "3"}
	table, progress := good(t, args...)
	lines := strings.Split(strings.TrimSpace(table), "\n")
	if len(lines) != 1+16 || !strings.Contains(lines[0], "median") || !strings.HasPrefix(lines[1], "branin    tpe      1      10      best") ||
		!strings.Contains(lines[9], "hypervolume [1 12]") {
		t.Errorf("got\n%s", table)
	}
	if strings.Count(progress, "done\n") != 8 {
		t.Errorf("progress was\n%s", progress)
	}
	out, _ := good(t, append(args, "--json")...)
	var cells []searchbench.Cell
	if err := json.Unmarshal([]byte(out), &cells); err != nil || len(cells) != 16 || len(cells[0].Values) != 3 {
		t.Errorf("%v: %d cells\n%s", err, len(cells), out)
	}
}

func TestSearchRefusals(t *testing.T) {
	if out, _ := good(t, "search"); !strings.Contains(out, "bench") {
		t.Errorf("help is\n%s", out)
	}
	refuses(t, []string{"search", "bensh"}, "did you mean bench?")
	refuses(t, []string{"search", "bench", "--functions", "sphere"}, `--functions: function "sphere" is not known; allowed: branin, `)
	refuses(t, []string{"search", "bench", "--functions", "speed20bi"}, "no reference point")
	refuses(t, []string{"search", "bench", "--samplers", "annealing"}, `sampler "annealing"`)
	refuses(t, []string{"search", "bench", "--seeds", "0", "--trials", "0"}, "seeds: 0 is not allowed", "trials: 0 is not allowed")
	refuses(t, []string{"search", "bench", "branin"}, "takes 0 argument(s)")
}
