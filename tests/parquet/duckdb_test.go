// Package parquet checks the metrics files with readers that are not ours.
package parquet

import (
	"database/sql"
	"path/filepath"
	"testing"
	"time"

	_ "github.com/duckdb/duckdb-go/v2" // registers the driver
	"github.com/google/go-cmp/cmp"

	"github.com/supermax-hpo/supermax/configs"
	"github.com/supermax-hpo/supermax/shared/objects"
	"github.com/supermax-hpo/supermax/shared/protocol"
	"github.com/supermax-hpo/supermax/shared/results"
	"github.com/supermax-hpo/supermax/shared/space"
)

// params is a complete assignment: the middle of every range, the last of the choices.
func params(t *testing.T, s *space.Space) space.Assignment {
	t.Helper()
	a := space.Assignment{}
	for _, p := range s.Params {
		switch {
		case !s.Active(a, p.Name):
			a[p.Name] = p.Otherwise
		case p.Count() > 0:
			a[p.Name] = p.At(p.Count() - 1)
		default:
			a[p.Name] = space.Float((p.Low + p.High) / 2)
		}
	}
	a, err := s.Complete(a)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// TestDuckDB writes files of two studies and stages and asks DuckDB for them as one table.
func TestDuckDB(t *testing.T) {
	ctx := t.Context()
	s, dir, bucket := newFolder(t)
	a := params(t, s)
	auroc, fold := 0.75, 2
	for _, r := range []results.Row{
		{Study: "first", Stage: protocol.StageA, Trial: 1, Seed: 1, Epoch: 1, F1Macro: 0.5, AUROC: &auroc, PeakMemoryBytes: 1 << 40},
		{Study: "first", Stage: protocol.StageC, Trial: 2, Seed: 6, Epoch: 40, F1Macro: 0.25, Fold: &fold},
		{Study: "second-2", Stage: protocol.StageA, Trial: 3, Seed: 3, Epoch: 2, F1Macro: 1, Device: `"ä, cpu"`},
	} {
		r.Agent, r.Params = "criteria", a
		key := results.Key(r.Study, r.Stage, r.Trial, r.Rung, r.Attempt)
		if err := results.Write(ctx, bucket, key, s, []results.Row{r}); err != nil {
			t.Fatal(err)
		}
	}
	// A rung in which every seed had stopped early has a file without rows.
	if err := results.Write(ctx, bucket, results.Key("first", protocol.StageA, 1, 1, 0), s, nil); err != nil {
		t.Fatal(err)
	}

	db := openDuckDB(t)
	all := `read_parquet('` + filepath.Join(dir, "metrics") + `/**/*.parquet', hive_partitioning = true)`
	want := [][]string{
		{"first", "A", "1", "1", "1", "NULL", "0.5", "0.75", "1099511627776", ""},
		{"first", "C", "2", "6", "40", "2", "0.25", "NULL", "0", ""},
		{"second-2", "A", "3", "3", "2", "NULL", "1.0", "NULL", "0", `"ä, cpu"`},
	}
	got := query(t, db, `SELECT study, stage, trial, seed, epoch, fold, f1_macro, auroc, peak_memory_bytes, device FROM `+all+` ORDER BY trial`)
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("rows: -want +got\n%s", d)
	}

	// Every parameter of the space is a column of its type and holds its value.
	types := columnTypes(t, db, all)
	sqlTypes := map[space.Type]string{
		space.TypeBool: "BOOLEAN", space.TypeInt: "BIGINT", space.TypeFloat: "DOUBLE", space.TypeString: "VARCHAR",
	}
	for _, p := range s.Params {
		if got, want := types[p.Name], sqlTypes[p.Type()]; got != want {
			t.Errorf("column %s is %q, want %s", p.Name, got, want)
		}
		v := a[p.Name].String()
		rows := query(t, db, `SELECT count(*) FROM `+all+` WHERE "`+p.Name+`" = '`+v+`'`)
		if rows[0][0] != "3" {
			t.Errorf("%s = %s holds in %s rows, want 3", p.Name, v, rows[0][0])
		}
	}
	for _, c := range []string{"study", "stage", "agent", "device"} {
		if types[c] != "VARCHAR" {
			t.Errorf("column %s is %q, want VARCHAR", c, types[c])
		}
	}
}

// TestDuckDBTrials asks for trials files of two stages as one table, beside the metrics.
func TestDuckDBTrials(t *testing.T) {
	ctx := t.Context()
	s, dir, bucket := newFolder(t)
	a := params(t, s)
	f1, ece, fold, candidate, kind := 0.5, 0.25, 1, 3, "nan"
	at := time.Date(2025, 5, 1, 12, 30, 0, 0, time.UTC)
	for stage, rows := range map[protocol.Stage][]results.Trial{
		protocol.StageA: {
			{Trial: 0, Agent: "criteria", State: "PAUSED", F1Macro: &f1, ECE: &ece, Epochs: 2, CostSeconds: 1.5, Attempts: 1, Created: at, Params: a},
			{Trial: 1, Agent: "criteria", State: "FAILED", FailureKind: &kind, Created: at, Params: a},
		},
		protocol.StageB: {}, // planned, and nothing was asked for yet
		protocol.StageC: {{Trial: 4, Agent: "criteria", State: "COMPLETED", Fold: &fold, Candidate: &candidate, Created: at, Params: a}},
	} {
		if err := results.WriteTrials(ctx, bucket, "mine", stage, s, rows); err != nil {
			t.Fatal(err)
		}
	}
	db := openDuckDB(t)
	all := `read_parquet('` + filepath.Join(dir, "trials") + `/**/*.parquet', hive_partitioning = true)`
	want := [][]string{
		{"mine", "A", "0", "PAUSED", "NULL", "NULL", "2", "0.5", "0.25", "1.5", "NULL", "2025-05-01 12:30:00"},
		{"mine", "A", "1", "FAILED", "NULL", "NULL", "0", "NULL", "NULL", "0.0", "nan", "2025-05-01 12:30:00"},
		{"mine", "C", "4", "COMPLETED", "1", "3", "0", "NULL", "NULL", "0.0", "NULL", "2025-05-01 12:30:00"},
	}
	got := query(t, db, `SELECT study, stage, trial, state, fold, candidate, epochs, f1_macro, ece, cost_seconds, failure_kind, created_at FROM `+all+` ORDER BY trial`)
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("rows: -want +got\n%s", d)
	}
	types := columnTypes(t, db, all)
	sqlTypes := map[string]string{"boolean": "BOOLEAN", "bigint": "BIGINT", "double": "DOUBLE", "string": "VARCHAR", "timestamp": "TIMESTAMP"}
	columns, err := results.TrialsColumns(s)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range columns {
		if types[c.Name] != sqlTypes[c.Type] {
			t.Errorf("column %s is %s, want %s", c.Name, types[c.Name], sqlTypes[c.Type])
		}
	}
	if len(types) != len(columns)+2 { // study and stage
		t.Errorf("%d columns, want %d", len(types), len(columns)+2)
	}
}

// newFolder returns the whole space and an empty bucket with its folder.
func newFolder(t *testing.T) (*space.Space, string, *objects.Bucket) {
	t.Helper()
	s, err := space.Parse("space.yaml", configs.Space)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	bucket, err := objects.Open(t.Context(), objects.FileURL(dir))
	if err != nil {
		t.Fatal(err)
	}
	return s, dir, bucket
}

func openDuckDB(t *testing.T) *sql.DB {
	t.Helper()
	db, err := sql.Open("duckdb", "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// columnTypes returns the types of a table's columns, each of which is there once.
func columnTypes(t *testing.T, db *sql.DB, table string) map[string]string {
	t.Helper()
	types := map[string]string{}
	for _, row := range query(t, db, `SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM `+table+`)`) {
		if _, twice := types[row[0]]; twice {
			t.Errorf("column %s is there twice", row[0])
		}
		types[row[0]] = row[1]
	}
	return types
}

// query returns the rows as text.
func query(t *testing.T, db *sql.DB, q string) [][]string {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), `SELECT COLUMNS(*)::VARCHAR FROM (`+q+`)`)
	if err != nil {
		t.Fatalf("%s: %v", q, err)
	}
	defer func() { _ = rows.Close() }()
	cols, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var table [][]string
	for rows.Next() {
		cells, to := make([]sql.NullString, len(cols)), make([]any, len(cols))
		for i := range cells {
			to[i] = &cells[i]
		}
		if err := rows.Scan(to...); err != nil {
			t.Fatal(err)
		}
		row := make([]string, len(cols))
		for i, c := range cells {
			if row[i] = c.String; !c.Valid {
				row[i] = "NULL"
			}
		}
		table = append(table, row)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return table
}
