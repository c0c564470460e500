package dataref

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/gofrs/flock"
	"golang.org/x/sync/errgroup"

	"github.com/supermax-hpo/supermax/shared/objects"
)

// lockPoll is how often a slot looks whether another has fetched what it waits for.
const lockPoll = 100 * time.Millisecond

// A Cache keeps copies of corpora and backbones in a folder of the machine, for all slots
// on it: processes that share Dir fetch each location once. What was fetched is checked by
// size and hash, and again when a process first uses it. Its methods may be called from
// many goroutines at once.
type Cache struct {
	Dir      string                                                         // absolute; made when it is needed, for this user alone
	Open     func(ctx context.Context, url string) (*objects.Bucket, error) // nil: objects.Open
	Progress Progress                                                       // of each location that is fetched; may be nil

	mu      sync.Mutex
	checked map[location]bool // in this process
}

// Folder returns the folder that holds what lies at a place: the place itself unless it is
// a URL, else the machine's copy, which is fetched if it is not there, file by file from
// where a former attempt ended. The folder is for reading only. An error that is an
// [ErrUnusable] will not pass.
func (c *Cache) Folder(ctx context.Context, place string) (string, error) {
	if !IsURL(place) {
		return place, nil
	}
	l, err := parseLocation(place)
	if err != nil {
		return "", fmt.Errorf("find data: %w", unusable{err})
	}
	dir := filepath.Join(c.Dir, string(l.kind), l.sum)
	c.mu.Lock() // also: one fetch at a time in a process
	defer c.mu.Unlock()
	if c.checked[l] {
		return dir, nil
	}
	if err := c.locked(ctx, l, dir); err != nil {
		return "", fmt.Errorf("fetch %s: %w", l.url(), c.explain(err))
	}
	if c.checked == nil {
		c.checked = map[location]bool{}
	}
	c.checked[l] = true
	return dir, nil
}

// locked checks the machine's copy, and fetches it when there is none or a damaged one, as
// long as no other process does.
func (c *Cache) locked(ctx context.Context, l location, dir string) error {
	if err := os.MkdirAll(filepath.Dir(dir), 0o700); err != nil {
		return err
	}
	lock := flock.New(dir+".lock", flock.SetPermissions(0o600))
	if _, err := lock.TryLockContext(ctx, lockPoll); err != nil {
		return fmt.Errorf("wait for another slot: %w", err)
	}
	defer func() { _ = lock.Close() }() // the lock goes with the process anyway
	switch err := check(ctx, dir, l); {
	case err == nil || ctx.Err() != nil:
		return err
	case !errors.Is(err, fs.ErrNotExist):
		// A disk that lies or a person; what is read from it now stays readable.
		if err := os.RemoveAll(dir); err != nil {
			return fmt.Errorf("remove a damaged copy: %w", err)
		}
	}
	open := c.Open
	if open == nil {
		open = objects.Open
	}
	bucket, err := open(ctx, l.bucket+"/"+string(l.kind)+"/"+l.sum)
	if err != nil {
		return err
	}
	return errors.Join(c.fetch(ctx, bucket, l, dir), bucket.Close())
}

// fetch brings the files into a folder beside dir, checks them, and puts it in dir's place.
func (c *Cache) fetch(ctx context.Context, bucket *objects.Bucket, l location, dir string) error {
	data, m, err := fetchManifest(ctx, bucket, l)
	if err != nil {
		return err
	}
	part := dir + ".part"
	if err := os.MkdirAll(part, 0o700); err != nil {
		return err
	}
	count := &counter{total: m.bytes(), progress: c.Progress}
	g, fetching := errgroup.WithContext(ctx)
	g.SetLimit(transfers)
	for _, f := range m.Files {
		g.Go(func() error { return fetchFile(fetching, bucket, filepath.Join(part, f.Name), f, count) })
	}
	if err := g.Wait(); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(part, ManifestName), data, 0o600); err != nil {
		return err
	}
	return os.Rename(part, dir)
}

// check reads the machine's copy: nil when it is whole, [fs.ErrNotExist] when there is none.
func check(ctx context.Context, dir string, l location) error {
	if _, err := os.Lstat(dir); err != nil {
		return err
	}
	damaged := func(why string) error { return fmt.Errorf("the copy in %s is damaged: %s", dir, why) }
	data, err := os.ReadFile(filepath.Join(dir, ManifestName))
	if err != nil || address(data) != l.sum {
		return damaged(ManifestName)
	}
	m, err := readManifest(data)
	if err != nil {
		return damaged(ManifestName)
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(transfers)
	for _, f := range m.Files {
		g.Go(func() error {
			got, err := hashFile(ctx, filepath.Join(dir, f.Name))
			if got.Name = f.Name; err != nil || got != f {
				return damaged(f.Name)
			}
			return nil
		})
	}
	return g.Wait()
}
