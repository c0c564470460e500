// Package store says how a study's events are kept: one ordered log a study, appended to
// on condition. The adapters below it (sqlite, later DynamoDB) do nothing else, and
// package storetest holds what each of them must do.
package store

import (
	"context"
	"errors"
	"fmt"
	"regexp"
)

// What callers of a [Log] branch on.
var (
	// ErrNotFound says that the log holds no such study.
	ErrNotFound = errors.New("no such study")
	// ErrConflict says that another writer was first, or that the caller's position is of
	// another log: load again and decide anew.
	ErrConflict = errors.New("the study changed meanwhile")
	// ErrNewerSchema says that a newer supermax wrote the log.
	ErrNewerSchema = errors.New("written by a newer supermax")
)

// A Log keeps the events of studies. A study's events have the sequence numbers 1, 2, 3 …
// without gaps; what an event means is the caller's. Every method is safe to call from
// many goroutines and processes at once, and names a study by what [CheckStudy] allows.
type Log interface {
	// Load returns what a caller that knows the events up to have (0: none) still needs.
	// Errors: ErrNotFound; ErrConflict when have lies beyond the last event.
	Load(ctx context.Context, study string, have int64) (Records, error)
	// Append adds events directly after the sequence number after, all or none; 0 creates
	// the study. Errors: ErrNotFound; ErrConflict when the last number is not after.
	// After any other error the events may or may not be there: load to see.
	Append(ctx context.Context, study string, after int64, events [][]byte) error
	// Compact replaces the events up to seq by a snapshot that means the same. It does
	// nothing when a snapshot of seq or later is already there.
	// Errors: ErrNotFound; ErrConflict when seq lies beyond the last event.
	Compact(ctx context.Context, study string, seq int64, snapshot []byte) error
	// Studies returns the names of all studies, sorted.
	Studies(ctx context.Context) ([]string, error)
}

// Records are what [Log.Load] found. Whoever restores Snapshot (if there is one) and
// applies Events in order stands at Seq. The other fields stay empty but for a [Mailbox].
type Records struct {
	Snapshot    []byte   // nil when the events alone lead on from what the caller has
	SnapshotSeq int64    // the last event that Snapshot holds; 0 without one
	Events      [][]byte // the events after max(SnapshotSeq, have), up to Seq
	Seq         int64    // the study's last sequence number

	Requests    []Request // that lie in the mailbox, some of them answered already
	Answers     []Answer  // that stand in the log after AnswersFrom, up to Seq
	AnswersFrom int64     // have, or more when the log's older part is gone
}

var studyName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// CheckStudy returns an error unless name may name a study: 1 to 64 letters, digits, ".",
// "_" and "-", the first a letter or a digit. Such a name is safe in file names, object
// keys and URLs.
func CheckStudy(name string) error {
	if !studyName.MatchString(name) {
		return fmt.Errorf(`study name %.80q is not 1 to 64 letters, digits, ".", "_" and "-" that start with a letter or digit`, name)
	}
	return nil
}

// CheckAppend returns an error unless the arguments of an [Log.Append] make sense.
func CheckAppend(study string, after int64, events [][]byte) error {
	if err := CheckStudy(study); err != nil {
		return err
	}
	if after < 0 {
		return fmt.Errorf("append to study %s: sequence number %d is negative", study, after)
	}
	if len(events) == 0 {
		return fmt.Errorf("append to study %s: no events", study)
	}
	return nil
}
