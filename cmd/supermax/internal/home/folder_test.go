package home

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/supermax-hpo/supermax/cmd/supermax/internal/mistake"
	"github.com/supermax-hpo/supermax/shared/objects"
)

var day = time.Date(2025, 5, 1, 12, 0, 0, 0, time.UTC)

var prints = map[string]string{"corpus": "c", "backbone tiny": "b"}

// refused checks that err is one sentence for the user.
func refused(t *testing.T, err error, want ...string) {
	t.Helper()
	if !errors.Is(err, mistake.Err) {
		t.Errorf("error %v is no mistake", err)
	}
	for _, w := range append(want, "") {
		if err == nil || !strings.Contains(err.Error(), w) || strings.Contains(err.Error(), "\n") {
			t.Errorf("error %v, want one line with %q", err, w)
		}
	}
}

func begin(t *testing.T) (root string) {
	t.Helper()
	root = filepath.Join(t.TempDir(), "runs")
	f, err := LockFolder(root, "s", prints, day)
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	return root
}

func TestLockFolder(t *testing.T) {
	root := begin(t)
	before, err := os.ReadFile(filepath.Join(root, "s", "run.json"))
	if err != nil {
		t.Fatal(err)
	}
	f, err := LockFolder(root, "s", prints, day.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	if after, err := os.ReadFile(f.info()); err != nil || string(after) != string(before) {
		t.Errorf("run.json became %s, %v", after, err)
	}
	_, err = LockFolder(root, "s", prints, day) // flock knows open files, not processes
	refused(t, err, "is in use by another supermax")
	f.Close()
	if f, err = LockFolder(root, "s", prints, day); err != nil {
		t.Fatal(err)
	}
	f.Close()
	if f, err = OpenFolder(root, "s"); err != nil {
		t.Fatal(err)
	}
	f.Close() // holds no lock
	if f.Name() != "s" || f.Log() != filepath.Join(root, "s", "logs", "supermax.log") || f.Metrics() != filepath.Join(root, "s", "objects", "metrics") {
		t.Errorf("name %s, log %s, metrics %s", f.Name(), f.Log(), f.Metrics())
	}
}

func TestFolderRefused(t *testing.T) {
	for name, tt := range map[string]struct {
		json   string
		prints map[string]string
		want   []string
	}{
		"other corpus":   {"", map[string]string{"corpus": "d", "backbone tiny": "b"}, []string{"another content of the corpus", "another name"}},
		"other backbone": {"", map[string]string{"corpus": "c", "backbone tiny": "x"}, []string{"another content of the backbone tiny"}},
		"new backbone":   {"", map[string]string{"backbone big": "x"}, []string{"another content of the backbone big"}},
		"newer":          {`{"schema_version": 3, "study": "s", "fingerprints": []}`, nil, []string{"run.json has schema version 3", "up to 2", "use a newer supermax"}},
		"older":          {`{"schema_version": 1, "study": "s"}`, nil, []string{"run.json has schema version 1", "an older supermax", "another name"}},
		"corrupt":        {`{"schema`, nil, []string{"run.json is not a run folder's description", "unexpected end"}},
		"empty":          {``, nil, []string{"run.json is not a run folder's description"}},
		"another thing":  {`{"name": "x"}`, nil, []string{"has no schema_version"}},
		"another study":  {`{"schema_version": 2, "study": "t"}`, nil, []string{`is of study "t"`}},
	} {
		t.Run(name, func(t *testing.T) {
			root := begin(t)
			path := filepath.Join(root, "s", "run.json")
			if tt.prints == nil {
				if err := os.WriteFile(path, []byte(tt.json), 0o600); err != nil {
					t.Fatal(err)
				}
				tt.prints = prints
				_, err := OpenFolder(root, "s")
				refused(t, err, tt.want...)
			}
			before, _ := os.ReadFile(path)
			_, err := LockFolder(root, "s", tt.prints, day)
			refused(t, err, tt.want...)
			if after, err := os.ReadFile(path); err != nil || string(after) != string(before) {
				t.Errorf("run.json became %s, %v", after, err)
			}
		})
	}
}

func TestOpenFolderRefused(t *testing.T) {
	root := t.TempDir()
	_, err := OpenFolder(root, "s")
	refused(t, err, `no run of study "s" below `+root)
	for _, name := range []string{"", "..", "../s", "a/b", "/etc"} {
		_, err := OpenFolder(root, name)
		refused(t, err, "study name")
	}
	if err := os.WriteFile(filepath.Join(root, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenFolder(filepath.Join(root, "file"), "s"); !errors.Is(err, syscall.ENOTDIR) {
		t.Errorf("error %v", err)
	}
	if _, err := LockFolder(filepath.Join(root, "file"), "s", prints, day); !errors.Is(err, syscall.ENOTDIR) {
		t.Errorf("error %v", err)
	}
	// The lock's place is taken.
	if err := os.MkdirAll(filepath.Join(root, "s", ".lock"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := LockFolder(root, "s", prints, day); err == nil || !strings.HasPrefix(err.Error(), "lock ") {
		t.Errorf("error %v", err)
	}
}

// Looking at a run that has not begun says so and makes nothing.
func TestLookAtNothing(t *testing.T) {
	root := begin(t)
	f, err := OpenFolder(root, "s")
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.State(t.Context())
	refused(t, err, "study s has no state yet", "supermax run")
	if _, err := os.Stat(f.db()); err == nil {
		t.Error("looking made study.db")
	}
	if rows, err := f.Rows(t.Context()); err != nil || len(rows) != 0 {
		t.Errorf("rows %v, %v", rows, err)
	}
	for _, what := range []string{"best", "top", "pareto", "candidates"} {
		_, err := f.Export(t.Context(), what, "yaml")
		refused(t, err, "study s has no "+what+" yet")
	}
	refused(t, f.CopyBest(t.Context()), "has no best yet")
	_, err = f.Export(t.Context(), "worst", "yaml")
	refused(t, err, `"worst" cannot be exported`, "candidates")
	if err := os.WriteFile(f.db(), nil, 0o600); err != nil { // its maker was killed
		t.Fatal(err)
	}
	_, err = f.State(t.Context())
	refused(t, err, "study s has no state yet")
	if err := os.WriteFile(f.db(), []byte(strings.Repeat("x", 4096)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err = f.State(t.Context()); err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("error %v", err)
	}
	if err := os.RemoveAll(f.Objects()); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Rows(t.Context()); err == nil {
		t.Error("rows of no folder")
	}
	if _, err := f.Export(t.Context(), "best", "yaml"); err == nil || errors.Is(err, objects.ErrNotFound) {
		t.Errorf("error %v", err)
	}
}

func TestWriteWhole(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a")
	for _, text := range []string{"one", "two"} {
		if err := WriteWhole(path, []byte(text)); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(path); err != nil || string(got) != text {
			t.Errorf("got %s, %v", got, err)
		}
	}
	if err := WriteWhole(filepath.Join(dir, "none", "a"), nil); !errors.Is(err, os.ErrNotExist) || err.Error() != "write "+dir+"/none/a: no such file or directory" {
		t.Errorf("error %v", err)
	}
	if err := os.Mkdir(filepath.Join(dir, "b"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := WriteWhole(filepath.Join(dir, "b"), nil); !errors.Is(err, os.ErrExist) {
		t.Errorf("error %v", err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 2 {
		t.Errorf("left behind %v, %v", entries, err)
	}
}

// small mounts a small file system, so that a disk is full soon.
func small(t *testing.T, size string) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size="+size); err != nil {
		t.Skipf("mount a small file system: %v (needs root)", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	return dir
}

// fill takes all space but so many bytes.
func fill(t *testing.T, dir string, free int) {
	t.Helper()
	f, err := os.Create(filepath.Join(dir, "filler"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	size := int64(0)
	for {
		n, err := f.Write(make([]byte, 4096))
		size += int64(n)
		if err != nil {
			break
		}
	}
	if err := f.Truncate(max(0, size-int64(free))); err != nil {
		t.Fatal(err)
	}
}

func TestWriteWholeDiskFull(t *testing.T) {
	dir := small(t, "64k")
	fill(t, dir, 8<<10)
	refused(t, WriteWhole(filepath.Join(dir, "a"), make([]byte, 32<<10)), "write "+dir+"/a: no space left on device; free some disk space")
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Errorf("left behind %v, %v", entries, err)
	}
	fill(t, dir, 0)
	_, err = LockFolder(filepath.Join(dir, "runs"), "s", prints, day)
	refused(t, err, "no space left on device; free some disk space")
}

func TestDiskError(t *testing.T) {
	err := diskError("write x", fmt.Errorf("a: %w", syscall.EDQUOT))
	refused(t, err, "write x: a: disk quota exceeded; free some disk space and start again, nothing is lost")
	if again := explain(fmt.Errorf("more: %w", err)); strings.Count(again.Error(), "free some disk space") != 1 {
		t.Errorf("explained twice: %v", again)
	}
	if err := diskError("write x", os.ErrPermission); errors.Is(err, mistake.Err) || explain(nil) != nil {
		t.Errorf("error %v", err)
	}
}
