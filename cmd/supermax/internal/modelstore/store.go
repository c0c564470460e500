// Package modelstore keeps backbones under names, in a folder or in a bucket, and brings them
// there: from the model hub, or from a checkpoint on disk. What is in a store was checked and
// is whole.
package modelstore

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/supermax-hpo/supermax/batchjob/pretrained"
	"github.com/supermax-hpo/supermax/cmd/supermax/internal/hub"
	"github.com/supermax-hpo/supermax/cmd/supermax/internal/mistake"
	"github.com/supermax-hpo/supermax/shared/dataref"
	"github.com/supermax-hpo/supermax/shared/objects"
)

// An Entry is one backbone of a store.
type Entry struct {
	Name   string  `json:"name"`
	Place  string  `json:"place"` // its folder, or where it lies in the bucket: what a study's models name
	About  About   `json:"about"`
	Origin *Origin `json:"origin,omitempty"` // nil: not from the hub
	Fault  string  `json:"fault,omitempty"`  // why it cannot be used; empty: nothing is known
}

// A Store keeps backbones. Its errors are mistake.Err where the user can mend them.
type Store interface {
	// Add puts a checked backbone's files under a name. A name that is taken is refused
	// unless it holds the same.
	Add(ctx context.Context, name, dir string, progress dataref.Progress) (Entry, error)
	// List returns all backbones in the order of their names.
	List(ctx context.Context) ([]Entry, error)
	// Find returns one, or an error that is [fs.ErrNotExist].
	Find(ctx context.Context, name string) (Entry, error)
}

var (
	_ Store = Folder("")
	_ Store = (*Bucket)(nil)
)

// Open opens the store at a folder's path, or at a bucket's URL; close frees it.
func Open(ctx context.Context, place string) (store Store, done func() error, err error) {
	if !dataref.IsURL(place) {
		if place == "" {
			return nil, nil, mistake.Errorf("no store is named")
		}
		return Folder(filepath.Clean(place)), func() error { return nil }, nil
	}
	b, err := objects.Open(ctx, strings.TrimRight(place, "/"))
	if err != nil {
		return nil, nil, mistake.Wrap(err)
	}
	return &Bucket{objects: b}, b.Close, nil
}

// Check loads the backbone in dir whole: every parameter's name, shape and value.
func Check(dir string) (About, error) {
	w, err := pretrained.Load(dir)
	if err != nil {
		return About{}, mistake.Wrap(err)
	}
	if err := w.Close(); err != nil {
		return About{}, err
	}
	return Look(dir)
}

// A Folder is a store in a folder: each backbone is a folder below it, by its name.
type Folder string

// Add implements [Store].
func (f Folder) Add(ctx context.Context, name, dir string, progress dataref.Progress) (Entry, error) {
	if err := hub.CheckName(name); err != nil {
		return Entry{}, err
	}
	if _, err := readOrigin(dir); err != nil {
		return Entry{}, err
	}
	to := filepath.Join(string(f), filepath.FromSlash(name))
	if err := copyBackbone(ctx, dir, to, progress); err != nil {
		return Entry{}, err
	}
	return f.entry(name)
}

// List implements [Store].
func (f Folder) List(ctx context.Context) ([]Entry, error) {
	var all []Entry
	err := filepath.WalkDir(string(f), func(path string, e fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist) && path == string(f):
			return fs.SkipAll // an empty store
		case err != nil:
			return err
		case ctx.Err() != nil:
			return ctx.Err()
		case !e.IsDir():
			return nil
		case strings.HasPrefix(e.Name(), ".") && path != string(f):
			return fs.SkipDir // on its way
		}
		name, err := filepath.Rel(string(f), path)
		if err != nil {
			return err
		}
		if _, err := os.Stat(filepath.Join(path, "config.json")); err != nil || name == "." {
			if strings.Count(filepath.ToSlash(name), "/") > 0 {
				return fs.SkipDir // names have two parts at most
			}
			return nil
		}
		entry, err := f.entry(filepath.ToSlash(name))
		if err != nil {
			entry = Entry{Name: filepath.ToSlash(name), Place: path, Fault: err.Error()}
		}
		all = append(all, entry)
		return fs.SkipDir
	})
	return all, err
}

// Find implements [Store].
func (f Folder) Find(_ context.Context, name string) (Entry, error) {
	if err := hub.CheckName(name); err != nil {
		return Entry{}, err
	}
	if _, err := os.Stat(filepath.Join(string(f), filepath.FromSlash(name))); err != nil {
		return Entry{}, mistake.Errorf("the store %s has no backbone %s: %w", f, name, fs.ErrNotExist)
	}
	return f.entry(name)
}

func (f Folder) entry(name string) (Entry, error) {
	return At(name, filepath.Join(string(f), filepath.FromSlash(name)))
}

// At describes the backbone in a folder, of a store or not.
func At(name, dir string) (Entry, error) {
	about, err := Look(dir)
	if err != nil {
		return Entry{}, err
	}
	origin, err := readOrigin(dir)
	if err != nil {
		return Entry{}, err
	}
	return Entry{Name: name, Place: dir, About: about, Origin: origin}, nil
}
