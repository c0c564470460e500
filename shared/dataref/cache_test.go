package dataref

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/gofrs/flock"
	"github.com/google/go-cmp/cmp"

	"github.com/supermax-hpo/supermax/shared/objects"
	"github.com/supermax-hpo/supermax/tests/emulator"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// corpus is a folder with two files and one that does not belong to it.
func corpus(t *testing.T) (string, []string) {
	t.Helper()
	dir := t.TempDir()
	for name, content := range map[string]string{"posts.csv": "post_id,text\n1,secret\n", "empty.csv": "", "notes.txt": "not ours"} {
		must(t, os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600))
	}
	return dir, []string{"posts.csv", "empty.csv"}
}

// store is a bucket in a folder.
func store(t *testing.T) (dir string, b *objects.Bucket) {
	t.Helper()
	dir = t.TempDir()
	b, err := objects.Open(t.Context(), objects.FileURL(dir))
	must(t, err)
	t.Cleanup(func() { _ = b.Close() })
	return dir, b
}

func sameFiles(t *testing.T, from, to string, files []string) {
	t.Helper()
	for _, name := range files {
		want, err := os.ReadFile(filepath.Join(from, name))
		must(t, err)
		got, err := os.ReadFile(filepath.Join(to, name))
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s came as %q, %v; want %q", name, got, err, want)
		}
	}
	if _, err := os.Stat(filepath.Join(to, "notes.txt")); err == nil {
		t.Error("a file came that was not named")
	}
}

func TestUploadAndFetch(t *testing.T) {
	from, files := corpus(t)
	_, b := store(t)
	var seen []int64
	place, err := Upload(t.Context(), b, Corpora, from, files, func(done, total int64) {
		if total != 22 {
			t.Errorf("of %d bytes, want 22", total)
		}
		seen = append(seen, done)
	})
	must(t, err)
	if !strings.HasPrefix(place, b.URL()+"/corpora/") || !strings.HasSuffix(place, "/") || seen[len(seen)-1] != 22 {
		t.Errorf("it lies at %s, progress %v", place, seen)
	}
	before, err := b.List(t.Context(), "")
	must(t, err)
	if len(before) != 3 {
		t.Errorf("the bucket holds %v", before)
	}
	// Again, from elsewhere, in another order: the same place.
	other, _ := corpus(t)
	again, err := Upload(t.Context(), b, Corpora, other, []string{"empty.csv", "posts.csv"}, nil)
	if err != nil || again != place {
		t.Errorf("again it lies at %s, %v", again, err)
	}

	c := &Cache{Dir: filepath.Join(t.TempDir(), "not", "yet")}
	to, err := c.Folder(t.Context(), place)
	must(t, err)
	sameFiles(t, from, to, files)
	if info, err := os.Stat(to); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("others may look into it: %v, %v", info.Mode(), err)
	}
	if same, err := c.Folder(t.Context(), from); err != nil || same != from {
		t.Errorf("a folder became %s, %v", same, err)
	}
	if _, err := c.Folder(t.Context(), "s3://data/../x"); err == nil || !strings.Contains(err.Error(), "is no place of a corpus or backbone") {
		t.Errorf("no place: %v", err)
	}
}

// An upload that was broken off goes on: what is there is not sent again, and the place is
// not whole before its manifest.
func TestUploadGoesOn(t *testing.T) {
	from, files := corpus(t)
	root, b := store(t)
	place, err := Upload(t.Context(), b, Backbones, from, files, nil)
	must(t, err)
	l, err := parseLocation(place)
	must(t, err)
	must(t, b.Delete(t.Context(), l.prefix()+ManifestName, l.prefix()+"empty.csv"))
	kept := filepath.Join(root, filepath.FromSlash(l.prefix()), "posts.csv")
	before, err := os.Stat(kept)
	must(t, err)
	c := &Cache{Dir: t.TempDir()}
	if _, err := c.Folder(t.Context(), place); !errors.Is(err, objects.ErrNotFound) || !strings.Contains(err.Error(), "its upload has not ended") {
		t.Errorf("half a place: %v", err)
	}
	again, err := Upload(t.Context(), b, Backbones, from, files, nil)
	if err != nil || again != place {
		t.Fatalf("again it lies at %s, %v", again, err)
	}
	if after, err := os.Stat(kept); err != nil || !os.SameFile(before, after) {
		t.Errorf("a file that was there was sent again, %v", err)
	}
	_, err = c.Folder(t.Context(), place)
	must(t, err)
}

func TestUploadRefuses(t *testing.T) {
	from, files := corpus(t)
	root, b := store(t)
	must(t, os.Mkdir(filepath.Join(from, "folder"), 0o700))
	must(t, syscall.Mkfifo(filepath.Join(from, "pipe"), 0o600))
	for name, tt := range map[string]struct {
		kind  Kind
		files []string
		want  string
	}{
		"nothing":      {Corpora, nil, "names 0 files"},
		"not there":    {Corpora, []string{"nothing.csv"}, "no such file"},
		"up":           {Corpora, []string{"../x"}, "is not allowed"},
		"a folder":     {Corpora, []string{"folder"}, "is not a regular file"},
		"a pipe":       {Corpora, []string{"pipe"}, "is not a regular file"},
		"twice":        {Corpora, []string{"posts.csv", "posts.csv"}, "there twice"},
		"another kind": {"models", files, "is no place of"},
	} {
		if place, err := Upload(t.Context(), b, tt.kind, from, tt.files, nil); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %s, %v; want …%s…", name, place, err, tt.want)
		}
	}
	if left, err := os.ReadDir(root); err != nil || len(left) != 0 {
		t.Errorf("refused uploads left %v, %v", left, err)
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Upload(cancelled, b, Corpora, from, files, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// A file that is written while it is sent is not kept under its former hash.
func TestUploadOfAFileThatChanges(t *testing.T) {
	from, _ := corpus(t)
	_, b := store(t)
	path := filepath.Join(from, "posts.csv")
	f, err := hashFile(t.Context(), path)
	must(t, err)
	must(t, os.WriteFile(path, []byte("other"), 0o600))
	err = send(t.Context(), b, "corpora/k", path, f, &counter{})
	if err == nil || !strings.Contains(err.Error(), "posts.csv changed while it was uploaded") {
		t.Errorf("got %v", err)
	}
	if ok, err := b.Exists(t.Context(), "corpora/k"); ok || err != nil {
		t.Errorf("it was kept, %v", err)
	}
}

// placed uploads a corpus and returns what a test may spoil.
func placed(t *testing.T) (from, place, inBucket string, files []string) {
	t.Helper()
	from, files = corpus(t)
	root, b := store(t)
	place, err := Upload(t.Context(), b, Corpora, from, files, nil)
	must(t, err)
	l, err := parseLocation(place)
	must(t, err)
	return from, place, filepath.Join(root, filepath.FromSlash(l.prefix())), files
}

func TestFolderRefuses(t *testing.T) {
	for name, tt := range map[string]struct {
		spoil func(t *testing.T, dir string)
		want  string
	}{
		"longer":  {func(t *testing.T, dir string) { lengthen(t, filepath.Join(dir, "posts.csv"), "x") }, "posts.csv has more than its 22 bytes"},
		"shorter": {func(t *testing.T, dir string) { must(t, os.Truncate(filepath.Join(dir, "posts.csv"), 3)) }, "posts.csv has 3 bytes instead of 22"},
		"other bytes": {func(t *testing.T, dir string) {
			must(t, os.WriteFile(filepath.Join(dir, "posts.csv"), bytes.Repeat([]byte("x"), 22), 0o600))
		}, "posts.csv: its bytes are not those"},
		"missing":     {func(t *testing.T, dir string) { must(t, os.Remove(filepath.Join(dir, "posts.csv"))) }, "no such object"},
		"no manifest": {func(t *testing.T, dir string) { must(t, os.Remove(filepath.Join(dir, ManifestName))) }, "there is nothing"},
		"other manifest": {func(t *testing.T, dir string) {
			must(t, os.WriteFile(filepath.Join(dir, ManifestName), []byte(text("a", "1", sum)), 0o600))
		}, "is not the one that the location is named after"},
		"hostile manifest": {func(t *testing.T, dir string) {
			must(t, os.WriteFile(filepath.Join(dir, ManifestName), []byte(text("../../x", "1", sum)), 0o600))
		}, "is not allowed"},
		"huge manifest": {func(t *testing.T, dir string) {
			must(t, os.WriteFile(filepath.Join(dir, ManifestName), make([]byte, maxManifestBytes+9), 0o600))
		}, "at most"},
	} {
		t.Run(name, func(t *testing.T) {
			_, place, dir, _ := placed(t)
			tt.spoil(t, dir)
			c := &Cache{Dir: t.TempDir()}
			got, err := c.Folder(t.Context(), place)
			if !errors.Is(err, ErrUnusable) || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "secret") || strings.ContainsRune(err.Error(), '\n') {
				t.Errorf("got %s, %v, want …%s…", got, err, tt.want)
			}
			if whole, _ := filepath.Glob(filepath.Join(c.Dir, "corpora", "*[0-9a-f]")); len(whole) != 0 {
				t.Errorf("it left %v", whole)
			}
		})
	}
}

func lengthen(t *testing.T, path, text string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	must(t, err)
	_, err = f.WriteString(text)
	must(t, errors.Join(err, f.Close()))
}

// What a killed process brought whole is not fetched again; the rest is.
func TestFolderGoesOn(t *testing.T) {
	from, place, inBucket, files := placed(t)
	c := &Cache{Dir: t.TempDir()}
	l, err := parseLocation(place)
	must(t, err)
	part := filepath.Join(c.Dir, "corpora", l.sum+".part")
	must(t, os.MkdirAll(part, 0o700))
	whole, err := os.ReadFile(filepath.Join(from, "posts.csv"))
	must(t, err)
	must(t, os.WriteFile(filepath.Join(part, "posts.csv"), whole, 0o600))
	must(t, os.WriteFile(filepath.Join(part, "empty.csv.fetching"), []byte("half"), 0o600))
	must(t, os.WriteFile(filepath.Join(inBucket, "posts.csv"), []byte("gone"), 0o600)) // fetching it again would fail
	to, err := c.Folder(t.Context(), place)
	must(t, err)
	sameFiles(t, from, to, files)
}

// A copy that was damaged on the disk is found by the next process and fetched again.
func TestFolderMendsADamagedCopy(t *testing.T) {
	from, place, _, files := placed(t)
	dir := t.TempDir()
	to, err := (&Cache{Dir: dir}).Folder(t.Context(), place)
	must(t, err)
	for name, spoil := range map[string]func() error{
		"a byte": func() error {
			return os.WriteFile(filepath.Join(to, "posts.csv"), bytes.Repeat([]byte("x"), 22), 0o600)
		},
		"a file":      func() error { return os.Remove(filepath.Join(to, "empty.csv")) },
		"manifest":    func() error { return os.Remove(filepath.Join(to, ManifestName)) },
		"no manifest": func() error { return os.WriteFile(filepath.Join(to, ManifestName), []byte("{}"), 0o600) },
	} {
		must(t, spoil())
		again, err := (&Cache{Dir: dir}).Folder(t.Context(), place)
		if err != nil || again != to {
			t.Fatalf("%s: %s, %v", name, again, err)
		}
		sameFiles(t, from, to, files)
	}
}

// All slots of a machine together fetch once.
func TestFolderIsFetchedOnce(t *testing.T) {
	from, place, _, files := placed(t)
	dir := t.TempDir()
	var opened atomic.Int64
	open := func(ctx context.Context, url string) (*objects.Bucket, error) {
		opened.Add(1)
		return objects.Open(ctx, url)
	}
	var slots sync.WaitGroup
	for range 8 {
		slots.Go(func() {
			c := &Cache{Dir: dir, Open: open} // as another process: nothing but the folder is shared
			for range 2 {
				to, err := c.Folder(t.Context(), place)
				if err != nil {
					t.Error(err)
					return
				}
				sameFiles(t, from, to, files)
			}
		})
	}
	slots.Wait()
	if n := opened.Load(); n != 1 {
		t.Errorf("the bucket was opened %d times, want 1", n)
	}
}

// Whoever waits for another slot's fetch can be stopped.
func TestFolderWaits(t *testing.T) {
	_, place, _, _ := placed(t)
	c := &Cache{Dir: t.TempDir()}
	l, err := parseLocation(place)
	must(t, err)
	lock := filepath.Join(c.Dir, "corpora", l.sum+".lock")
	must(t, os.MkdirAll(filepath.Dir(lock), 0o700))
	holder := flock.New(lock)
	must(t, holder.Lock())
	ctx, cancel := context.WithTimeout(t.Context(), 2*lockPoll)
	defer cancel()
	if _, err := c.Folder(ctx, place); !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, ErrUnusable) || !strings.Contains(err.Error(), "wait for another slot") {
		t.Errorf("while another holds it: %v", err)
	}
	must(t, holder.Unlock()) // as the system does for a process that is gone
	if _, err := c.Folder(t.Context(), place); err != nil {
		t.Error(err)
	}
}

func TestFullDisk(t *testing.T) {
	_, place, _, _ := placed(t)
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=4k"); err != nil {
		t.Skipf("mount a small file system: %v (needs root)", err)
	}
	defer func() { _ = syscall.Unmount(dir, 0) }()
	must(t, os.WriteFile(filepath.Join(dir, "full"), make([]byte, 4<<10), 0o600))
	_, err := (&Cache{Dir: dir}).Folder(t.Context(), place)
	if err == nil || !strings.Contains(err.Error(), "the disk that holds "+dir+" is full") {
		t.Errorf("got %v", err)
	}
}

// The same through S3, with a file of several parts.
func TestUploadAndFetchS3(t *testing.T) {
	cfg := emulator.Config(t)
	name := emulatorBucket(t, cfg)
	b, err := objects.Open(t.Context(), "s3://"+name)
	must(t, err)
	defer func() { _ = b.Close() }()
	from, files := corpus(t)
	must(t, os.WriteFile(filepath.Join(from, "model.safetensors"), bytes.Repeat([]byte("weights!"), 5<<20), 0o600))
	files = append(files, "model.safetensors")
	place, err := Upload(t.Context(), b, Backbones, from, files, nil)
	must(t, err)
	again, err := Upload(t.Context(), b, Backbones, from, files, nil)
	if d := cmp.Diff(place, again); d != "" || err != nil {
		t.Errorf("again: %s, %v", d, err)
	}
	to, err := (&Cache{Dir: t.TempDir()}).Folder(t.Context(), place)
	must(t, err)
	sameFiles(t, from, to, files)
}
