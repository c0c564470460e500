// Package mapped maps files into memory, so that a checkpoint's numbers are used where they
// lie: the system reads a page when it is first touched, and processes that map the same
// file share its pages.
package mapped

import (
	"fmt"
	"math"
	"os"
	"syscall"
	"unsafe"
)

// A File is a mapped file. Writing to its bytes changes this process's copy alone. The file
// must not be cut short while it is mapped: touching a byte that is gone kills the process.
// Its methods may be called from many goroutines at once, but for Close.
type File struct {
	data []byte
}

// Open maps the regular file at path.
func Open(path string) (*File, error) {
	info, err := os.Stat(path) // first: opening a pipe would wait
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a regular file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // a mapping outlives its file's descriptor
	if info, err = f.Stat(); err != nil {
		return nil, err
	}
	switch size := info.Size(); {
	case size == 0:
		return &File{}, nil
	case size > math.MaxInt:
		return nil, fmt.Errorf("%s has %d bytes, more than this machine can address", path, size)
	}
	// Private and writable: a caller may change what it loaded as it may change any slice.
	data, err := syscall.Mmap(int(f.Fd()), 0, int(info.Size()), syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_PRIVATE)
	if err != nil {
		return nil, fmt.Errorf("map %s into memory: %w", path, err)
	}
	return &File{data: data}, nil
}

// Bytes returns the whole file. It is valid until Close.
func (f *File) Bytes() []byte { return f.data }

// Holds reports whether the slice at p lies in the mapping.
func (f *File) Holds(p unsafe.Pointer) bool {
	if len(f.data) == 0 {
		return false
	}
	from := uintptr(unsafe.Pointer(unsafe.SliceData(f.data)))
	return uintptr(p) >= from && uintptr(p) < from+uintptr(len(f.data))
}

// Release takes the pages that lie wholly between the bytes from and to out of the process's
// memory. What is read there later comes from the file again, and what was written there is
// lost.
func (f *File) Release(from, to int) error {
	page := os.Getpagesize()
	from = (max(from, 0) + page - 1) / page * page
	if to = min(to, len(f.data)); to < len(f.data) {
		to = to / page * page // the file's last page is all ours
	}
	if from >= to {
		return nil
	}
	return syscall.Madvise(f.data[from:to], syscall.MADV_DONTNEED)
}

// Close unmaps the file: no slice of Bytes may be touched any more. It may be called twice.
func (f *File) Close() error {
	if f.data == nil {
		return nil
	}
	data := f.data
	f.data = nil
	return syscall.Munmap(data)
}
