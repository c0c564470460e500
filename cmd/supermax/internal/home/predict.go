package home

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"syscall"
	"time"

	"github.com/supermax-hpo/supermax/cmd/supermax/internal/mistake"
)

// PredictOptions say how [Folder.Predict] computes.
type PredictOptions struct {
	Models  int    // use the first so many of the chosen models; 0: all
	Threads int    // 0: one a core
	Device  string // cpu or cuda
	Trainer string // the trainer's path; empty: where it is found
}

// Predict answers posts (JSON Lines with id and text) with the models that the study chose,
// in a trainer process of its own. What is written to out is whole or, with an error, nothing
// but the error counts.
func (f *Folder) Predict(ctx context.Context, o PredictOptions, posts io.Reader, out io.Writer) error {
	trainer, err := findTrainer(o.Trainer)
	if err != nil {
		return err
	}
	device := o.Device
	if device == "cuda" {
		device = "cuda:0"
	}
	env := []string{
		"SUPERMAX_STUDY=" + f.Name(), "SUPERMAX_OBJECTS=" + f.url(), "SUPERMAX_DEVICE=" + device,
		"SUPERMAX_THREADS=" + strconv.Itoa(cmp.Or(o.Threads, runtime.NumCPU())), "SUPERMAX_MODELS=",
	}
	if o.Models > 0 {
		env[len(env)-1] += strconv.Itoa(o.Models)
	}
	return useTool(ctx, trainer, "predict", env, posts, out)
}

// useTool runs the trainer as one of its tools.
func useTool(ctx context.Context, trainer, tool string, env []string, in io.Reader, out io.Writer) error {
	log, err := os.CreateTemp("", "supermax-"+tool+"-*.log")
	if err != nil {
		return fmt.Errorf("keep the log of supermax %s: %w", tool, err)
	}
	defer os.Remove(log.Name())
	defer log.Close()
	cmd := exec.CommandContext(ctx, trainer, tool)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = in, out, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C reaches this process alone
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 5 * time.Second
	err = cmd.Run()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err == nil {
		return nil
	}
	d := lastWords(log.Name(), 0, err)
	if d.final(0) != nil {
		return mistake.Errorf("%s", d.words)
	}
	return fmt.Errorf("the trainer ended with %w, and with: %s", err, bytes.TrimSpace([]byte(d.words)))
}
