package objects

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// open returns a bucket in a new folder with a name that a URL has to escape, and the
// folder.
func open(t *testing.T) (*Bucket, string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "run 1%2F#?")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	b, err := Open(t.Context(), FileURL(dir))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	return b, dir
}

// each runs a test over every kind of bucket.
func each(t *testing.T, test func(t *testing.T, b *Bucket)) {
	t.Run("file", func(t *testing.T) {
		b, _ := open(t)
		test(t, b)
	})
	t.Run("mem", func(t *testing.T) {
		b, err := Open(t.Context(), "mem://")
		if err != nil {
			t.Fatal(err)
		}
		test(t, b)
	})
	t.Run("s3", func(t *testing.T) {
		test(t, onEmulator(t, ""))
	})
	t.Run("s3 prefix", func(t *testing.T) {
		test(t, onEmulator(t, "some/study/"))
	})
}

func TestBucket(t *testing.T) {
	each(t, func(t *testing.T, b *Bucket) {
		ctx := t.Context()
		const key = "checkpoints/trial=000001/seed=1/epoch=0002.safetensors"
		if _, err := b.Read(ctx, key); !errors.Is(err, ErrNotFound) {
			t.Fatalf("Read of nothing: %v, want ErrNotFound", err)
		}
		if _, err := b.Reader(ctx, key); !errors.Is(err, ErrNotFound) {
			t.Fatalf("Reader of nothing: %v, want ErrNotFound", err)
		}
		for _, want := range []string{"first", "", "a longer one"} {
			if err := b.Write(ctx, key, []byte(want)); err != nil {
				t.Fatal(err)
			}
			got, err := b.Read(ctx, key)
			if err != nil || string(got) != want {
				t.Fatalf("Read = %q, %v; want %q", got, err, want)
			}
		}
		r, err := b.Reader(ctx, key)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(r)
		if cerr := r.Close(); err != nil || cerr != nil || string(got) != "a longer one" {
			t.Fatalf("Reader gave %q, %v, %v", got, err, cerr)
		}
		if ok, err := b.Exists(ctx, key); !ok || err != nil {
			t.Fatalf("Exists = %v, %v", ok, err)
		}
		for range 2 {
			if err := b.Delete(ctx, key); err != nil {
				t.Fatalf("Delete: %v", err)
			}
		}
		if ok, err := b.Exists(ctx, key); ok || err != nil {
			t.Fatalf("Exists after Delete = %v, %v", ok, err)
		}
	})
}

func TestList(t *testing.T) {
	each(t, func(t *testing.T, b *Bucket) {
		ctx := t.Context()
		keys := []string{"a-b", "a/x", "a/y/z", "ab/c", "metrics/study=s-2/f", "metrics/study=s/f"}
		for _, k := range keys {
			if err := b.Write(ctx, k, nil); err != nil {
				t.Fatal(err)
			}
		}
		for prefix, want := range map[string][]string{
			"":                 keys, // sorted by bytes: '-' stands before '/'
			"a":                keys[:4],
			"a/":               keys[1:3],
			"a/y":              keys[2:3],
			"metrics/study=s":  keys[4:],
			"metrics/study=s/": keys[5:],
			"none/":            nil,
		} {
			got, err := b.List(ctx, prefix)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("List(%q): %s", prefix, d)
			}
		}
	})
}

// A writer that fails, is cancelled or dies leaves the old object, and List does not show
// the pieces.
func TestUnfinishedWrite(t *testing.T) {
	b, dir := open(t)
	ctx := t.Context()
	if err := b.Write(ctx, "best.yaml", []byte("old")); err != nil {
		t.Fatal(err)
	}
	boom := errors.New("boom")
	err := b.WriteFrom(ctx, "best.yaml", func(w io.Writer) error {
		_, _ = w.Write([]byte("ne"))
		return boom
	})
	if !errors.Is(err, boom) {
		t.Fatalf("WriteFrom = %v, want %v", err, boom)
	}
	cancelled, cancel := context.WithCancel(ctx)
	err = b.WriteFrom(cancelled, "best.yaml", func(w io.Writer) error {
		_, err := w.Write([]byte("ne"))
		cancel()
		return err
	})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("WriteFrom of a cancelled writer = %v", err)
	}
	if files, _ := filepath.Glob(filepath.Join(dir, "*")); len(files) != 1 {
		t.Fatalf("after failed writes the folder holds %v", files)
	}

	err = b.WriteFrom(ctx, "best.yaml", func(w io.Writer) error {
		_, _ = w.Write([]byte("ne"))
		// As a kill would at this moment, look at what is there.
		files, _ := filepath.Glob(filepath.Join(dir, "best.yaml.*"))
		if len(files) != 1 || !temporary.MatchString(files[0]) {
			t.Errorf("temporary files are named %v: List and Sweep would not know them", files)
			return boom
		}
		return os.Link(files[0], filepath.Join(dir, "best.yaml.18a0123456789abc.tmp"))
	})
	if err != nil {
		t.Fatal(err)
	}
	if keys, err := b.List(ctx, ""); err != nil || !slices.Equal(keys, []string{"best.yaml"}) {
		t.Fatalf("List = %v, %v: it shows a temporary", keys, err)
	}

	for _, step := range []struct {
		before time.Time
		want   int
	}{{time.Now().Add(-time.Hour), 0}, {time.Now().Add(time.Hour), 1}, {time.Now().Add(time.Hour), 0}} {
		if n, err := b.Sweep(ctx, step.before); n != step.want || err != nil {
			t.Fatalf("Sweep = %d, %v; want %d", n, err, step.want)
		}
	}
	if got, err := b.Read(ctx, "best.yaml"); string(got) != "ne" || err != nil {
		t.Fatalf("Read after Sweep = %q, %v", got, err)
	}
}

// Listing while others write and delete neither fails nor shows what is unfinished.
func TestListWhileWriting(t *testing.T) {
	b, _ := open(t)
	ctx := t.Context()
	var writers sync.WaitGroup
	for w := range 4 {
		writers.Go(func() {
			for i := range 50 {
				key := fmt.Sprintf("d/%d/%d", w, i%3)
				if err := b.Write(ctx, key, []byte("whole")); err != nil {
					t.Error(err)
				}
				if i%2 == 1 {
					if err := b.Delete(ctx, key); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	for range 100 {
		keys, err := b.List(ctx, "d/")
		if err != nil {
			t.Fatal(err)
		}
		for _, k := range keys {
			if len(k) != len("d/0/0") {
				t.Fatalf("List shows %s", k)
			}
			if data, err := b.Read(ctx, k); err == nil && string(data) != "whole" {
				t.Fatalf("Read %s = %q: half an object", k, data)
			}
		}
	}
	writers.Wait()
}

func TestOpenErrors(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for url, want := range map[string]string{
		"mem://x":                 "not supported",
		"file:relative":           "not supported",
		"file://host/dir":         "not supported",
		"/a/folder":               "not supported",
		"%":                       "not a URL",
		"s3://":                   "names no S3 bucket",
		"s3://Bucket":             "names no S3 bucket",
		"s3://bu_cket/x":          "names no S3 bucket",
		"s3://bucket?x=y":         "names no S3 bucket",
		"s3://me:pw@bucket":       "names no S3 bucket",
		"s3://bucket/a//b":        "empty part",
		"s3://bucket/../b":        "has a part ..",
		FileURL(file):             "not a folder",
		FileURL(file + "-is-not"): "no such file",
	} {
		if _, err := Open(t.Context(), url); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Open(%q) = %v, want …%s…", url, err, want)
		} else if strings.Contains(err.Error(), "pw") {
			t.Errorf("the error repeats a password: %v", err)
		}
	}
}
