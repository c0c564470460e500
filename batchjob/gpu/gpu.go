// Package gpu measures how busy an NVIDIA GPU is, as its driver's library (NVML) tells it.
// The library is looked for when the program runs: one that was built with this package
// also runs where there is none, also where the loader binds every symbol at once, as the
// bindings of the whole library do not.
package gpu

/*
#cgo LDFLAGS: -ldl
#include <stdlib.h>
#include "nvml.h"
*/
import "C"

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unsafe"
)

// libraryPath is how the driver names its library; the loader knows the folder.
const libraryPath = "libnvidia-ml.so.1"

// A Meter reads one GPU. It is for one goroutine.
type Meter struct {
	library *C.nvml // with the GPU
}

// Open finds the GPU that the tensor library calls by this name ("cuda:0") in a process
// whose CUDA_VISIBLE_DEVICES is visible. An error says why it cannot be measured.
func Open(device, visible string) (*Meter, error) { return open(libraryPath, device, visible) }

func open(path, device, visible string) (*Meter, error) {
	name := C.CString(path)
	defer C.free(unsafe.Pointer(name))
	m := &Meter{library: (*C.nvml)(C.calloc(1, C.sizeof_nvml))}
	if missing := C.nvml_load(m.library, name); missing != nil {
		C.free(unsafe.Pointer(m.library))
		return nil, fmt.Errorf("load NVML: %s is not there", C.GoString(missing))
	}
	if err := m.check(C.nvml_init(m.library)); err != nil {
		m.unload()
		return nil, fmt.Errorf("start NVML: %w", err)
	}
	if err := m.find(device, visible); err != nil {
		m.Close()
		return nil, fmt.Errorf("find %s with NVML: %w", device, err)
	}
	return m, nil
}

// find follows CUDA_VISIBLE_DEVICES: its entries, indices or UUIDs, are cuda:0, cuda:1, ….
func (m *Meter) find(device, visible string) error {
	index, err := strconv.ParseUint(strings.TrimPrefix(device, "cuda:"), 10, 16)
	if err != nil {
		return errors.New("it is no GPU")
	}
	if visible != "" {
		entries := strings.Split(visible, ",")
		if index >= uint64(len(entries)) {
			return fmt.Errorf("CUDA_VISIBLE_DEVICES names %d GPUs", len(entries))
		}
		entry := strings.TrimSpace(entries[index])
		if index, err = strconv.ParseUint(entry, 10, 16); err != nil {
			uuid := C.CString(entry)
			defer C.free(unsafe.Pointer(uuid))
			return m.check(C.nvml_by_uuid(m.library, uuid))
		}
	}
	return m.check(C.nvml_by_index(m.library, C.uint(index)))
}

// Utilization is the percentage of the driver's last sampling period (a sixth of a second
// to a second) in which the GPU computed.
func (m *Meter) Utilization() (float64, error) {
	var percent [2]C.uint
	if err := m.check(C.nvml_utilization(m.library, &percent[0])); err != nil {
		return 0, fmt.Errorf("read the GPU's utilization: %w", err)
	}
	return float64(percent[0]), nil
}

// Close ends the use of the library.
func (m *Meter) Close() {
	C.nvml_shutdown(m.library) // nothing depends on it
	m.unload()
}

func (m *Meter) unload() {
	C.nvml_unload(m.library)
	C.free(unsafe.Pointer(m.library))
	m.library = nil
}

// check turns a result into the library's own words.
func (m *Meter) check(code C.int) error {
	if code == 0 {
		return nil
	}
	return errors.New(C.GoString(C.nvml_error(m.library, code)))
}
