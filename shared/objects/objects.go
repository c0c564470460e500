// Package objects keeps the files of a study (data, backbones, checkpoints, metrics,
// exports) under keys in a bucket: a folder here, S3 on AWS. An object is there whole or
// not at all, however its writer ends; [Bucket.List] never shows what a killed writer
// left behind.
package objects

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"slices"

	"gocloud.dev/blob"
	"gocloud.dev/blob/fileblob"
	"gocloud.dev/blob/memblob"
	"gocloud.dev/gcerrors"
)

// ErrNotFound says that there is no object under a key.
var ErrNotFound = errors.New("no such object")

// A Bucket holds objects under keys. Use [Open] to get one; its methods may be called
// from many goroutines at once.
type Bucket struct {
	blob *blob.Bucket
	url  string    // as URL returns it
	dir  string    // absolute; empty when the bucket is not a folder
	s3   *s3Bucket // nil when the bucket is not of S3
}

// Open opens the bucket at a URL: file:///absolute/folder (which must exist; [FileURL]
// writes one), s3://bucket or s3://bucket/prefix with the machine's own AWS configuration
// (see [awscall.Config]; the first call shows whether the bucket is there), or mem:// for a
// new, empty one that lives as long as the Bucket.
func Open(ctx context.Context, bucketURL string) (*Bucket, error) {
	u, err := url.Parse(bucketURL)
	if err != nil {
		return nil, fmt.Errorf("open bucket: %q is not a URL", bucketURL)
	}
	switch {
	case u.Scheme == "mem" && u.Host == "" && u.Path == "":
		return &Bucket{blob: memblob.OpenBucket(nil), url: "mem://"}, nil
	case u.Scheme == "file" && u.Host == "" && filepath.IsAbs(u.Path):
		return openDir(filepath.Clean(u.Path))
	case u.Scheme == "s3":
		return openS3(ctx, u)
	}
	return nil, fmt.Errorf("open bucket: %q is not supported; use s3://bucket, file:///absolute/folder or mem://", bucketURL)
}

// FileURL returns the URL by which [Open] opens a folder. dir must be absolute.
func FileURL(dir string) string {
	return (&url.URL{Scheme: "file", Path: filepath.ToSlash(dir)}).String()
}

// URL returns the URL by which [Open] opened the bucket, without a "/" at its end. That of a
// bucket in memory opens another, empty one.
func (b *Bucket) URL() string { return b.url }

// openDir keeps temporary files beside their objects: a rename is whole only within one
// file system.
func openDir(dir string) (*Bucket, error) {
	info, err := os.Stat(dir)
	if err != nil {
		return nil, fmt.Errorf("open bucket: %w", err)
	}
	if !info.IsDir() {
		return nil, fmt.Errorf("open bucket: %s is not a folder", dir)
	}
	b, err := fileblob.OpenBucket(dir, &fileblob.Options{NoTempDir: true, Metadata: fileblob.MetadataDontWrite})
	if err != nil {
		return nil, fmt.Errorf("open bucket %s: %w", dir, err)
	}
	return &Bucket{blob: b, dir: dir, url: FileURL(dir)}, nil
}

// Close frees the bucket; its objects stay (but for mem://).
func (b *Bucket) Close() error { return b.blob.Close() }

// Read returns a whole object, or [ErrNotFound].
func (b *Bucket) Read(ctx context.Context, key string) ([]byte, error) {
	if err := CheckKey(key); err != nil {
		return nil, err
	}
	read := b.blob.ReadAll
	if b.s3 != nil {
		read = b.readS3
	}
	data, err := read(ctx, key)
	if err != nil {
		return nil, b.failed(ctx, "read", key, err)
	}
	return data, nil
}

// Reader opens an object for reading from its start, or returns [ErrNotFound]. One of S3
// whose body breaks or stalls goes on where it was. The caller closes it.
func (b *Bucket) Reader(ctx context.Context, key string) (io.ReadCloser, error) {
	if err := CheckKey(key); err != nil {
		return nil, err
	}
	var r io.ReadCloser
	var err error
	if b.s3 != nil {
		r, err = newResuming(ctx, b.blob, key, stall)
	} else {
		r, err = b.blob.NewReader(ctx, key, nil)
	}
	if err != nil {
		return nil, b.failed(ctx, "read", key, err)
	}
	return r, nil
}

// Exists reports whether there is an object under key.
func (b *Bucket) Exists(ctx context.Context, key string) (bool, error) {
	if err := CheckKey(key); err != nil {
		return false, err
	}
	exists := b.blob.Exists
	if b.s3 != nil {
		exists = b.s3.exists
	}
	ok, err := exists(ctx, key)
	if err != nil {
		return false, b.failed(ctx, "look for", key, err)
	}
	return ok, nil
}

// Delete removes objects. That one is not there is no error: deletions are repeated. After
// an error any part of them may be gone.
func (b *Bucket) Delete(ctx context.Context, keys ...string) error {
	for _, key := range keys {
		if err := CheckKey(key); err != nil {
			return err
		}
	}
	if b.s3 != nil {
		if err := b.s3.delete(ctx, keys); err != nil {
			return b.s3.failed("delete", oneKey(keys), err)
		}
		return nil
	}
	for _, key := range keys {
		err := b.blob.Delete(ctx, key)
		if err != nil && gcerrors.Code(err) != gcerrors.NotFound {
			return b.failed(ctx, "delete", key, err)
		}
	}
	return nil
}

// List returns the keys that start with prefix, sorted by their bytes. An empty prefix
// lists everything; one that ends in "/" lists a folder with what is below it.
func (b *Bucket) List(ctx context.Context, prefix string) ([]string, error) {
	if err := checkPrefix(prefix); err != nil {
		return nil, err
	}
	var keys []string
	var err error
	if b.dir != "" {
		keys, err = b.listDir(ctx, prefix)
	} else {
		keys, err = b.listBlob(ctx, prefix)
	}
	switch {
	case err != nil && b.s3 != nil:
		return nil, b.s3.failed("list", prefix, err)
	case err != nil:
		return nil, fmt.Errorf("list objects %q: %w", prefix, err)
	}
	slices.Sort(keys)
	return keys, nil
}

func (b *Bucket) listBlob(ctx context.Context, prefix string) ([]string, error) {
	var keys []string
	it := b.blob.List(&blob.ListOptions{Prefix: prefix})
	for {
		o, err := it.Next(ctx)
		if errors.Is(err, io.EOF) {
			return keys, nil
		}
		if err != nil {
			return nil, err
		}
		if CheckKey(o.Key) == nil {
			keys = append(keys, o.Key)
		}
	}
}

// failed says what went wrong with key in one sentence. The library's own words are left
// out where they say less than the cause.
func (b *Bucket) failed(ctx context.Context, verb, key string, err error) error {
	if b.s3 != nil {
		if b.s3.missing(ctx, key, err) {
			return fmt.Errorf("%s object s3://%s/%s%s: %w", verb, b.s3.name, b.s3.prefix, key, ErrNotFound)
		}
		return b.s3.failed(verb, key, err)
	}
	if gcerrors.Code(err) == gcerrors.NotFound {
		return fmt.Errorf("%s object %s: %w", verb, key, ErrNotFound)
	}
	if full := diskFull(err); full != nil {
		return fmt.Errorf("%s object %s: the disk that holds %s is full: %w", verb, key, b.dir, full)
	}
	return fmt.Errorf("%s object %s: %w", verb, key, err)
}
