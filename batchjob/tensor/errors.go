package tensor

import (
	"errors"
	"fmt"
	"strings"
)

// ErrOutOfMemory is in the chain of every error that says that the device's memory does
// not suffice.
var ErrOutOfMemory = errors.New("out of memory")

// An OpError is an operation that the tensor library refused: shapes that do not fit, an
// index out of range, no memory.
type OpError struct {
	Op      string // the operation, as the field calls it
	Message string // the library's message, its first line
	memory  bool
}

// Error names the operation and the library's reason.
func (e *OpError) Error() string { return fmt.Sprintf("%s: %s", e.Op, e.Message) }

// Unwrap lets errors.Is find [ErrOutOfMemory].
func (e *OpError) Unwrap() error {
	if e.memory {
		return ErrOutOfMemory
	}
	return nil
}

// newOpError cuts the library's message, which carries a C++ stack trace, at its first
// line.
func newOpError(op, message string, memory bool) *OpError {
	line, _, _ := strings.Cut(strings.TrimSpace(message), "\n")
	if line == "" {
		line = "failed without a message"
	}
	for _, sign := range []string{"can't allocate memory", "out of memory", "bad_alloc"} {
		memory = memory || strings.Contains(line, sign)
	}
	return &OpError{Op: op, Message: line, memory: memory}
}

// A DeviceError is a device that cannot be used here.
type DeviceError struct{ Device, Reason string }

// Error names the device and the reason.
func (e *DeviceError) Error() string { return fmt.Sprintf("device %q: %s", e.Device, e.Reason) }
