package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	_ "github.com/duckdb/duckdb-go/v2" // registers the driver

	"github.com/supermax-hpo/supermax/configs"
	"github.com/supermax-hpo/supermax/shared/objects"
	"github.com/supermax-hpo/supermax/shared/protocol"
	"github.com/supermax-hpo/supermax/shared/results"
	"github.com/supermax-hpo/supermax/shared/space"
)

// The tables, and where their files lie below a study's objects.
var tables = []string{"metrics", "trials"}

// load reads the folders' Parquet files into tables in memory, and then takes from the
// engine whatever could reach a file or change a setting.
func load(ctx context.Context, folders []string) (*sql.DB, error) {
	db, err := sql.Open("duckdb", "")
	if err != nil {
		return nil, fmt.Errorf("open DuckDB: %w", err)
	}
	db.SetMaxOpenConns(1) // settings are a connection's
	if err := fill(ctx, db, folders); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

func fill(ctx context.Context, db *sql.DB, folders []string) error {
	// Answers that do not fit in memory are refused rather than written beside the caller.
	if _, err := db.ExecContext(ctx, "SET temp_directory = ''"); err != nil {
		return fmt.Errorf("set up DuckDB: %w", err)
	}
	empty, err := os.MkdirTemp("", "supermax-query-")
	if err != nil {
		return fmt.Errorf("make a folder for the tables' columns: %w", err)
	}
	defer os.RemoveAll(empty)
	if err := writeEmpty(ctx, empty); err != nil {
		return err
	}
	for _, table := range tables {
		var files []string
		for _, folder := range append([]string{empty}, folders...) {
			found, err := list(filepath.Join(folder, table))
			if err != nil {
				return err
			}
			files = append(files, found...)
		}
		if _, err := db.ExecContext(ctx, create(table, files)); err != nil {
			return fmt.Errorf("read the %s: %w", table, err)
		}
	}
	if _, err := db.ExecContext(ctx, "SET enable_external_access = false; SET lock_configuration = true"); err != nil {
		return fmt.Errorf("set up DuckDB: %w", err)
	}
	return nil
}

// writeEmpty writes files without rows: a study without any has the same columns.
func writeEmpty(ctx context.Context, dir string) error {
	bucket, err := objects.Open(ctx, objects.FileURL(dir))
	if err != nil {
		return err
	}
	defer bucket.Close()
	whole, err := space.Parse("configs/space.yaml", configs.Space)
	if err != nil {
		return err
	}
	if err := results.Write(ctx, bucket, results.Key("none", protocol.StageA, 0, 0, 0), whole, nil); err != nil {
		return err
	}
	return results.WriteTrials(ctx, bucket, "none", protocol.StageA, whole, nil)
}

// list returns a table's files below a folder, which need not exist.
func list(folder string) ([]string, error) {
	studies, err := os.ReadDir(folder)
	if os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, wrong(err)
	}
	var files []string
	for _, study := range studies {
		stages, err := os.ReadDir(filepath.Join(folder, study.Name()))
		if err != nil {
			return nil, wrong(err)
		}
		for _, stage := range stages {
			entries, err := os.ReadDir(filepath.Join(folder, study.Name(), stage.Name()))
			if err != nil {
				return nil, wrong(err)
			}
			for _, entry := range entries {
				if strings.HasSuffix(entry.Name(), ".parquet") {
					files = append(files, filepath.Join(folder, study.Name(), stage.Name(), entry.Name()))
				}
			}
		}
	}
	return files, nil
}

// create is the statement that makes a table of files. Study and stage come from the last
// folders of the path and not from DuckDB's own reading of it, which takes a folder like
// a=b anywhere above for a column, and a study named 2025 for a number.
func create(table string, files []string) string {
	quoted := make([]string, len(files))
	for i, file := range files {
		quoted[i] = quote(glob.Replace(file))
	}
	part := func(n int) string {
		return fmt.Sprintf("regexp_extract(path, 'study=([^/]+)/stage=([^/]+)/[^/]+$', %d)", n)
	}
	return fmt.Sprintf("CREATE TABLE %s AS SELECT * EXCLUDE (path), %s AS study, %s AS stage "+
		"FROM read_parquet([%s], union_by_name = true, hive_partitioning = false, filename = 'path')",
		table, part(1), part(2), strings.Join(quoted, ", "))
}

// glob writes a path so that DuckDB's patterns match it alone.
var glob = strings.NewReplacer("*", "[*]", "?", "[?]", "[", "[[]")

func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }
