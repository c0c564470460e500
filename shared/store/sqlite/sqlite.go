// Package sqlite keeps the events of studies in an SQLite file, as a laptop does. The
// file is in write-ahead mode with full synchronisation: what [DB.Append] acknowledged
// outlives a killed process and a power cut.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"

	"modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"

	"github.com/supermax-hpo/supermax/shared/store"
)

var _ store.Log = (*DB)(nil)

// DB is a [store.Log] in one SQLite file. Use [Open] to get one.
type DB struct {
	path string
	db   *sql.DB
}

// Open opens the file at path, making it when there is none. It fails with
// [store.ErrNewerSchema] when a newer supermax wrote it, and leaves a file alone that is
// no study store.
func Open(ctx context.Context, path string) (*DB, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("open study store %s: %w", path, err)
	}
	// Every transaction takes the write lock at its start ("immediate"): one that reads
	// first and wants to write later would fail instead of waiting its turn.
	dsn := url.URL{Scheme: "file", Path: filepath.ToSlash(abs), RawQuery: url.Values{
		"_txlock": {"immediate"},
		"_pragma": {"busy_timeout(10000)", "synchronous(FULL)"},
	}.Encode()}
	db, err := sql.Open("sqlite", dsn.String())
	if err != nil {
		return nil, fmt.Errorf("open study store %s: %w", path, err)
	}
	// One connection: the callers of one process queue in Go, not in SQLite's busy loop.
	db.SetMaxOpenConns(1)
	d := &DB{path: path, db: db}
	if err := d.migrate(ctx); err != nil {
		_ = db.Close()
		return nil, d.failed("open", "", err)
	}
	return d, nil
}

// Close closes the file. What was appended stays.
func (d *DB) Close() error { return d.db.Close() }

// failed puts an error of SQLite's into a sentence that says what to do about it.
func (d *DB) failed(verb, study string, err error) error {
	what := verb + " study store " + d.path
	if study != "" {
		what = fmt.Sprintf("%s study %s in %s", verb, study, d.path)
	}
	var e *sqlite.Error
	if errors.As(err, &e) {
		switch e.Code() & 0xff { // the primary code: the rest says where it came from
		case lib.SQLITE_FULL:
			return fmt.Errorf("%s: the disk is full: %w", what, err)
		case lib.SQLITE_NOTADB, lib.SQLITE_CORRUPT:
			return fmt.Errorf("%s: the file is damaged or not a study store: %w", what, err)
		case lib.SQLITE_BUSY, lib.SQLITE_LOCKED:
			return fmt.Errorf("%s: another process holds it: %w", what, err)
		}
	}
	return fmt.Errorf("%s: %w", what, err)
}
