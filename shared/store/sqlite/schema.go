package sqlite

import (
	"context"
	"fmt"

	"github.com/supermax-hpo/supermax/shared/store"
)

const (
	// schemaVersion is kept in the file's user_version.
	schemaVersion = 1
	// applicationID marks the file as ours ("SMAX"), in the place that SQLite has for it.
	applicationID = 0x534d4158
)

// schema makes a new file. An event stays until a snapshot has taken it in.
const schema = `
CREATE TABLE studies (
	name         TEXT PRIMARY KEY,
	seq          INTEGER NOT NULL,           -- of the last event
	snapshot_seq INTEGER NOT NULL DEFAULT 0, -- of the last event in snapshot
	snapshot     BLOB
) STRICT, WITHOUT ROWID;
CREATE TABLE events (
	study TEXT NOT NULL REFERENCES studies(name),
	seq   INTEGER NOT NULL,
	data  BLOB NOT NULL,
	PRIMARY KEY (study, seq)
) STRICT, WITHOUT ROWID;`

// migrate makes the tables of a new file and checks those of an old one. Two processes
// may do so at once: the transaction lets one of them make the tables.
func (d *DB) migrate(ctx context.Context) error {
	version, err := d.version(ctx)
	if err != nil || version == schemaVersion {
		return err
	}
	// The mode is written in the file, so once is enough; it cannot change within a
	// transaction.
	if _, err := d.db.ExecContext(ctx, `PRAGMA journal_mode = WAL`); err != nil {
		return err
	}
	tx, err := d.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	if err := tx.QueryRowContext(ctx, `PRAGMA user_version`).Scan(&version); err != nil {
		return err
	}
	if version == schemaVersion {
		return nil // another process was first
	}
	_, err = tx.ExecContext(ctx, schema+fmt.Sprintf(
		"PRAGMA application_id = %d; PRAGMA user_version = %d;", applicationID, schemaVersion))
	if err != nil {
		return err
	}
	return tx.Commit()
}

// version returns the file's schema version, 0 for an empty file, and an error for a file
// that this program must not touch.
func (d *DB) version(ctx context.Context) (int, error) {
	var version, id, tables int
	err := d.db.QueryRowContext(ctx, `SELECT user_version, application_id, (SELECT count(*) FROM sqlite_schema)
		FROM pragma_user_version, pragma_application_id`).Scan(&version, &id, &tables)
	switch {
	case err != nil:
		return 0, err
	case id == 0 && version == 0 && tables == 0:
		return 0, nil
	case id != applicationID:
		return 0, fmt.Errorf("it is another program's SQLite file")
	case version > schemaVersion:
		return 0, fmt.Errorf("its schema version is %d, this program knows %d: %w",
			version, schemaVersion, store.ErrNewerSchema)
	}
	return version, nil
}
