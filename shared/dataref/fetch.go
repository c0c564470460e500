package dataref

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"

	"github.com/supermax-hpo/supermax/shared/objects"
)

// fetches is how often a file is fetched whose bytes are not what the manifest says.
const fetches = 2

// ErrUnusable marks what lies at a place, or that there is nothing: the same on every
// machine, now and later. An error without it may pass.
var ErrUnusable = errors.New("what lies there cannot be used")

// unusable is an [ErrUnusable] that says why.
type unusable struct{ error }

// Unwrap returns the cause.
func (e unusable) Unwrap() []error { return []error{e.error, ErrUnusable} }

// errDamaged says that what came is not what was uploaded.
var errDamaged = errors.New("its bytes are not those that were uploaded")

// fetchManifest reads a location's manifest and checks that it is the one that the
// location names.
func fetchManifest(ctx context.Context, bucket *objects.Bucket, l location) ([]byte, manifest, error) {
	in, err := bucket.Reader(ctx, ManifestName)
	if errors.Is(err, objects.ErrNotFound) {
		return nil, manifest{}, unusable{fmt.Errorf("there is nothing, or its upload has not ended: %w", err)}
	}
	if err != nil {
		return nil, manifest{}, err
	}
	data, err := io.ReadAll(io.LimitReader(in, maxManifestBytes+1))
	_ = in.Close() // opened for reading only
	if err != nil {
		return nil, manifest{}, fmt.Errorf("read %s: %w", ManifestName, err)
	}
	m, err := readManifest(data)
	if err == nil && address(data) != l.sum {
		err = errors.New("it is not the one that the location is named after")
	}
	if err != nil {
		return nil, manifest{}, unusable{fmt.Errorf("%s: %w", ManifestName, err)}
	}
	return data, m, nil
}

// fetchFile brings one file to path. One that a former attempt brought there whole stays.
func fetchFile(ctx context.Context, bucket *objects.Bucket, path string, want File, count *counter) error {
	got, err := hashFile(ctx, path)
	if got.Name = want.Name; err == nil && got == want {
		count.add(want.Bytes)
		return nil
	}
	for attempt := 1; ; attempt++ {
		err := fetchOnce(ctx, bucket, path, want)
		switch {
		case err == nil:
			count.add(want.Bytes)
			return nil
		case errors.Is(err, objects.ErrNotFound), errors.Is(err, errDamaged) && attempt == fetches:
			return unusable{err}
		case !errors.Is(err, errDamaged):
			return err
		}
	}
}

// fetchOnce writes beside path and moves what proves right into its place.
func fetchOnce(ctx context.Context, bucket *objects.Bucket, path string, want File) error {
	in, err := bucket.Reader(ctx, want.Name)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }() // opened for reading only
	beside := path + ".fetching"      // one process at a time: the location is locked
	out, err := os.OpenFile(beside, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	h := sha256.New()
	// One byte more than it should have shows that it has more; the rest stays unread.
	n, err := io.Copy(io.MultiWriter(out, h), io.LimitReader(&reader{ctx, in}, want.Bytes+1))
	if cerr := out.Close(); err == nil {
		err = cerr
	}
	switch {
	case err != nil:
		err = fmt.Errorf("%s: %w", want.Name, err)
	case n > want.Bytes:
		err = fmt.Errorf("%s has more than its %d bytes: %w", want.Name, want.Bytes, errDamaged)
	case n < want.Bytes:
		err = fmt.Errorf("%s has %d bytes instead of %d: %w", want.Name, n, want.Bytes, errDamaged)
	case hex.EncodeToString(h.Sum(nil)) != want.SHA256:
		err = fmt.Errorf("%s: %w", want.Name, errDamaged)
	default:
		return os.Rename(beside, path)
	}
	_ = os.Remove(beside) // the first error counts
	return err
}

// explain says plainly when the disk is full.
func (c *Cache) explain(err error) error {
	for _, full := range []syscall.Errno{syscall.ENOSPC, syscall.EDQUOT} {
		if errors.Is(err, full) {
			return fmt.Errorf("the disk that holds %s is full: %w", c.Dir, full)
		}
	}
	return err
}
