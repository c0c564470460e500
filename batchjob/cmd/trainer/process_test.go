package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/supermax-hpo/supermax/shared/protocol"
)

// asTrainer makes the test's own binary run as the trainer.
const asTrainer = "SUPERMAX_TEST_AS_TRAINER"

func TestMain(m *testing.M) {
	if os.Getenv(asTrainer) != "" {
		main()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// command starts the trainer as a process of its own with an open standard input.
func (h *home) command(t *testing.T) (*exec.Cmd, *bytes.Buffer) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), asTrainer+"=1")
	for name, value := range h.env {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	var log bytes.Buffer
	cmd.Stderr = &log
	stdin, err := cmd.StdinPipe()
	check(t, err)
	t.Cleanup(func() { _ = stdin.Close() })
	return cmd, &log
}

// On SIGTERM amid training the trial is given back as interrupted and the status is 0.
func TestSIGTERM(t *testing.T) {
	h := newHome(t)
	fold := 0
	h.asks = []protocol.AskReply{{SchemaVersion: protocol.Version, Kind: protocol.AskWork, Work: &protocol.Work{
		Trial: 1, ToEpoch: 10000, Params: params(), Seeds: []int64{1}, Fold: &fold, Checkpoint: "checkpoints/", HeartbeatEverySeconds: 0.2,
	}}}
	h.lengthen(t, 10000)
	cmd, log := h.command(t)
	h.beat = func() { _ = cmd.Process.Signal(syscall.SIGTERM) }
	if err := cmd.Run(); err != nil {
		t.Fatalf("ended with %v\n%s", err, log)
	}
	if len(h.tells) != 1 || h.tells[0].Outcome.Failed == nil || h.tells[0].Outcome.Failed.Kind != protocol.FailedInterrupted {
		t.Errorf("told %+v, want interrupted\n%s", h.tells, log)
	}
}

// With an argument the process is a tool.
func TestToolProcess(t *testing.T) {
	h := newHome(t)
	cmd, log := h.command(t)
	cmd.Args = append(cmd.Args, "serve")
	var exit *exec.ExitError
	if err := cmd.Run(); !errors.As(err, &exit) || exit.ExitCode() != 2 || !strings.Contains(log.String(), "allowed: none, predict or embed") {
		t.Errorf("ended with %v\n%s", err, log)
	}
}

func TestExitStatus(t *testing.T) {
	for name, tt := range map[string]struct {
		edit func(h *home)
		want int
	}{
		"told wrong": {func(h *home) { h.env["SUPERMAX_THREADS"] = "many" }, 2},
		"refused":    {func(h *home) { h.env["SUPERMAX_TOKEN"] = "wrong" }, 1},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHome(t)
			tt.edit(h)
			cmd, log := h.command(t)
			var exit *exec.ExitError
			if err := cmd.Run(); !errors.As(err, &exit) || exit.ExitCode() != tt.want {
				t.Errorf("ended with %v, want status %d", err, tt.want)
			}
			if !strings.Contains(log.String(), `"msg":"trainer ends"`) {
				t.Errorf("the log does not say why: %s", log)
			}
		})
	}
}
