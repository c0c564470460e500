// Package queries runs the saved queries in DuckDB over rows made by hand.
package queries

import (
	"database/sql"
	"fmt"
	"strings"
	"testing"

	_ "github.com/duckdb/duckdb-go/v2" // registers the driver
	"github.com/google/go-cmp/cmp"

	"github.com/supermax-hpo/supermax/shared/queries"
)

// tables are the columns that the queries read, with the types of the Parquet files.
const tables = `
CREATE TABLE trials (study VARCHAR, stage VARCHAR, trial BIGINT, state VARCHAR, rung BIGINT, epochs BIGINT,
  f1_macro DOUBLE, ece DOUBLE, cost_seconds DOUBLE, cost DOUBLE, attempts BIGINT, failure_kind VARCHAR,
  "model.name" VARCHAR, "tok.max_length" BIGINT, "head.pooling" VARCHAR, "optim.name" VARCHAR, "optim.lr" DOUBLE,
  "train.batch_size" BIGINT, "aug.enabled" BOOLEAN, "aug.method_strategy" VARCHAR);
CREATE TABLE metrics (study VARCHAR, stage VARCHAR, trial BIGINT, attempt BIGINT, rung BIGINT, seed BIGINT,
  epoch BIGINT, seconds DOUBLE, cost DOUBLE);
INSERT INTO trials VALUES
  ('mine', 'A', 0, 'PAUSED',    0, 2,  0.50, 0.10, 3600, 2, 1, NULL,   'bert',    128, 'cls',  'adamw', 1e-5, 8,  false, 'none'),
  ('mine', 'A', 1, 'COMPLETED', 2, 20, 0.75, 0.20, 7200, 4, 3, NULL,   'bert',    128, 'mean', 'adamw', 2e-5, 16, true,  'light'),
  ('mine', 'A', 2, 'FAILED',    0, 2,  0.99, 0.01, 1800, 1, 1, 'oom',  'roberta', 512, 'cls',  'lion',  1e-5, 64, false, 'none'),
  ('mine', 'A', 3, 'FAILED',    0, 0,  NULL, NULL, 1800, 1, 4, 'crash','bert',    128, 'cls',  'adamw', 1e-5, 8,  false, 'none'),
  ('mine', 'A', 4, 'PAUSED',    0, 2,  0.75, 0.20, 0,    0, 1, NULL,   'roberta', 256, 'max',  'lion',  3e-5, 32, true,  'all'),
  ('mine', 'B', 5, 'COMPLETED', 1, 30, 0.80, 0.10, 3600, 2, 1, NULL,   'bert',    128, 'cls',  'adamw', 1e-5, 8,  false, 'none'),
  ('mine', 'B', 6, 'PAUSED',    0, 3,  0.70, 0.05, 3600, 2, 1, NULL,   'bert',    128, 'cls',  'adamw', 1e-5, 8,  false, 'none'),
  ('mine', 'B', 7, 'PAUSED',    0, 3,  0.70, 0.10, 3600, 2, 1, NULL,   'bert',    128, 'cls',  'adamw', 1e-5, 8,  false, 'none'),
  ('mine', 'B', 8, 'PAUSED',    0, 3,  0.80, 0.10, 3600, 2, 1, NULL,   'roberta', 128, 'cls',  'adamw', 1e-5, 8,  false, 'none'),
  ('mine', 'B', 9, 'PAUSED',    0, 3,  0.80, 0.11, 3600, 2, 1, NULL,   'bert',    128, 'cls',  'adamw', 1e-5, 8,  false, 'none'),
  ('mine', 'B', 10,'FAILED',    0, 3,  0.99, 0.00, 3600, 2, 1, 'nan',  'bert',    128, 'cls',  'adamw', 1e-5, 8,  false, 'none'),
  ('mine', 'C', 11,'COMPLETED', 0, 40, 0.90, 0.01, 3600, 2, 1, NULL,   'bert',    128, 'cls',  'adamw', 1e-5, 8,  false, 'none'),
  ('other','B', 0, 'COMPLETED', 1, 30, 1.00, 0.00, 3600, 2, 1, NULL,   'bert',    128, 'cls',  'adamw', 1e-5, 8,  false, 'none'),
  ('other','A', 1, 'FAILED',    0, 0,  NULL, NULL, 3600, 2, 1, 'oom',  'bert',    128, 'cls',  'adamw', 1e-5, 8,  false, 'none');
-- Trial 0's first attempt left a file whose report was never accepted: its epoch 1 is in
-- the second one's file too. Trial 1 went on to rung 1 with a new attempt.
INSERT INTO metrics VALUES
  ('mine', 'A', 0, 0, 0, 1, 1, 900, 0.5), ('mine', 'A', 0, 1, 0, 1, 1, 900, 0.5), ('mine', 'A', 0, 1, 0, 1, 2, 900, 0.5),
  ('mine', 'A', 1, 0, 0, 1, 1, 450, 0.25), ('mine', 'A', 1, 0, 0, 2, 1, 450, 0.25), ('mine', 'A', 1, 1, 1, 1, 2, 900, 0.5),
  ('mine', 'C', 11, 0, 0, 1, 0, 36, 0.02), ('mine', 'C', 11, 0, 0, 1, 1, 360, 0.2),
  ('other', 'A', 0, 0, 0, 1, 1, 3600, 9);
`

// TestQueries compares each query's answer with what the rows above say.
func TestQueries(t *testing.T) {
	want := map[string][][]string{
		// The failed trial 2 has the highest value and is not among the best; 1 and 4 are
		// equal, so the lower number comes first.
		"best-trials": {
			{"stage", "place", "trial", "state", "rung", "epochs", "f1_macro", "ece", "cost_seconds", "model_name", "max_length", "pooling", "optimizer", "learning_rate", "batch_size"},
			{"A", "1", "1", "COMPLETED", "2", "20", "0.75", "0.2", "7200", "bert", "128", "mean", "adamw", "2e-05", "16"},
			{"A", "2", "4", "PAUSED", "0", "2", "0.75", "0.2", "0", "roberta", "256", "max", "lion", "3e-05", "32"},
			{"A", "3", "0", "PAUSED", "0", "2", "0.5", "0.1", "3600", "bert", "128", "cls", "adamw", "1e-05", "8"},
			{"B", "1", "5", "COMPLETED", "1", "30", "0.8", "0.1", "3600", "bert", "128", "cls", "adamw", "1e-05", "8"},
			{"B", "2", "8", "PAUSED", "0", "3", "0.8", "0.1", "3600", "roberta", "128", "cls", "adamw", "1e-05", "8"},
			{"B", "3", "9", "PAUSED", "0", "3", "0.8", "0.11", "3600", "bert", "128", "cls", "adamw", "1e-05", "8"},
			{"B", "4", "6", "PAUSED", "0", "3", "0.7", "0.05", "3600", "bert", "128", "cls", "adamw", "1e-05", "8"},
			{"B", "5", "7", "PAUSED", "0", "3", "0.7", "0.1", "3600", "bert", "128", "cls", "adamw", "1e-05", "8"},
		},
		// 7 and 9 are beaten by 5 (equal in one goal, worse in the other); 5 and 8 are equal.
		"pareto-front": {
			{"trial", "rung", "epochs", "f1_macro", "ece", "cost_seconds", "model_name", "max_length", "pooling", "optimizer", "learning_rate", "batch_size"},
			{"5", "1", "30", "0.8", "0.1", "3600", "bert", "128", "cls", "adamw", "1e-05", "8"},
			{"8", "0", "3", "0.8", "0.1", "3600", "roberta", "128", "cls", "adamw", "1e-05", "8"},
			{"6", "0", "3", "0.7", "0.05", "3600", "bert", "128", "cls", "adamw", "1e-05", "8"},
		},
		// A: 900 + 900 + 450 + 450 + 900 = 3600 s of epochs and 14400 s of slots. C's epoch 0
		// took time and is no epoch of training: (36 + 360) / 3600 = 0.11.
		"cost-by-stage": {
			{"stage", "trials", "epochs", "epoch_hours", "epoch_cost", "slot_hours", "slot_cost"},
			{"A", "2", "5", "1", "2", "4", "8"},
			{"C", "1", "1", "0.11", "0.22", "1", "2"},
		},
		// One of A's five trials each is 20 %, one of B's six 16.667 %.
		"failures-by-kind": {
			{"stage", "failure_kind", "failed", "percent_of_stage", "attempts", "slot_hours"},
			{"A", "crash", "1", "20", "4", "0.5"},
			{"A", "oom", "1", "20", "1", "0.5"},
			{"B", "nan", "1", "16.667", "1", "1"},
		},
		// bert in A: (0.5 + 0.75) / 2; in B: (0.8 + 0.7 + 0.7 + 0.8) / 4 and (0.1 + 0.05 + 0.1 + 0.11) / 4.
		"f1-by-backbone-and-optimizer": {
			{"stage", "model_name", "optimizer", "trials", "best_f1_macro", "mean_f1_macro", "best_ece", "mean_ece"},
			{"A", "bert", "adamw", "2", "0.75", "0.625", "0.1", "0.15"},
			{"A", "roberta", "lion", "1", "0.75", "0.75", "0.2", "0.2"},
			{"B", "bert", "adamw", "4", "0.8", "0.75", "0.05", "0.09"},
			{"B", "roberta", "adamw", "1", "0.8", "0.8", "0.1", "0.1"},
		},
		"augmentation-by-method": {
			{"stage", "augmented", "method", "trials", "best_f1_macro", "mean_f1_macro", "best_ece", "mean_ece"},
			{"A", "true", "all", "1", "0.75", "0.75", "0.2", "0.2"},
			{"A", "true", "light", "1", "0.75", "0.75", "0.2", "0.2"},
			{"A", "false", "none", "1", "0.5", "0.5", "0.1", "0.1"},
			{"B", "false", "none", "5", "0.8", "0.76", "0.05", "0.092"},
		},
	}
	db := open(t)
	for _, name := range queries.Names() {
		text, err := queries.SQL(name, "mine")
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want[name], ask(t, db, text)); d != "" {
			t.Errorf("%s: -want +got\n%s", name, d)
		}
	}
}

// TestNoRows asks about a study that has no rows: the answer is the columns.
func TestNoRows(t *testing.T) {
	db := open(t)
	for _, name := range queries.Names() {
		text, err := queries.SQL(name, "none")
		if err != nil {
			t.Fatal(err)
		}
		if got := ask(t, db, text); len(got) != 1 || len(got[0]) == 0 {
			t.Errorf("%s answers %q", name, got)
		}
	}
}

func open(t *testing.T) *sql.DB {
	t.Helper()
	db, err := sql.Open("duckdb", "")
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	t.Cleanup(func() { _ = db.Close() })
	if _, err := db.ExecContext(t.Context(), tables); err != nil {
		t.Fatal(err)
	}
	return db
}

// ask returns the names of the columns and then the rows as text.
func ask(t *testing.T, db *sql.DB, query string) [][]string {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatalf("%s\n%v", query, err)
	}
	defer func() { _ = rows.Close() }()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	table := [][]string{columns}
	for rows.Next() {
		cells, to := make([]any, len(columns)), make([]any, len(columns))
		for i := range cells {
			to[i] = &cells[i]
		}
		if err := rows.Scan(to...); err != nil {
			t.Fatal(err)
		}
		row := make([]string, len(columns))
		for i, cell := range cells {
			row[i] = strings.TrimSpace(fmt.Sprint(cell))
		}
		table = append(table, row)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return table
}
