package cli

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/supermax-hpo/supermax/cmd/supermax/internal/trainertest"
)

// start runs the command as a process of its own.
func start(t *testing.T, mode string, args ...string) (*exec.Cmd, *bytes.Buffer) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], args...)
	cmd.Env = append(os.Environ(), asCommand+"=1", trainertest.Env+"="+mode)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd, &stderr
}

// working waits until a trial of the run is under a lease.
func working(t *testing.T, runs string) {
	t.Helper()
	for began := time.Now(); time.Since(began) < 30*time.Second; time.Sleep(20 * time.Millisecond) {
		if status, table, _ := call("trials", "small", "--runs", runs); status == exitOK && strings.Contains(table, "RUNNING") {
			return
		}
	}
	t.Fatal("no trial came to run")
}

// ended returns the exit status, and the signal that ended the process.
func ended(t *testing.T, cmd *exec.Cmd) (int, syscall.Signal) {
	t.Helper()
	err := cmd.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	state := cmd.ProcessState.Sys().(syscall.WaitStatus)
	if state.Signaled() {
		return -1, state.Signal()
	}
	return cmd.ProcessState.ExitCode(), 0
}

// Ctrl-C gives the trials back; the same command goes on.
func TestInterrupt(t *testing.T) {
	file, runs := trainertest.File(t), filepath.Join(t.TempDir(), "runs")
	args := []string{"run", file, "--runs", runs, "--trainer", os.Args[0], "--slots", "2"}
	cmd, stderr := start(t, trainertest.Slow, args...)
	working(t, runs)
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if status, _ := ended(t, cmd); status != exitInterrupted || !strings.HasSuffix(stderr.String(), "supermax: stopped; the same command goes on from here\n") {
		t.Errorf("status %d, %s", status, stderr)
	}
	if table, _ := good(t, "trials", "small", "--runs", runs); strings.Contains(table, "RUNNING") {
		t.Errorf("still running: %s", table)
	}
	t.Setenv(trainertest.Env, trainertest.Working)
	if out, _ := good(t, args...); !strings.Contains(out, "chosen: trial ") {
		t.Errorf("prints %s", out)
	}
}

// A second Ctrl-C ends the command at once, although a trainer does not stop, and that
// trainer does not outlive it.
func TestInterruptTwice(t *testing.T) {
	file, runs := trainertest.File(t), filepath.Join(t.TempDir(), "runs")
	cmd, stderr := start(t, trainertest.Stubborn, "run", file, "--runs", runs, "--trainer", os.Args[0], "--slots", "1")
	working(t, runs)
	began := time.Now()
	for cmd.ProcessState == nil { // until the second one is taken as such
		if err := cmd.Process.Signal(os.Interrupt); err != nil {
			break
		}
		time.Sleep(100 * time.Millisecond)
		if time.Since(began) > 300*time.Millisecond {
			break
		}
	}
	if status, by := ended(t, cmd); by != syscall.SIGINT || time.Since(began) > 10*time.Second {
		t.Errorf("status %d, signal %v after %s\n%s", status, by, time.Since(began), stderr)
	}
	// The run goes on at once: nothing of the former life is in the way.
	t.Setenv(trainertest.Env, trainertest.Working)
	if out, _ := good(t, "run", file, "--runs", runs, "--trainer", os.Args[0], "--slots", "2"); !strings.Contains(out, "chosen: trial ") {
		t.Errorf("prints %s", out)
	}
}

// So does a run whose process was killed.
func TestKill(t *testing.T) {
	file, runs := trainertest.File(t), filepath.Join(t.TempDir(), "runs")
	args := []string{"run", file, "--runs", runs, "--trainer", os.Args[0], "--slots", "2"}
	cmd, _ := start(t, trainertest.Slow, args...)
	working(t, runs)
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if _, by := ended(t, cmd); by != syscall.SIGKILL {
		t.Errorf("ended by %v", by)
	}
	t.Setenv(trainertest.Env, trainertest.Working)
	if out, _ := good(t, args...); !strings.Contains(out, "chosen: trial ") {
		t.Errorf("prints %s", out)
	}
}
