// Package mistake marks what a user can mend: a wrong file, value or folder, a full disk,
// credentials that are missing. The command then exits with status 2, and nothing is lost
// or half done.
package mistake

import (
	"errors"
	"fmt"
)

// Err is what every error of this package is.
var Err = errors.New("mistake")

// sentence is one sentence for the user.
type sentence struct{ err error }

func (s sentence) Error() string   { return s.err.Error() }
func (s sentence) Unwrap() []error { return []error{Err, s.err} }

// Errorf is [fmt.Errorf] for one sentence that says what is wrong and what is allowed.
func Errorf(format string, a ...any) error { return sentence{fmt.Errorf(format, a...)} }

// Wrap marks err, and keeps its words.
func Wrap(err error) error { return sentence{err} }
