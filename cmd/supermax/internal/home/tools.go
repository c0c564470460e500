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

// PredictOptions say with what [Predict] answers, and how it computes.
type PredictOptions struct {
	Tool
	Study   string
	Objects string // where the study's results are: a folder's URL or a bucket's
	Models  int    // use the first so many of the chosen models; 0: all
}

// Predict answers posts (JSON Lines with id and text) with the models that the study chose,
// in a trainer process of its own. What is written to out is whole or, with an error, nothing
// but the error counts.
func Predict(ctx context.Context, o PredictOptions, posts io.Reader, out io.Writer) error {
	return o.run(ctx, "predict", []string{
		"SUPERMAX_STUDY=" + o.Study, "SUPERMAX_OBJECTS=" + o.Objects, "SUPERMAX_MODELS=" + unlessZero(o.Models),
	}, posts, out)
}

// EmbedOptions say what [Embed] computes.
type EmbedOptions struct {
	Tool
	Model     string // the backbone's folder
	Pooling   string
	Format    string
	MaxLength int // in tokens; 0: the usual one
}

// Embed writes the hidden states or vectors of texts, in a trainer process of its own. What
// is written to out counts when there is no error.
func Embed(ctx context.Context, o EmbedOptions, texts io.Reader, out io.Writer) error {
	return o.run(ctx, "embed", []string{
		"SUPERMAX_MODEL=" + o.Model, "SUPERMAX_POOLING=" + o.Pooling, "SUPERMAX_FORMAT=" + o.Format,
		"SUPERMAX_MAX_LENGTH=" + unlessZero(o.MaxLength),
	}, texts, out)
}

func unlessZero(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

// A Tool is the trainer in another mode than a slot, and what it computes on.
type Tool struct {
	Threads int    // 0: one a core
	Device  string // cpu or cuda
	Trainer string // the trainer's path; empty: where it is found
}

// run runs the tool of that name to its end.
func (t Tool) run(ctx context.Context, tool string, env []string, in io.Reader, out io.Writer) error {
	trainer, err := findTrainer(t.Trainer)
	if err != nil {
		return err
	}
	device := t.Device
	if device == "cuda" {
		device = "cuda:0"
	}
	env = append(env, "SUPERMAX_DEVICE="+device, "SUPERMAX_THREADS="+strconv.Itoa(cmp.Or(t.Threads, runtime.NumCPU())))
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
