package modelstore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/supermax-hpo/supermax/batchjob/pretrained"
	"github.com/supermax-hpo/supermax/cmd/supermax/internal/mistake"
	"github.com/supermax-hpo/supermax/shared/dataref"
)

// free refuses a place that holds something. An empty folder is free.
func free(dir string) error {
	entries, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist) || err == nil && len(entries) == 0:
		return nil
	case err == nil:
		return mistake.Errorf("%s is not empty; choose another folder or delete it", dir)
	}
	if info, statErr := os.Stat(dir); statErr == nil && !info.IsDir() {
		return mistake.Errorf("%s is a file, not a folder", dir)
	}
	return err
}

// take gives a folder that is whole the name of one that is free.
func take(from, to string) error {
	if err := os.Chmod(from, 0o755); err != nil {
		return err
	}
	if err := os.Remove(to); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return os.Rename(from, to)
}

// ours returns the files of a backbone, with the record of where it came from.
func ours(dir string) ([]string, error) {
	names, err := pretrained.Files(dir)
	if err != nil {
		return nil, mistake.Wrap(err)
	}
	if _, err := os.Stat(filepath.Join(dir, OriginFile)); err == nil {
		names = append(names, OriginFile)
	}
	return names, nil
}

// copyBackbone copies the files of the backbone in from to the free folder to, which appears
// whole or not at all.
func copyBackbone(ctx context.Context, from, to string, progress dataref.Progress) (err error) {
	names, err := ours(from)
	if err != nil {
		return err
	}
	if err := free(to); err != nil {
		return err
	}
	var total int64
	for _, name := range names {
		info, err := os.Stat(filepath.Join(from, name))
		if err != nil {
			return err
		}
		total += info.Size()
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	tmp, err := os.MkdirTemp(filepath.Dir(to), "."+filepath.Base(to)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.RemoveAll(tmp) // the first error counts
		}
	}()
	var done int64
	for _, name := range names {
		n, err := copyFile(ctx, filepath.Join(from, name), filepath.Join(tmp, name))
		if err != nil {
			return fmt.Errorf("copy %s: %w", filepath.Join(from, name), err)
		}
		if done += n; progress != nil {
			progress(done, total)
		}
	}
	return take(tmp, to)
}

func copyFile(ctx context.Context, from, to string) (int64, error) {
	in, err := os.Open(from)
	if err != nil {
		return 0, err
	}
	defer func() { _ = in.Close() }() // opened for reading only
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return 0, err
	}
	n, err := io.Copy(out, stopped{ctx, in})
	if err == nil {
		err = out.Sync()
	}
	if closed := out.Close(); err == nil {
		err = closed
	}
	return n, err
}

// stopped is a reader that ends with its context.
type stopped struct {
	ctx context.Context
	r   io.Reader
}

func (s stopped) Read(p []byte) (int, error) {
	if err := s.ctx.Err(); err != nil {
		return 0, err
	}
	return s.r.Read(p)
}
