package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/supermax-hpo/supermax/shared/functions"
	"github.com/supermax-hpo/supermax/shared/searchbench"
)

func TestCellsCompareTheRightWay(t *testing.T) {
	byName := func(name string) functions.Function {
		f, err := functions.ByName(name)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	low, high := searchbench.Quartiles{Q1: 1, Median: 2, Q3: 3}, searchbench.Quartiles{Q1: 4, Median: 5, Q3: 6}
	best := cells(byName("branin"))
	if len(best) != 3 || best[0].trials != 50 || best[0].loss(high.Median, low.Median) != 3 || best[0].worse(low) != 3 {
		t.Errorf("a small best value is not better: %+v", best)
	}
	volume := cells(byName("zdt1"))
	if len(volume) != 6 || !volume[0].near || volume[1].near || volume[1].loss(low.Median, high.Median) != 3 || volume[1].worse(low) != 1 {
		t.Errorf("a large hypervolume is not better: %+v", volume)
	}
	if got := best[0].quartiles([][][]float64{values(50, 3), values(50, 1), values(50, 2)}); got.Median != 2 {
		t.Errorf("quartiles %+v", got)
	}
	var c count
	if c.add(true, true) != "ahead" || c.add(false, true) != "within" || c.add(false, false) != "behind" || c != (count{3, 1, 2}) {
		t.Errorf("counted %+v", c)
	}
	if len(judged()) != 10 {
		t.Errorf("%d functions are judged, the golden data has 10", len(judged()))
	}
}

func values(n int, v float64) [][]float64 {
	rows := make([][]float64, n)
	for i := range rows {
		rows[i] = []float64{v}
	}
	return rows
}

func TestP99(t *testing.T) {
	var hundred []float64
	for i := range 100 {
		hundred = append(hundred, float64(100-i))
	}
	if got := p99(hundred); got != 100 {
		t.Errorf("of 1 to 100, one in a hundred is %v or more", got)
	}
	if got := p99([]float64{7}); got != 7 {
		t.Errorf("got %v", got)
	}
}

// TestStoredReopens checks that what is measured as a restore gives the whole study.
func TestStoredReopens(t *testing.T) {
	packed, events, err := stored(t.Context(), 60, 50)
	if err != nil || len(events) != 50 {
		t.Fatalf("%d events, %v", len(events), err)
	}
	decoder, err := zstd.NewReader(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer decoder.Close()
	if err := reopen(decoder, packed, events); err != nil {
		t.Error(err)
	}
	if err := reopen(decoder, packed, events[10:]); err == nil {
		t.Error("a study was restored without ten of its events")
	}
	asks, err := studyAsks(t.Context(), 60, 5)
	if err != nil || len(asks) != 5 {
		t.Errorf("%d asks, %v", len(asks), err)
	}
}

// TestParts runs a part against a peer that answers as Optuna would.
func TestParts(t *testing.T) {
	script := filepath.Join(t.TempDir(), "peer.sh")
	if err := os.WriteFile(script, []byte(`case "$2" in
late) echo '{"ask": [1, 2], "trial": [3]}' ;;
restore) echo '{"wall": [0.5], "bytes": 1000}' ;;
*) echo "no such measurement" >&2; exit 3 ;;
esac
`), 0o600); err != nil {
		t.Fatal(err)
	}
	var lines []string
	b := &bench{peer: peer{python: "bash", program: script, golden: "."}, seeds: 1,
		line: func(format string, a ...any) { lines = append(lines, format) }}
	if err := b.restore(t.Context()); err != nil || len(lines) != 1 {
		t.Errorf("restore: %v, %q", err, lines)
	}
	if err := b.quality(t.Context()); err == nil || !strings.Contains(err.Error(), "quality branin tpe 1 200 1: exit status 3: no such measurement") {
		t.Errorf("a peer that fails: %v", err)
	}
}

func TestRefusals(t *testing.T) {
	for want, args := range map[string][]string{
		"-part \"fast\" is not allowed; allowed: speed, quality, parallel, all": {"-python", "python3", "-part", "fast"},
		"-python is missing":      {},
		"-seeds 0 is not allowed": {"-seeds", "0"},
	} {
		if err := run(context.Background(), args); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want …%s…", args, err, want)
		}
	}
}
