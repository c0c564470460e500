package mapped

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"unsafe"
)

func TestOpen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "weights")
	content := bytes.Repeat([]byte("0123456789abcdef"), 4096) // 64 KiB
	if err := os.WriteFile(path, content, 0o400); err != nil {
		t.Fatal(err)
	}
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	data := f.Bytes()
	if !bytes.Equal(data, content) {
		t.Error("the mapping is not the file")
	}
	other := []byte("elsewhere")
	if !f.Holds(unsafe.Pointer(&data[len(data)-1])) || f.Holds(unsafe.Pointer(&other[0])) {
		t.Error("Holds does not know its own bytes")
	}
	data[0], data[5] = 'x', 'y'
	if again, err := os.ReadFile(path); err != nil || !bytes.Equal(again, content) {
		t.Errorf("writing to the mapping changed the file, %v", err)
	}
	if err := f.Release(-1, len(data)+9); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(data, content) {
		t.Error("released pages do not come back from the file")
	}
	if err := f.Release(1, 100); err != nil { // less than a page
		t.Fatal(err)
	}
	for range 2 {
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if f.Holds(unsafe.Pointer(&other[0])) {
		t.Error("a closed mapping holds something")
	}
}

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	pipe := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	empty := filepath.Join(dir, "empty")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{dir, pipe, filepath.Join(dir, "none")} {
		if f, err := Open(path); err == nil {
			t.Errorf("%s was mapped to %d bytes", path, len(f.Bytes()))
		}
	}
	f, err := Open(empty)
	if err != nil || len(f.Bytes()) != 0 {
		t.Errorf("an empty file: %v", err)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
}

// Released pages no longer count as the process's.
func TestReleaseFreesMemory(t *testing.T) {
	const size = 64 << 20
	path := filepath.Join(t.TempDir(), "large")
	if err := os.WriteFile(path, make([]byte, size), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	before := residentFile(t)
	sum := 0
	for i := 0; i < size; i += 4096 {
		sum += int(f.Bytes()[i])
	}
	touched := residentFile(t)
	if err := f.Release(0, size); err != nil {
		t.Fatal(err)
	}
	after := residentFile(t)
	if sum != 0 || touched-before < size/2 || after-before > size/10 {
		t.Errorf("%d bytes of files in memory, %d when touched, %d when released", before, touched, after)
	}
}

// residentFile is how many bytes of files the process has in memory.
func residentFile(t *testing.T) int {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Skip("no /proc here")
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "RssFile:"); ok {
			kib, err := strconv.Atoi(strings.Fields(rest)[0])
			if err != nil {
				t.Fatal(err)
			}
			return kib << 10
		}
	}
	t.Fatal("no RssFile")
	return 0
}
