package tensor

import (
	"bytes"
	"fmt"
	"os"
	"strconv"

	"github.com/supermax-hpo/supermax/batchjob/tensor/internal/kernels"
)

// PeakMemory returns the largest resident set that this process had since the last
// [ResetPeakMemory], in bytes: what training on the CPU really needed, library and Go
// heap included.
func PeakMemory() (int64, error) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, fmt.Errorf("read peak memory: %w", err)
	}
	for line := range bytes.Lines(status) {
		value, ok := bytes.CutPrefix(line, []byte("VmHWM:"))
		if !ok {
			continue
		}
		kib, err := strconv.ParseInt(string(bytes.TrimSpace(bytes.TrimSuffix(bytes.TrimSpace(value), []byte("kB")))), 10, 64)
		if err != nil {
			return 0, fmt.Errorf("read peak memory: %w", err)
		}
		return kib << 10, nil
	}
	return 0, fmt.Errorf("read peak memory: /proc/self/status has no VmHWM")
}

// ResetPeakMemory lets [PeakMemory] start again from what is in use now: what the process keeps
// of former tensors goes back to the system first.
func ResetPeakMemory() error {
	kernels.TrimMemory()
	if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil {
		return fmt.Errorf("reset peak memory: %w", err)
	}
	return nil
}
