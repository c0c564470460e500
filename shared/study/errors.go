package study

import (
	"errors"
	"fmt"

	"github.com/supermax-hpo/supermax/shared/protocol"
)

// What callers branch on with [errors.Is]; each comes inside an [*Error] or wrapped.
var (
	// ErrNewerSchema: a snapshot or an event was written by a newer version.
	ErrNewerSchema = errors.New("written by a newer version of supermax")
	// ErrNotDone: a stage was to be closed while it still has work.
	ErrNotDone = errors.New("the stage is not done")
	// ErrNoResult: a stage ended without a single result to hand on.
	ErrNoResult = errors.New("the stage ended without a result")
	// ErrLate: an ask came with a lower token than its slot's last.
	ErrLate = errors.New("a later request came before")
)

// An Error is a refusal: the request changed nothing. Its code is the one that
// [protocol.ErrorReply] carries.
type Error struct {
	Code    protocol.ErrorCode
	Message string // one sentence for a person
	Cause   error  // one of this package's, or nil
}

// Error returns the sentence.
func (e *Error) Error() string { return e.Message }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Cause }

func invalid(format string, args ...any) error {
	return &Error{Code: protocol.CodeInvalid, Message: fmt.Sprintf(format, args...)}
}

func notFound(format string, args ...any) error {
	return &Error{Code: protocol.CodeNotFound, Message: fmt.Sprintf(format, args...)}
}

func conflict(cause error, format string, args ...any) error {
	return &Error{Code: protocol.CodeConflict, Message: fmt.Sprintf(format, args...), Cause: cause}
}
