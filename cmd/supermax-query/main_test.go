package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/supermax-hpo/supermax/cmd/internal/table"
	"github.com/supermax-hpo/supermax/configs"
	"github.com/supermax-hpo/supermax/shared/objects"
	"github.com/supermax-hpo/supermax/shared/protocol"
	"github.com/supermax-hpo/supermax/shared/queries"
	"github.com/supermax-hpo/supermax/shared/results"
	"github.com/supermax-hpo/supermax/shared/space"
)

// study writes the objects of a study that has one trial, in a folder whose path holds
// what DuckDB and SQL could take for something else.
func study(t *testing.T, name string) (folder string) {
	t.Helper()
	ctx := t.Context()
	folder = filepath.Join(t.TempDir(), "it's [a]*?=b", "study=else", "stage=Z", "objects")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	bucket, err := objects.Open(ctx, objects.FileURL(folder))
	if err != nil {
		t.Fatal(err)
	}
	whole, err := space.Parse("space.yaml", configs.Space)
	if err != nil {
		t.Fatal(err)
	}
	params := space.Assignment{}
	for _, p := range whole.Params {
		switch {
		case !whole.Active(params, p.Name):
			params[p.Name] = p.Otherwise
		case p.Count() > 0:
			params[p.Name] = p.At(0)
		default:
			params[p.Name] = space.Float(p.Low)
		}
	}
	row := results.Row{Study: name, Stage: protocol.StageB, Agent: "criteria", Trial: 7, Seed: 1, Epoch: 1, F1Macro: 0.5, Params: params}
	row.Seconds.Total = 1800
	if err := results.Write(ctx, bucket, results.Key(name, protocol.StageB, 7, 0, 0), whole, []results.Row{row}); err != nil {
		t.Fatal(err)
	}
	f1, ece := 0.5, 0.25
	trial := results.Trial{Trial: 7, Agent: "criteria", State: "COMPLETED", Epochs: 3, F1Macro: &f1, ECE: &ece, CostSeconds: 3600, Attempts: 1,
		Created: time.Date(2025, 5, 1, 12, 0, 0, 5e6, time.UTC), Params: params}
	if err := results.WriteTrials(ctx, bucket, name, protocol.StageB, whole, []results.Trial{trial}); err != nil {
		t.Fatal(err)
	}
	return folder
}

func query(t *testing.T, sql string, folders ...string) (answer table.Table, status int, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	status = run(t.Context(), folders, strings.NewReader(sql), &out, &errs)
	if status == 0 {
		if err := json.Unmarshal(out.Bytes(), &answer); err != nil {
			t.Fatalf("%q: %v", out.String(), err)
		}
	}
	return answer, status, errs.String()
}

func cells(answer table.Table) (text [][]string) {
	for _, row := range answer.Rows {
		line := make([]string, len(row))
		for i, c := range row {
			line[i] = "NULL"
			if c != nil {
				line[i] = *c
			}
		}
		text = append(text, line)
	}
	return text
}

func TestQuery(t *testing.T) {
	folders := []string{study(t, "2025"), study(t, "mine")}
	answer, status, stderr := query(t, `SELECT study, stage, trial, f1_macro, candidate, created_at, "aug.enabled", sum(attempts) AS attempts,
		CAST(cost_seconds AS decimal(10,2)) AS cost FROM trials GROUP BY ALL ORDER BY study`, folders...)
	if status != 0 {
		t.Fatal(stderr)
	}
	want := [][]string{
		{"2025", "B", "7", "0.5", "NULL", "2025-05-01 12:00:00.005", "false", "1", "3600"},
		{"mine", "B", "7", "0.5", "NULL", "2025-05-01 12:00:00.005", "false", "1", "3600"},
	}
	if d := cmp.Diff(want, cells(answer)); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
	kinds := []table.Kind{table.Text, table.Text, table.Integer, table.Number, table.Integer, table.Text, table.Boolean, table.Integer, table.Number}
	for i, c := range answer.Columns {
		if c.Kind != kinds[i] {
			t.Errorf("column %s is %s, want %s", c.Name, c.Kind, kinds[i])
		}
	}
}

// Every saved query runs over real files, and over a study that has none.
func TestSavedQueries(t *testing.T) {
	folder, none := study(t, "mine"), t.TempDir()
	rows := map[string]int{"failures-by-kind": 0}
	for _, name := range queries.Names() {
		sql, err := queries.SQL(name, "mine")
		if err != nil {
			t.Fatal(err)
		}
		answer, status, stderr := query(t, sql, folder)
		want, ok := rows[name]
		if !ok {
			want = 1
		}
		if status != 0 || len(answer.Rows) != want {
			t.Errorf("%s: %d rows, want %d; %s", name, len(answer.Rows), want, stderr)
		}
		if answer, status, stderr := query(t, sql, none); status != 0 || len(answer.Rows) != 0 || len(answer.Columns) == 0 {
			t.Errorf("%s of nothing: %d rows; %s", name, len(answer.Rows), stderr)
		}
	}
}

// The query reaches no file and no setting.
func TestLockedIn(t *testing.T) {
	folder := study(t, "mine")
	secret := filepath.Join(t.TempDir(), "secret.csv")
	if err := os.WriteFile(secret, []byte("a\n1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	written := filepath.Join(t.TempDir(), "out.csv")
	for _, sql := range []string{
		"SELECT * FROM read_csv('" + secret + "')",
		"SELECT * FROM '" + secret + "'",
		"SELECT * FROM read_text('" + secret + "')",
		"COPY (SELECT 1 AS a) TO '" + written + "'",
		"ATTACH '" + written + "' AS other",
		"SET enable_external_access = true",
		"INSTALL httpfs",
		"EXPORT DATABASE '" + written + "'",
	} {
		_, status, stderr := query(t, sql, folder)
		if status != exitQuery || stderr == "" || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%s: status %d, %q", sql, status, stderr)
		}
	}
	if _, err := os.Stat(written); err == nil {
		t.Error("a query wrote a file")
	}
}

func TestRefused(t *testing.T) {
	for name, c := range map[string]struct {
		sql     string
		folders []string
		want    string
	}{
		"no folder":   {"SELECT 1", nil, "usage: supermax-query FOLDER"},
		"empty":       {" \n", []string{t.TempDir()}, "the query is empty"},
		"no SQL":      {"hello", []string{t.TempDir()}, "syntax error"},
		"no column":   {"SELECT f1 FROM trials", []string{t.TempDir()}, `"f1" not found`},
		"not folders": {"SELECT 1", []string{file(t)}, "not a directory"},
	} {
		_, status, stderr := query(t, c.sql, c.folders...)
		if status != exitQuery || !strings.Contains(stderr, c.want) {
			t.Errorf("%s: status %d, %q, want %q", name, status, stderr, c.want)
		}
	}
}

// file makes a folder of objects whose metrics are a file.
func file(t *testing.T) (folder string) {
	t.Helper()
	folder = t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "metrics"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	return folder
}

func TestStopped(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var errs bytes.Buffer
	if status := run(ctx, []string{t.TempDir()}, strings.NewReader("SELECT 1 AS one"), &bytes.Buffer{}, &errs); status != exitFailed {
		t.Errorf("status %d, %s", status, errs.String())
	}
}
