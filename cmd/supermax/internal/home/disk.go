package home

import (
	"context"
	"errors"
	"strings"
	"syscall"

	"modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"

	"github.com/supermax-hpo/supermax/cmd/supermax/internal/mistake"
	"github.com/supermax-hpo/supermax/shared/config"
	"github.com/supermax-hpo/supermax/shared/results"
	"github.com/supermax-hpo/supermax/shared/store"
	"github.com/supermax-hpo/supermax/shared/study"
)

// diskFull reports whether err says, in whatever package's words, that no space is left.
func diskFull(err error) bool {
	var e *sqlite.Error
	if errors.As(err, &e) {
		// The second: its shared memory, a file beside the store, could not grow.
		return e.Code()&0xff == lib.SQLITE_FULL || e.Code() == lib.SQLITE_IOERR_SHMSIZE
	}
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}

// saysDiskFull is [diskFull] for the words of another process.
func saysDiskFull(words string) bool {
	return strings.Contains(words, syscall.ENOSPC.Error()) || strings.Contains(words, syscall.EDQUOT.Error())
}

// explain marks what a person can mend as an [mistake.Err], with a word on how: a full disk,
// files that a newer supermax wrote.
func explain(err error) error {
	switch {
	case err == nil, errors.Is(err, mistake.Err):
		return err
	case diskFull(err):
		return mistake.Errorf("%w; free some disk space and start again, nothing is lost", err)
	}
	for _, newer := range []error{store.ErrNewerSchema, study.ErrNewerSchema, config.ErrNewerSchema, results.ErrNewerSchema} {
		if errors.Is(err, newer) {
			return mistake.Errorf("%w: use a newer supermax", err)
		}
	}
	return err
}

// watchedLog tells of a disk that is full when events are written. The trainers' calls
// would otherwise be repeated, unseen, until somebody frees space.
type watchedLog struct {
	store.Log
	full func(error)
}

// Append is [store.Log.Append].
func (w *watchedLog) Append(ctx context.Context, study string, after int64, events [][]byte) error {
	err := w.Log.Append(ctx, study, after, events)
	if diskFull(err) {
		w.full(err)
	}
	return err
}
