package dataref

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/supermax-hpo/supermax/shared/objects"
)

// transfers is how many files are hashed, sent or fetched at the same time.
const transfers = 4

// Progress is told how many bytes of all are where they should be; calls do not overlap.
type Progress func(done, total int64)

// Upload brings the named files of a folder into the bucket and returns their place there,
// "<bucket>/<kind>/<SHA-256>/". What is there already, from an upload that ended or one
// that was broken off, is not sent again; the manifest is written last, so the place is
// whole once it can be read. A file that changes meanwhile is an error. progress may be nil.
func Upload(ctx context.Context, bucket *objects.Bucket, kind Kind, dir string, files []string, progress Progress) (string, error) {
	m, err := describe(ctx, dir, files)
	if err != nil {
		return "", fmt.Errorf("upload %s: %w", dir, err)
	}
	data, sum, err := m.encode()
	if err != nil {
		return "", fmt.Errorf("upload %s: %w", dir, err)
	}
	l := location{bucket: bucket.URL(), kind: kind, sum: sum}
	if _, err := parseLocation(l.url()); err != nil {
		return "", fmt.Errorf("upload %s: %w", dir, err)
	}
	count := &counter{total: m.bytes(), progress: progress}
	present, err := bucket.List(ctx, l.prefix())
	if err != nil {
		return "", err
	}
	if slices.Contains(present, l.prefix()+ManifestName) {
		count.add(m.bytes())
		return l.url(), nil
	}
	g, sending := errgroup.WithContext(ctx)
	g.SetLimit(transfers)
	for _, f := range m.Files {
		key := l.prefix() + f.Name
		if slices.Contains(present, key) { // objects are whole, and the key says what it holds
			count.add(f.Bytes)
			continue
		}
		g.Go(func() error { return send(sending, bucket, key, filepath.Join(dir, f.Name), f, count) })
	}
	if err := g.Wait(); err != nil {
		return "", err
	}
	if err := bucket.Write(ctx, l.prefix()+ManifestName, data); err != nil {
		return "", err
	}
	return l.url(), nil
}

// describe makes the manifest of a folder's files.
func describe(ctx context.Context, dir string, files []string) (manifest, error) {
	m := manifest{SchemaVersion: manifestVersion, Files: make([]File, len(files))}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(transfers)
	for i, name := range files {
		if !fileName.MatchString(name) { // before it is opened
			return m, fmt.Errorf("the file name %.140q is not allowed; allowed: letters, digits, '.', '_' and '-'", name)
		}
		g.Go(func() error {
			f, err := hashFile(ctx, filepath.Join(dir, name))
			f.Name = name
			m.Files[i] = f
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return m, err
	}
	slices.SortFunc(m.Files, byName)
	return m, m.check()
}

// hashFile returns a file's size and hash.
func hashFile(ctx context.Context, path string) (File, error) {
	in, err := openRegular(path)
	if err != nil {
		return File{}, err
	}
	defer func() { _ = in.Close() }() // opened for reading only
	h := sha256.New()
	n, err := io.Copy(h, &reader{ctx, in})
	if err != nil {
		return File{}, fmt.Errorf("read %s: %w", path, err)
	}
	return File{Bytes: n, SHA256: hex.EncodeToString(h.Sum(nil))}, nil
}

func openRegular(path string) (*os.File, error) {
	info, err := os.Stat(path) // first: opening a pipe would wait
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a regular file", path)
	}
	return os.Open(path)
}

// send writes one file to its key, unless it is not what it was when it was hashed.
func send(ctx context.Context, bucket *objects.Bucket, key, path string, want File, count *counter) error {
	in, err := openRegular(path)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }() // opened for reading only
	return bucket.WriteFrom(ctx, key, func(w io.Writer) error {
		h := sha256.New()
		n, err := io.Copy(io.MultiWriter(w, h, count), &reader{ctx, in})
		if err != nil {
			return err
		}
		if n != want.Bytes || hex.EncodeToString(h.Sum(nil)) != want.SHA256 {
			return fmt.Errorf("%s changed while it was uploaded: try again when nobody writes to it", path)
		}
		return nil
	})
}

// counter adds up what arrived.
type counter struct {
	total    int64
	progress Progress
	mu       sync.Mutex
	done     int64
}

func (c *counter) add(n int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.done += n
	if c.progress != nil {
		c.progress(c.done, c.total)
	}
}

// Write implements [io.Writer].
func (c *counter) Write(p []byte) (int, error) {
	c.add(int64(len(p)))
	return len(p), nil
}

// reader ends with its context.
type reader struct {
	ctx context.Context
	r   io.Reader
}

// Read implements [io.Reader].
func (r *reader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.r.Read(p)
}
