package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/supermax-hpo/supermax/shared/protocol"
)

// describe says what a slot computes on. The memory of a GPU is left out: the library's
// bindings do not tell it.
func describe(device string) (protocol.Device, error) {
	if device != "cpu" {
		return protocol.Device{Name: device}, nil
	}
	memory, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return protocol.Device{}, fmt.Errorf("describe the machine: %w", err)
	}
	var kib int64
	for line := range strings.Lines(string(memory)) {
		if _, err := fmt.Sscanf(line, "MemTotal: %d kB", &kib); err == nil {
			return protocol.Device{Name: device, MemoryBytes: kib << 10}, nil
		}
	}
	return protocol.Device{}, fmt.Errorf("describe the machine: /proc/meminfo has no MemTotal")
}
