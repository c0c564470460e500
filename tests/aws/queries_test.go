package aws

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/athena"
	"github.com/aws/aws-sdk-go-v2/service/athena/types"
	_ "github.com/duckdb/duckdb-go/v2" // registers the driver
	"github.com/google/go-cmp/cmp"

	"github.com/supermax-hpo/supermax/shared/queries"
	"github.com/supermax-hpo/supermax/shared/results"
)

// checkQueries asks every saved query of Athena and of DuckDB over copies of the Parquet
// files; both must give the same rows.
func (s *stack) checkQueries(t *testing.T, study string) {
	db := s.duckdb(t, study)
	for _, name := range queries.Names() {
		text, err := queries.SQL(name, study)
		if err != nil {
			t.Fatal(err)
		}
		want, got := duckRows(t, db, text), s.athenaRows(t, text)
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s of %s (-DuckDB +Athena):\n%s", name, study, d)
		}
		if len(want) == 0 && name != "failures-by-kind" {
			t.Errorf("%s of %s has no rows", name, study)
		}
	}
}

// duckdb copies a study's Parquet files here and opens them as the tables that the saved
// queries know.
func (s *stack) duckdb(t *testing.T, study string) *sql.DB {
	t.Helper()
	dir := t.TempDir()
	for _, prefix := range []string{results.StudyPrefix(study), "trials/study=" + study + "/"} {
		keys, err := s.results.List(t.Context(), prefix)
		if err != nil {
			t.Fatal(err)
		}
		if len(keys) == 0 {
			t.Fatalf("there are no files below %s", prefix)
		}
		for _, key := range keys {
			data, err := s.results.Read(t.Context(), key)
			if err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(dir, filepath.FromSlash(key))
			if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	db, err := sql.Open("duckdb", "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	for _, table := range []string{"metrics", "trials"} {
		view := fmt.Sprintf("CREATE VIEW %s AS SELECT * FROM read_parquet('%s/%s/*/*/*.parquet', hive_partitioning = true)", table, dir, table)
		if _, err := db.ExecContext(t.Context(), view); err != nil {
			t.Fatalf("%s: %v", view, err)
		}
	}
	return db
}

func duckRows(t *testing.T, db *sql.DB, text string) []string {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), text)
	if err != nil {
		t.Fatalf("DuckDB: %v\n%s", err, text)
	}
	defer func() { _ = rows.Close() }()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for rows.Next() {
		cells, places := make([]any, len(columns)), make([]any, len(columns))
		for i := range cells {
			places[i] = &cells[i]
		}
		if err := rows.Scan(places...); err != nil {
			t.Fatal(err)
		}
		fields := make([]string, len(cells))
		for i, cell := range cells {
			if cell != nil {
				fields[i] = columns[i] + "=" + plain(fmt.Sprint(cell))
			}
		}
		out = append(out, strings.Join(fields, " "))
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	sort.Strings(out)
	return out
}

// athenaRows runs a query in the stack's workgroup.
func (s *stack) athenaRows(t *testing.T, text string) []string {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	client := athena.NewFromConfig(s.config)
	started, err := client.StartQueryExecution(ctx, &athena.StartQueryExecutionInput{
		QueryString: &text, WorkGroup: aws.String(s.output("AthenaWorkgroup")),
		QueryExecutionContext: &types.QueryExecutionContext{Database: aws.String(s.output("GlueDatabase"))},
	})
	if err != nil {
		t.Fatalf("Athena: %v\n%s", err, text)
	}
	for deadline := time.Now().Add(2 * time.Minute); ; time.Sleep(200 * time.Millisecond) {
		q, err := client.GetQueryExecution(ctx, &athena.GetQueryExecutionInput{QueryExecutionId: started.QueryExecutionId})
		if err != nil {
			t.Fatal(err)
		}
		state := q.QueryExecution.Status.State
		if state == types.QueryExecutionStateSucceeded {
			break
		}
		if state == types.QueryExecutionStateFailed || state == types.QueryExecutionStateCancelled || time.Now().After(deadline) {
			t.Fatalf("Athena: %s %s\n%s", state, aws.ToString(q.QueryExecution.Status.StateChangeReason), text)
		}
	}
	var out []string
	pages := athena.NewGetQueryResultsPaginator(client, &athena.GetQueryResultsInput{QueryExecutionId: started.QueryExecutionId})
	var columns []string
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range page.ResultSet.Rows {
			if columns == nil { // the first row holds the names
				for _, cell := range row.Data {
					columns = append(columns, aws.ToString(cell.VarCharValue))
				}
				continue
			}
			fields := make([]string, len(row.Data))
			for i, cell := range row.Data {
				if cell.VarCharValue != nil {
					fields[i] = columns[i] + "=" + plain(*cell.VarCharValue)
				}
			}
			out = append(out, strings.Join(fields, " "))
		}
	}
	sort.Strings(out)
	return out
}

// plain writes numbers alike, whoever printed them.
func plain(text string) string {
	if f, err := strconv.ParseFloat(text, 64); err == nil {
		return strconv.FormatFloat(f, 'g', 10, 64)
	}
	return text
}

// checkAccounts requires every (trial, seed, fold, epoch) of a study once, in files that
// the study accepted.
func (s *stack) checkAccounts(t *testing.T, study string) {
	t.Helper()
	db := s.duckdb(t, study)
	var twice, rows int
	err := db.QueryRowContext(t.Context(), `SELECT count(*), count(*) - count(DISTINCT (stage, trial, seed, fold, epoch)) FROM metrics`).Scan(&rows, &twice)
	if err != nil {
		t.Fatal(err)
	}
	if rows == 0 || twice != 0 {
		t.Errorf("study %s has %d rows, %d of them double", study, rows, twice)
	}
}
