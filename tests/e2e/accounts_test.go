package e2e

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"fmt"
	"path/filepath"
	"testing"

	_ "github.com/duckdb/duckdb-go/v2" // reads the metrics files independently of parquet-go

	"github.com/supermax-hpo/supermax/shared/study"
)

// trials returns the study's trials as `supermax trials` prints them.
func (p *place) trials() []study.Trial {
	p.t.Helper()
	out := p.ok("trials", "small", "--format", "json")
	var trials []study.Trial
	for d := json.NewDecoder(bytes.NewReader([]byte(out))); d.More(); {
		var t study.Trial
		if err := d.Decode(&t); err != nil {
			p.t.Fatal(err)
		}
		trials = append(trials, t)
	}
	return trials
}

// checkAccounts proves from the outside that a finished study counted every trial once
// and neither lost nor doubled an epoch: the metrics files hold, for every trial, seed
// and fold, exactly the epochs 1 to the last that the study's state accepted.
func (p *place) checkAccounts() {
	p.t.Helper()
	trials := p.trials()
	perStage := map[string]int{}
	want := map[string]int{} // stage/trial/seed → last epoch
	for i, t := range trials {
		if t.Number != i {
			p.t.Errorf("trial %d stands at place %d", t.Number, i)
		}
		perStage[string(t.Stage)]++
		for _, s := range t.Seeds {
			if s.Last > 0 {
				want[fmt.Sprintf("%s/%d/%d", t.Stage, t.Number, s.Seed)] = s.Last
			}
		}
	}
	for stage, n := range map[string]int{"A": 5, "B": 4, "C": 4} {
		if perStage[stage] != n {
			p.t.Errorf("stage %s has %d trials, want %d", stage, perStage[stage], n)
		}
	}
	db, err := sql.Open("duckdb", "")
	if err != nil {
		p.t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.Query(fmt.Sprintf(`
		SELECT stage, trial, seed, count(*) FILTER (epoch > 0), count(DISTINCT epoch) FILTER (epoch > 0), max(epoch)
		FROM read_parquet('%s', hive_partitioning = true)
		GROUP BY ALL ORDER BY ALL`, filepath.Join(p.dir, "runs/small/objects/metrics/*/*/*.parquet")))
	if err != nil {
		p.t.Fatal(err)
	}
	defer rows.Close()
	got := map[string]int{}
	for rows.Next() {
		var stage string
		var trial, seed, n, distinct, last int
		if err := rows.Scan(&stage, &trial, &seed, &n, &distinct, &last); err != nil {
			p.t.Fatal(err)
		}
		key := fmt.Sprintf("%s/%d/%d", stage, trial, seed)
		if n != distinct || n != last {
			p.t.Errorf("%s has %d rows of %d epochs, the last %d", key, n, distinct, last)
		}
		got[key] = last
	}
	if err := rows.Err(); err != nil {
		p.t.Fatal(err)
	}
	for key, last := range want {
		if got[key] != last {
			p.t.Errorf("%s: the files end with epoch %d, the study with %d", key, got[key], last)
		}
	}
	for key := range got {
		if want[key] == 0 {
			p.t.Errorf("%s has rows that the study did not accept", key)
		}
	}
	if len(want) == 0 {
		p.t.Error("no trial reported anything")
	}
}

// result is what two runs of one study must have in common.
type result struct {
	Trials []string
	Best   string
}

// result strips what may differ between two runs (times, costs, memory) from the trials.
func (p *place) result() result {
	p.t.Helper()
	var r result
	for _, t := range p.trials() {
		line := fmt.Sprintf("%d %s %s %v rung %d", t.Number, t.Stage, t.State, t.Params, t.Rung)
		for _, report := range t.Reports {
			line += fmt.Sprintf(" [%d: %v]", report.Rung, report.Value)
		}
		r.Trials = append(r.Trials, line)
	}
	r.Best = p.ok("best", "small")
	return r
}

func requireFile(t *testing.T, path string) {
	t.Helper()
	if found, _ := filepath.Glob(path); len(found) == 0 {
		t.Errorf("%s is missing", path)
	}
}
