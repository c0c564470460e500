package home

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/supermax-hpo/supermax/cmd/supermax/internal/mistake"
	"github.com/supermax-hpo/supermax/shared/pause"
)

// lockFile is what the process that runs the study holds a lock on, and has its number in.
func (f *Folder) lockFile() string { return filepath.Join(f.Dir, ".lock") }

// sign writes this process's number into the lock's file, which it holds.
func (f *Folder) sign() error {
	if err := os.WriteFile(f.lockFile(), []byte(strconv.Itoa(os.Getpid())+"\n"), 0o600); err != nil {
		return diskError("sign "+f.lockFile(), err)
	}
	return nil
}

// Holder returns the process that runs the study, or 0. It takes no lock, so that a run
// may start at the same time. A number that an ended process left behind is not believed:
// the process must have the lock's file open.
func (f *Folder) Holder() (pid int, err error) {
	text, err := os.ReadFile(f.lockFile())
	if os.IsNotExist(err) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("look who runs the study: %w", err)
	}
	pid, _ = strconv.Atoi(strings.TrimSpace(string(text)))
	if pid <= 0 {
		return 0, nil // just locked and not signed yet, or by a supermax that did not sign
	}
	mine, err := os.Stat(f.lockFile())
	if err != nil {
		return 0, fmt.Errorf("look who runs the study: %w", err)
	}
	open, err := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
	if err != nil {
		return 0, fmt.Errorf("look who runs the study: %w", err)
	}
	for _, name := range open {
		if theirs, err := os.Stat(name); err == nil && os.SameFile(mine, theirs) {
			return pid, nil
		}
	}
	return 0, nil
}

// Stop has the process that runs the study end in good order, as Ctrl-C does, and waits
// for it. A study that nobody runs is a mistake.
func (f *Folder) Stop(ctx context.Context) (pid int, err error) {
	pid, err = f.Holder()
	if err != nil {
		return 0, err
	}
	if pid == 0 {
		return 0, mistake.Errorf("study %s is not under way here: there is nothing to stop", f.Name())
	}
	if err := syscall.Kill(pid, syscall.SIGTERM); err != nil {
		return pid, fmt.Errorf("stop process %d: %w", pid, err)
	}
	for {
		if now, err := f.Holder(); err != nil || now != pid {
			return pid, err
		}
		if err := pause.For(ctx, 50*time.Millisecond); err != nil {
			return pid, err
		}
	}
}

// Remove deletes the run folder with everything in it. It is refused while a process runs
// the study.
func (f *Folder) Remove() error {
	lock, err := takeLock(f.lockFile())
	if err != nil {
		return err
	}
	if lock == nil {
		return mistake.Errorf("%s is in use by another supermax: stop it first", f.Dir)
	}
	defer func() { _ = lock.Unlock() }() // the file goes first
	if err := os.RemoveAll(f.Dir); err != nil {
		return fmt.Errorf("remove %s: %w", f.Dir, err)
	}
	return nil
}
