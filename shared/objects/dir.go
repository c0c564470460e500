package objects

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// listDir walks the folder itself: fileblob's listing fails when a file is renamed under
// it, shows temporaries, and skips keys at the seam of two pages because it walks in the
// order of file names, not of keys ("a-b" before "a/x").
func (b *Bucket) listDir(ctx context.Context, prefix string) ([]string, error) {
	var keys []string
	err := b.walk(ctx, prefix, func(path, key string) error {
		if CheckKey(key) == nil {
			keys = append(keys, key)
		}
		return nil
	})
	return keys, err
}

// walk calls visit with every file whose slash-separated path below the folder starts
// with prefix.
func (b *Bucket) walk(ctx context.Context, prefix string, visit func(path, key string) error) error {
	root := b.dir
	if i := strings.LastIndexByte(prefix, '/'); i >= 0 {
		root = filepath.Join(root, filepath.FromSlash(prefix[:i]))
	}
	return filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // deleted since its folder was read, or nothing below prefix
		}
		if err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		rel, err := filepath.Rel(b.dir, path)
		if err != nil {
			return err
		}
		key := filepath.ToSlash(rel)
		switch {
		case !entry.IsDir() && strings.HasPrefix(key, prefix):
			return visit(path, key)
		case entry.IsDir() && path != root && !strings.HasPrefix(key+"/", prefix):
			return fs.SkipDir
		}
		return nil
	})
}

// Sweep deletes what writers that were killed left behind, and returns how much that was:
// in a folder the files that were last written to before the given time, in S3 the
// multipart uploads that were begun before it.
func (b *Bucket) Sweep(ctx context.Context, before time.Time) (int, error) {
	switch {
	case b.s3 != nil:
		removed, err := b.s3.sweep(ctx, before)
		if err != nil {
			err = b.s3.failed("remove unfinished", "", err)
		}
		return removed, err
	case b.dir == "":
		return 0, nil
	}
	removed := 0
	err := b.walk(ctx, "", func(path, key string) error {
		if !temporary.MatchString(key) {
			return nil
		}
		info, err := os.Lstat(path)
		if errors.Is(err, fs.ErrNotExist) || err == nil && !info.ModTime().Before(before) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		removed++
		return nil
	})
	if err != nil {
		return removed, fmt.Errorf("remove unfinished objects: %w", err)
	}
	return removed, nil
}
