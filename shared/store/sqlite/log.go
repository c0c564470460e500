package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/supermax-hpo/supermax/shared/store"
)

// Load implements [store.Log].
func (d *DB) Load(ctx context.Context, study string, have int64) (store.Records, error) {
	if err := store.CheckStudy(study); err != nil {
		return store.Records{}, err
	}
	var r store.Records
	err := d.in(ctx, "load", study, func(tx *sql.Tx) error {
		var err error
		r, err = load(ctx, tx, study, have)
		return err
	})
	return r, err
}

func load(ctx context.Context, tx *sql.Tx, study string, have int64) (store.Records, error) {
	r, err := head(ctx, tx, study)
	if err != nil {
		return store.Records{}, err
	}
	if have > r.Seq {
		return store.Records{}, fmt.Errorf("event %d is not there, the last is %d: %w", have, r.Seq, store.ErrConflict)
	}
	if r.SnapshotSeq <= have {
		r.SnapshotSeq = 0
	} else {
		have = r.SnapshotSeq
		err := tx.QueryRowContext(ctx, `SELECT snapshot FROM studies WHERE name = ?`, study).Scan(&r.Snapshot)
		if err != nil {
			return store.Records{}, err
		}
	}
	rows, err := tx.QueryContext(ctx, `SELECT data FROM events WHERE study = ? AND seq > ? ORDER BY seq`, study, have)
	if err != nil {
		return store.Records{}, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var data []byte
		if err := rows.Scan(&data); err != nil {
			return store.Records{}, err
		}
		r.Events = append(r.Events, data)
	}
	if err := rows.Err(); err != nil {
		return store.Records{}, err
	}
	if got := have + int64(len(r.Events)); got != r.Seq {
		return store.Records{}, fmt.Errorf("the file is damaged: events lead to %d instead of %d", got, r.Seq)
	}
	return r, nil
}

// Append implements [store.Log].
func (d *DB) Append(ctx context.Context, study string, after int64, events [][]byte) error {
	if err := store.CheckAppend(study, after, events); err != nil {
		return err
	}
	return d.in(ctx, "append to", study, func(tx *sql.Tx) error {
		if err := advance(ctx, tx, study, after, int64(len(events))); err != nil {
			return err
		}
		insert, err := tx.PrepareContext(ctx, `INSERT INTO events (study, seq, data) VALUES (?, ?, ?)`)
		if err != nil {
			return err
		}
		defer func() { _ = insert.Close() }()
		for i, data := range events {
			if data == nil {
				data = []byte{}
			}
			if _, err := insert.ExecContext(ctx, study, after+int64(i)+1, data); err != nil {
				return err
			}
		}
		return nil
	})
}

// advance moves the study's last number from after to after + n, or says why it cannot.
func advance(ctx context.Context, tx *sql.Tx, study string, after, n int64) error {
	query, args := `UPDATE studies SET seq = seq + ? WHERE name = ? AND seq = ?`, []any{n, study, after}
	if after == 0 {
		query, args = `INSERT INTO studies (seq, name) VALUES (?, ?) ON CONFLICT DO NOTHING`, []any{n, study}
	}
	done, err := tx.ExecContext(ctx, query, args...)
	if err != nil {
		return err
	}
	changed, err := done.RowsAffected()
	if err != nil || changed == 1 {
		return err
	}
	r, err := head(ctx, tx, study)
	if err != nil {
		return err
	}
	return fmt.Errorf("its last event is %d, not %d: %w", r.Seq, after, store.ErrConflict)
}

// Compact implements [store.Log].
func (d *DB) Compact(ctx context.Context, study string, seq int64, snapshot []byte) error {
	if err := store.CheckStudy(study); err != nil {
		return err
	}
	return d.in(ctx, "compact", study, func(tx *sql.Tx) error {
		r, err := head(ctx, tx, study)
		if err != nil {
			return err
		}
		if seq > r.Seq {
			return fmt.Errorf("event %d is not there, the last is %d: %w", seq, r.Seq, store.ErrConflict)
		}
		if seq <= r.SnapshotSeq {
			return nil
		}
		_, err = tx.ExecContext(ctx, `UPDATE studies SET snapshot_seq = ?, snapshot = ? WHERE name = ?`, seq, snapshot, study)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `DELETE FROM events WHERE study = ? AND seq <= ?`, study, seq)
		return err
	})
}

// Studies implements [store.Log].
func (d *DB) Studies(ctx context.Context) ([]string, error) {
	var names []string
	err := d.in(ctx, "list studies of", "", func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, `SELECT name FROM studies ORDER BY name`)
		if err != nil {
			return err
		}
		defer func() { _ = rows.Close() }()
		for rows.Next() {
			var name string
			if err := rows.Scan(&name); err != nil {
				return err
			}
			names = append(names, name)
		}
		return rows.Err()
	})
	return names, err
}

// head returns the study's numbers.
func head(ctx context.Context, tx *sql.Tx, study string) (r store.Records, err error) {
	err = tx.QueryRowContext(ctx, `SELECT seq, snapshot_seq FROM studies WHERE name = ?`, study).
		Scan(&r.Seq, &r.SnapshotSeq)
	if errors.Is(err, sql.ErrNoRows) {
		err = store.ErrNotFound
	}
	return r, err
}

// in runs do in a transaction that is kept when do returns nil.
func (d *DB) in(ctx context.Context, verb, study string, do func(*sql.Tx) error) error {
	tx, err := d.db.BeginTx(ctx, nil)
	if err != nil {
		return d.failed(verb, study, err)
	}
	if err := do(tx); err != nil {
		_ = tx.Rollback()
		return d.failed(verb, study, err)
	}
	if err := tx.Commit(); err != nil {
		return d.failed(verb, study, err)
	}
	return nil
}
