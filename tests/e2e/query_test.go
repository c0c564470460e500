package e2e

import (
	"encoding/json"
	"math"
	"strings"

	"github.com/google/go-cmp/cmp"

	"github.com/supermax-hpo/supermax/shared/queries"
)

// rows is a query's answer.
func (p *place) rows(args ...string) []map[string]any {
	p.t.Helper()
	var rows []map[string]any
	for line := range strings.Lines(p.ok(append([]string{"query", "--format", "json"}, args...)...)) {
		var row map[string]any
		if err := json.Unmarshal([]byte(line), &row); err != nil {
			p.t.Fatalf("%q: %v", line, err)
		}
		rows = append(rows, row)
	}
	return rows
}

// checkQueries compares what SQL over the Parquet files says of a finished study with what
// the study itself exported.
func (p *place) checkQueries() {
	t := p.t
	t.Helper()
	for _, name := range queries.Names() {
		if n := len(p.rows(name, "--study", "small")); n == 0 && name != "failures-by-kind" {
			t.Errorf("%s answers nothing", name)
		}
	}
	type point struct {
		Trial int     `json:"trial"`
		F1    float64 `json:"f1_macro"`
		ECE   float64 `json:"ece"`
	}
	var exported struct {
		Trials []point `json:"trials"`
	}
	if err := json.Unmarshal([]byte(p.ok("export", "small", "--what", "pareto", "--format", "json")), &exported); err != nil {
		t.Fatal(err)
	}
	var front []point
	for _, row := range p.rows("pareto-front", "--study", "small") {
		front = append(front, point{int(row["trial"].(float64)), row["f1_macro"].(float64), row["ece"].(float64)})
	}
	if d := cmp.Diff(exported.Trials, front); d != "" {
		t.Errorf("the Pareto front (-exported +SQL):\n%s", d)
	}
	// The hours of the epochs are a part of the slots' hours, stage by stage.
	for _, row := range p.rows("cost-by-stage", "--study", "small") {
		epochs, slots := row["epoch_hours"].(float64), row["slot_hours"].(float64)
		if !(epochs > 0 && slots >= epochs) || math.IsInf(slots, 0) {
			t.Errorf("stage %v: %v hours of epochs in %v of slots", row["stage"], epochs, slots)
		}
	}
	all := p.rows("SELECT study AS study, count(*) AS trials FROM trials GROUP BY study")
	if len(all) != 1 || all[0]["study"] != "small" || all[0]["trials"] != float64(5+4+4) {
		t.Errorf("the trials are %v", all)
	}
	if _, stderr, status := p.exec("query", "SELECT * FROM read_text('study.yaml')"); status != 2 || !strings.Contains(stderr, "supermax: the query failed: ") {
		t.Errorf("a query that reads another file: status %d, %s", status, stderr)
	}
}

// The figures of a finished study are an estimate's.
func (p *place) checkEstimate() {
	p.t.Helper()
	if out := p.ok("estimate", "study.yaml", "--from", "small", "--spot"); !strings.Contains(out, "measured by study small") {
		p.t.Errorf("the estimate prints\n%s", out)
	}
}
