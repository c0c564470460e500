package home

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
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
	release func(ctx context.Context, slot string, cause protocol.FailureKind, exited error) error
	grace   time.Duration // from SIGTERM to SIGKILL when the run is stopped
	pause   time.Duration // before a dead process is replaced; doubles while it keeps dying
}

// maxQuickDeaths is how often in a row a slot's process may die before it has lived for
// quickDeath; beyond, something is wrong with the machine, not with a trial.
const (
	maxQuickDeaths = 5
	quickDeath     = 3 * time.Second
)

// run starts the processes and returns when all have exited 0, when ctx ends, or with
// the reason why a slot cannot live.
func (s *slots) run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var wg sync.WaitGroup
	failed := make([]error, s.count)
	for i := range s.count {
		wg.Go(func() {
			if failed[i] = s.keep(ctx, i); failed[i] != nil {
				cancel()
			}
		})
	}
	wg.Wait()
	return errors.Join(failed...)
}

// keep runs one slot's processes one after the other.
func (s *slots) keep(ctx context.Context, index int) error {
	deaths, pause := 0, s.pause
	for n := 0; ctx.Err() == nil; n++ {
		id := fmt.Sprintf("slot-%d-%s-%d", index, s.life, n)
		began := time.Now()
		exited := s.process(ctx, index, id)
		if exited == nil {
			return nil
		}
		cause := protocol.FailedCrash
		if ctx.Err() != nil {
			cause = protocol.FailedInterrupted
		}
		if err := s.release(context.WithoutCancel(ctx), id, cause, exited); err != nil {
			return fmt.Errorf("release slot %d: %w", index, err)
		}
		if ctx.Err() != nil {
			return nil
		}
		if time.Since(began) >= quickDeath {
			deaths, pause = 0, s.pause
		}
		if deaths++; deaths >= maxQuickDeaths {
			return fmt.Errorf("slot %d died %d times at once (%w); its log is %s, which ends with: %s",
				index, deaths, exited, s.logFile(index), lastLine(s.logFile(index)))
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
			pause *= 2
		}
	}
	return nil
}

// process runs one trainer to its end. Its standard input is a pipe that only this
// process holds open: when this process dies in whatever way, the trainer sees the end of
// the pipe and stops.
func (s *slots) process(ctx context.Context, index int, id string) error {
	log, err := os.OpenFile(s.logFile(index), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("open the slot's log: %w", err)
	}
	defer log.Close()
	cmd := exec.CommandContext(ctx, s.trainer)
	cmd.Env = append(append(os.Environ(), s.env...), "SUPERMAX_SLOT="+id, "SUPERMAX_DEVICE="+s.deviceOf(index), "SUPERMAX_PARENT=stdin")
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C reaches this process alone, which then stops the slots
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = s.grace
	alive, err := cmd.StdinPipe()
	if err != nil {
		return fmt.Errorf("open the trainer's standard input: %w", err)
	}
	defer alive.Close()
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", s.trainer, err)
	}
	return cmd.Wait()
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

// lastLine returns a log's last line, for the sentence that says why a slot cannot live.
func lastLine(path string) string {
	f, err := os.Open(path)
	if err != nil {
		return "nothing"
	}
	defer f.Close()
	const tail = 8 << 10
	if size, err := f.Seek(0, io.SeekEnd); err == nil {
		_, _ = f.Seek(max(0, size-tail), io.SeekStart)
	}
	last := "nothing"
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if text := strings.TrimSpace(lines.Text()); text != "" {
			last = text
		}
	}
	return last
}
