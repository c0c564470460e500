// Package home is the laptop home of a study: the same handlers, trainer and files as on
// AWS, with a run folder in place of DynamoDB and S3, loopback HTTP in place of Lambda,
// and processes in place of Batch jobs.
package home

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/gofrs/flock"

	"github.com/supermax-hpo/supermax/cmd/supermax/internal/mistake"
	"github.com/supermax-hpo/supermax/shared/objects"
	"github.com/supermax-hpo/supermax/shared/store"
	"github.com/supermax-hpo/supermax/shared/wholefile"
)

// folderSchema is the version of the run folder's layout. Version 1 had other keys in its
// objects.
const folderSchema = 2

// Folder is a run folder, runs/<study>.
type Folder struct {
	Dir  string
	lock *flock.Flock
}

// folderInfo is run.json: what the run was started with.
type folderInfo struct {
	SchemaVersion int               `json:"schema_version"`
	Created       time.Time         `json:"created"`
	Study         string            `json:"study"`
	Fingerprints  map[string]string `json:"fingerprints"` // of the corpus and the backbones
}

// The paths in a run folder.
func (f *Folder) db() string   { return filepath.Join(f.Dir, "study.db") }
func (f *Folder) logs() string { return filepath.Join(f.Dir, "logs") }
func (f *Folder) info() string { return filepath.Join(f.Dir, "run.json") }

// URL names the folder's objects for whoever reads them, in whatever working folder.
func (f *Folder) URL() string {
	dir, err := filepath.Abs(f.Objects())
	if err != nil {
		dir = f.Objects() // the working folder is gone; opening it says so
	}
	return objects.FileURL(dir)
}

// OpenFolder opens the study's run folder below root for reading; several processes may.
func OpenFolder(root, study string) (*Folder, error) {
	if err := store.CheckStudy(study); err != nil {
		return nil, mistake.Wrap(err)
	}
	f := &Folder{Dir: filepath.Join(root, study)}
	if _, err := f.read(); err != nil {
		if errors.Is(err, os.ErrNotExist) {
			return nil, mistake.Errorf("no run of study %q below %s: start one with supermax run", study, root)
		}
		return nil, err
	}
	return f, nil
}

// Folders opens the run folders below root for reading, in the order of their names.
func Folders(root string) ([]*Folder, error) {
	entries, err := os.ReadDir(root)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("list the runs: %w", err)
	}
	var folders []*Folder
	for _, entry := range entries {
		f := &Folder{Dir: filepath.Join(root, entry.Name())}
		if _, err := os.Stat(f.info()); err != nil {
			continue // no run folder
		}
		if _, err := f.read(); err != nil {
			return nil, err
		}
		folders = append(folders, f)
	}
	return folders, nil
}

// LockFolder opens the study's run folder for one process alone, and makes it when it
// does not exist. A folder that was begun with another corpus or other backbones is an
// [mistake.Err].
func LockFolder(root, study string, fingerprints map[string]string, now time.Time) (*Folder, error) {
	f := &Folder{Dir: filepath.Join(root, study)}
	if _, err := f.check(fingerprints); err != nil { // before anything is written
		return nil, err
	}
	for _, dir := range []string{f.Dir, f.Objects(), f.logs()} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, diskError("make the run folder", err)
		}
	}
	lock, err := takeLock(f.lockFile())
	if err != nil {
		return nil, err
	}
	if lock == nil {
		return nil, mistake.Errorf("%s is in use by another supermax: wait for it, or stop it first", f.Dir)
	}
	f.lock = lock
	// Again: another process may have begun the run before the lock was free.
	fresh, err := f.check(fingerprints)
	if err == nil && fresh {
		err = f.describe(study, fingerprints, now)
	}
	if err == nil {
		err = f.sign()
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// takeLock takes a lock, or returns nil when another process has it.
func takeLock(path string) (*flock.Flock, error) {
	lock := flock.New(path)
	held, err := lock.TryLock()
	if err != nil {
		return nil, diskError("lock "+path, err)
	}
	if !held {
		return nil, nil
	}
	return lock, nil
}

// check reads run.json, if there is one, and compares it to the data that there is now.
func (f *Folder) check(fingerprints map[string]string) (fresh bool, err error) {
	info, err := f.read()
	if errors.Is(err, os.ErrNotExist) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	return false, f.same(info, fingerprints)
}

// describe writes run.json.
func (f *Folder) describe(study string, fingerprints map[string]string, now time.Time) error {
	data, err := json.MarshalIndent(folderInfo{folderSchema, now.UTC(), study, fingerprints}, "", "  ")
	if err != nil {
		return fmt.Errorf("write run.json: %w", err)
	}
	return WriteWhole(f.info(), append(data, '\n'))
}

// Close gives the lock back.
func (f *Folder) Close() {
	if f.lock != nil {
		_ = f.lock.Unlock() // the lock goes with the process anyway
	}
}

// read reads run.json.
func (f *Folder) read() (folderInfo, error) {
	var info folderInfo
	data, err := os.ReadFile(f.info())
	if err != nil {
		return info, fmt.Errorf("read run.json: %w", err)
	}
	var head struct {
		SchemaVersion int `json:"schema_version"`
	}
	err = json.Unmarshal(data, &head)
	if head.SchemaVersion > folderSchema { // its other fields may be of another kind
		return info, mistake.Errorf("%s has schema version %d, and this supermax knows versions up to %d: use a newer supermax", f.info(), head.SchemaVersion, folderSchema)
	}
	if err == nil {
		err = json.Unmarshal(data, &info)
	}
	switch {
	case err != nil:
		return info, mistake.Errorf("%s is not a run folder's description: %v", f.info(), err)
	case info.SchemaVersion < 1 || info.Study == "":
		return info, mistake.Errorf("%s is not a run folder's description: it has no schema_version or no study", f.info())
	case info.SchemaVersion < folderSchema:
		return info, mistake.Errorf("%s has schema version %d, of an older supermax, and this one goes on with version %d: give the study another name, or remove the folder to begin anew", f.info(), info.SchemaVersion, folderSchema)
	case info.Study != f.Name():
		return info, mistake.Errorf("%s is of study %q: give the folder that name again", f.info(), info.Study)
	}
	return info, nil
}

// same compares the data that the folder was begun with to the data that there is now.
func (f *Folder) same(info folderInfo, fingerprints map[string]string) error {
	for _, name := range slices.Sorted(maps.Keys(fingerprints)) {
		if info.Fingerprints[name] != fingerprints[name] {
			return mistake.Errorf("%s was begun with another content of the %s than there is now: give the study another name, or remove the folder to begin anew", f.Dir, name)
		}
	}
	return nil
}

// WriteWhole is [wholefile.Write] for files of the user's own.
func WriteWhole(path string, data []byte) error { return explain(wholefile.Write(path, data, 0o600)) }

// diskError says plainly when the disk is full.
func diskError(doing string, err error) error { return explain(fmt.Errorf("%s: %w", doing, err)) }
