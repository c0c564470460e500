package objects

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// On a full disk a write fails in one sentence, keeps what was there and leaves nothing.
func TestDiskFull(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=64k"); err != nil {
		t.Skipf("mount a small file system: %v (needs root)", err)
	}
	defer func() { _ = syscall.Unmount(dir, 0) }()
	b, err := Open(t.Context(), FileURL(dir))
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Write(t.Context(), "a", []byte("old")); err != nil {
		t.Fatal(err)
	}
	err = b.Write(t.Context(), "a", make([]byte, 100<<10))
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("Write on a full disk = %v, want ENOSPC", err)
	}
	want := "write object a: the disk that holds " + dir + " is full: no space left on device"
	if !strings.HasPrefix(err.Error(), want) || strings.ContainsRune(err.Error(), '\n') {
		t.Errorf("Write on a full disk says %q, want %q", err, want)
	}
	if got, err := b.Read(t.Context(), "a"); string(got) != "old" || err != nil {
		t.Errorf("after the failed write a = %q, %v", got, err)
	}
	if files, _ := filepath.Glob(filepath.Join(dir, "*")); len(files) != 1 {
		t.Errorf("the failed write left %v", files)
	}
}

func TestDiskFullSentence(t *testing.T) {
	b := &Bucket{dir: "/runs/s/objects"}
	err := b.failed(t.Context(), "write", "k", &os.PathError{Op: "write", Path: "/x", Err: syscall.EDQUOT})
	if want := "write object k: the disk that holds /runs/s/objects is full"; !strings.HasPrefix(err.Error(), want) {
		t.Errorf("a full quota says %q, want %q…", err, want)
	}
}
