package modelstore

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gofrs/flock"

	"github.com/supermax-hpo/supermax/batchjob/pretrained"
	"github.com/supermax-hpo/supermax/cmd/supermax/internal/hub"
	"github.com/supermax-hpo/supermax/cmd/supermax/internal/mistake"
	"github.com/supermax-hpo/supermax/shared/dataref"
)

// Pulling says what to fetch from the hub.
type Pulling struct {
	Client   *hub.Client
	Endpoint string // by which Client was made, for the record
	Name     string // of the repository
	Revision string // a branch, a tag or a commit
	// Described is told, before anything large is fetched, what the repository is and how many
	// bytes its backbone has, shards of an index not counted. It may be nil.
	Described func(r *hub.Repository, bytes int64)
	Progress  dataref.Progress // may be nil
}

// lockName is the file by which one process at a time fetches into a folder.
const lockName = ".lock"

// Pull fetches a backbone into the free folder dir: only the files that it consists of, each
// checked by size and hash, and all of it loaded once before it appears. What a call that was
// stopped brought stands beside dir, and the same call goes on with it. A dir that holds that
// very commit is left as it is, and fresh is false.
func Pull(ctx context.Context, dir string, p Pulling) (o *Origin, fresh bool, err error) {
	repository, err := p.Client.Repository(ctx, p.Name, p.Revision)
	if err != nil {
		return nil, false, err
	}
	o = &Origin{
		SchemaVersion: originVersion, Endpoint: p.Endpoint, Repository: repository.Name,
		Revision: p.Revision, Commit: repository.Commit, License: repository.License,
	}
	if there, err := readOrigin(dir); err == nil && there != nil {
		if there.sameCommit(o) && there.whole(dir) {
			return there, false, nil
		}
		return nil, false, mistake.Errorf("%s holds %s at commit %.12s, not %s at %.12s, or lacks a file; choose another folder or delete it",
			dir, there.Repository, there.Commit, o.Repository, o.Commit)
	}
	if err := free(dir); err != nil {
		return nil, false, err
	}
	part := filepath.Join(filepath.Dir(dir), "."+filepath.Base(dir)+".pull")
	lock, err := enter(part, o)
	if err != nil {
		return nil, false, err
	}
	defer func() { _ = lock.Close() }() // the lock goes with the process anyway
	f := &fetching{Pulling: p, repository: repository, dir: part}
	o.Files, err = f.all(ctx)
	if err == nil {
		_, err = Check(part)
		err = unfit(o.Repository, part, err)
	}
	if never := new(unusable); errors.As(err, &never) {
		return nil, false, errors.Join(err, os.RemoveAll(part))
	}
	if err != nil {
		return nil, false, err
	}
	if err := o.write(part); err != nil {
		return nil, false, err
	}
	if err := os.Remove(filepath.Join(part, lockName)); err != nil {
		return nil, false, err
	}
	return o, true, take(part, dir)
}

// unusable is the error of a repository that will not get better by fetching it again.
type unusable struct{ error }

func (u *unusable) Unwrap() error { return u.error }

// unfit says why what was fetched into dir is no backbone; nil for nil.
func unfit(name, dir string, err error) error {
	if err == nil {
		return nil
	}
	why := strings.ReplaceAll(err.Error(), dir+string(filepath.Separator), "")
	return &unusable{mistake.Errorf("%s cannot be used as a backbone: %s", name, why)}
}

// whole reports whether the recorded files are there with their sizes.
func (o *Origin) whole(dir string) bool {
	return !slices.ContainsFunc(o.Files, func(f OriginFact) bool {
		info, err := os.Stat(filepath.Join(dir, f.Name))
		return err != nil || info.Size() != f.Bytes
	})
}

// enter makes the folder for what is on its way, empty unless it is of the same commit, and
// locks it.
func enter(part string, o *Origin) (*flock.Flock, error) {
	if err := os.MkdirAll(part, 0o700); err != nil {
		return nil, err
	}
	lock := flock.New(filepath.Join(part, lockName))
	switch got, err := lock.TryLock(); {
	case err != nil:
		return nil, err
	case !got:
		return nil, mistake.Errorf("another process is fetching into %s; wait for it", part)
	}
	before, err := readOrigin(part)
	if err != nil || before == nil || !before.sameCommit(o) {
		if err := empty(part); err != nil {
			return nil, errors.Join(err, lock.Close())
		}
		if err := o.write(part); err != nil {
			return nil, errors.Join(err, lock.Close())
		}
	}
	return lock, nil
}

// empty removes all but the lock.
func empty(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.Name() != lockName {
			if err := os.RemoveAll(filepath.Join(dir, e.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

// fetching is the way of one backbone.
type fetching struct {
	Pulling
	repository *hub.Repository
	dir        string
	total      int64 // bytes of the files known to be needed
	done       int64
}

// all fetches the files, the configuration first, so that what cannot be used is known before
// anything large is fetched, and then what an index names.
func (f *fetching) all(ctx context.Context) ([]OriginFact, error) {
	var names []string
	for _, file := range f.repository.Files {
		names = append(names, file.Name)
	}
	chosen, err := pretrained.Choose(names)
	if err != nil {
		return nil, unfit(f.repository.Name, f.dir, err)
	}
	if err := f.count(chosen); err != nil {
		return nil, err
	}
	if f.Described != nil {
		f.Described(f.repository, f.total)
	}
	var facts []OriginFact
	for len(chosen) > 0 {
		name := chosen[0]
		chosen = chosen[1:]
		fact, err := f.one(ctx, name)
		if err != nil {
			return nil, err
		}
		facts = append(facts, fact)
		switch {
		case len(facts) == 1:
			if _, err := pretrained.LoadConfig(f.dir); err != nil {
				return nil, unfit(f.repository.Name, f.dir, err)
			}
		case pretrained.IsIndex(name):
			shards, err := pretrained.Shards(filepath.Join(f.dir, name))
			if err != nil {
				return nil, unfit(f.repository.Name, f.dir, err)
			}
			if err := f.count(shards); err != nil {
				return nil, err
			}
			chosen = append(chosen, shards...)
		}
	}
	return facts, nil
}

// count adds files to the total.
func (f *fetching) count(names []string) error {
	for _, name := range names {
		file, ok := f.repository.Lookup(name)
		if !ok {
			return unfit(f.repository.Name, f.dir, fmt.Errorf("its index names %s, which it does not hold", name))
		}
		f.total += max(file.Bytes, 0)
	}
	return nil
}

func (f *fetching) one(ctx context.Context, name string) (OriginFact, error) {
	file, _ := f.repository.Lookup(name) // count has found it
	got, err := f.Client.Download(ctx, f.repository, file, filepath.Join(f.dir, name), func(n int64) {
		if f.done += n; f.Progress != nil {
			f.Progress(f.done, max(f.total, f.done))
		}
	})
	if err != nil {
		return OriginFact{}, err
	}
	return OriginFact{Name: name, Bytes: got.Bytes, SHA256: got.SHA256}, nil
}

// PullInto fetches a backbone and puts it into the store under its name. Into a folder it goes
// directly; what is to go into a bucket is fetched into cache first, which is empty afterwards.
func PullInto(ctx context.Context, s Store, cache string, p Pulling, sent dataref.Progress) (Entry, bool, error) {
	if err := hub.CheckName(p.Name); err != nil {
		return Entry{}, false, err
	}
	if f, ok := s.(Folder); ok {
		_, fresh, err := Pull(ctx, filepath.Join(string(f), filepath.FromSlash(p.Name)), p)
		if err != nil {
			return Entry{}, false, err
		}
		e, err := f.entry(p.Name)
		return e, fresh, err
	}
	dir := filepath.Join(cache, filepath.FromSlash(p.Name))
	if _, _, err := Pull(ctx, dir, p); err != nil {
		return Entry{}, false, err
	}
	e, err := s.Add(ctx, p.Name, dir, sent)
	if err != nil {
		return Entry{}, false, fmt.Errorf("put %s into the store: %w", p.Name, err)
	}
	return e, true, os.RemoveAll(dir)
}
