package home

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/supermax-hpo/supermax/shared/protocol"
)

// slots keeps a fixed number of trainer processes at work on one stage. A process that
// exits 0 has been told that the stage has no more work; one that dies is released, so
// that its trial goes back to the queue at once, and replaced.
type slots struct {
	trainer string   // the trainer's path
	env     []string // what every trainer gets beside SUPERMAX_SLOT
	logs    string   // the folder of the logs, one file a slot
	life    string   // unlike that of any other run of this command
	count   int
	device  string // cpu, or cuda: slot i computes on cuda:i
	// release gives back what the slot of that name held.
	release func(ctx context.Context, slot string, cause protocol.FailureKind, exited error) error
	// progress changes whenever a trial gets on: it reports, or fails for good.
	progress func(ctx context.Context) (int, error)
	grace    time.Duration // from SIGTERM to SIGKILL when the run is stopped
	pause    time.Duration // before a dead process is replaced; doubles while it keeps dying

	tally tally
}

// maxQuickDeaths is how often in a row a slot's process may die before it has lived for
// quickDeath, and without progress of the study; beyond, something is wrong with the
// machine, not with a trial.
const (
	maxQuickDeaths = 5
	quickDeath     = 3 * time.Second
)

// maxDeaths is how often the processes of all slots together may die without progress of
// the study. A trial that kills its trainer fails after four deaths, which is progress,
// and no more such trials are in play than there are slots.
func (s *slots) maxDeaths() int { return 4*s.count + 1 }

// run starts the processes and returns when all have exited 0, when ctx ends, or with
// the reason why a slot cannot live.
func (s *slots) run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var wg sync.WaitGroup
	var once sync.Once
	var failed error // the first: those after it may be its consequences
	for i := range s.count {
		wg.Go(func() {
			if err := s.keep(ctx, i); err != nil {
				once.Do(func() { failed = err })
				cancel()
			}
		})
	}
	wg.Wait()
	return failed
}

// keep runs one slot's processes one after the other.
func (s *slots) keep(ctx context.Context, index int) error {
	quick, pause := 0, s.pause
	for n := 0; ctx.Err() == nil; n++ {
		id := fmt.Sprintf("slot-%d-%s-%d", index, s.life, n)
		began := time.Now()
		dead := s.process(ctx, index, id)
		if dead == nil {
			return nil
		}
		final := dead.final(index)
		cause := protocol.FailedCrash
		if ctx.Err() != nil || final != nil { // not the trial's fault
			cause = protocol.FailedInterrupted
		}
		if err := s.release(context.WithoutCancel(ctx), id, cause, dead.exited); err != nil {
			return errors.Join(final, fmt.Errorf("release slot %d: %w", index, err))
		}
		if ctx.Err() != nil || final != nil {
			return final
		}
		progress, err := s.progress(ctx)
		if err != nil {
			return fmt.Errorf("look at the study's progress: %w", err)
		}
		deaths, moved := s.tally.count(progress)
		if moved || time.Since(began) >= quickDeath {
			quick, pause = 0, s.pause
		}
		if quick++; quick >= maxQuickDeaths {
			return fmt.Errorf("slot %d died %d times at once (%w); its log is %s, which ends with: %s",
				index, quick, dead.exited, s.logFile(index), dead.words)
		}
		if deaths >= s.maxDeaths() {
			return fmt.Errorf("the slots died %d times and no trial got on (%w); the last log is %s, which ends with: %s",
				deaths, dead.exited, s.logFile(index), dead.words)
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
			pause *= 2
		}
	}
	return nil
}

// process runs one trainer to its end; nil means that it was told that there is no more
// work. Its standard input is a pipe that only this process holds open: when this process
// dies in whatever way, the trainer sees the end of the pipe and stops.
func (s *slots) process(ctx context.Context, index int, id string) *death {
	log, err := os.OpenFile(s.logFile(index), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return &death{exited: err, words: err.Error()}
	}
	defer log.Close()
	var from int64
	if info, err := log.Stat(); err == nil {
		from = info.Size()
	}
	cmd := exec.CommandContext(ctx, s.trainer)
	cmd.Env = append(append(os.Environ(), s.env...), "SUPERMAX_SLOT="+id, "SUPERMAX_DEVICE="+s.deviceOf(index), "SUPERMAX_PARENT=stdin")
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C reaches this process alone, which then stops the slots
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = s.grace
	alive, err := cmd.StdinPipe()
	if err != nil {
		return &death{exited: err, words: err.Error()}
	}
	defer alive.Close()
	if err := cmd.Start(); err != nil {
		return &death{exited: err, words: err.Error()}
	}
	if err := cmd.Wait(); err != nil {
		d := lastWords(s.logFile(index), from, err)
		return &d
	}
	return nil
}

func (s *slots) deviceOf(index int) string {
	if s.device == "cuda" {
		return fmt.Sprintf("cuda:%d", index)
	}
	return s.device
}

func (s *slots) logFile(index int) string {
	return filepath.Join(s.logs, fmt.Sprintf("slot-%d.log", index))
}
