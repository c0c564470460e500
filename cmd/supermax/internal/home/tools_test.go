package home

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/supermax-hpo/supermax/cmd/supermax/internal/mistake"
)

// shell is a trainer that does what its lines say.
func shell(t *testing.T, lines string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "trainer")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+lines), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

// The tools get what they are told in their environment, and the texts at standard input.
func TestTools(t *testing.T) {
	echo := shell(t, `echo "$1 $SUPERMAX_STUDY$SUPERMAX_MODEL $SUPERMAX_DEVICE $SUPERMAX_THREADS $SUPERMAX_MODELS$SUPERMAX_MAX_LENGTH"; cat`)
	var out strings.Builder
	p := PredictOptions{Tool: Tool{Device: "cuda", Trainer: echo, Threads: 2}, Study: "small"}
	if err := Predict(t.Context(), p, strings.NewReader("x"), &out); err != nil || out.String() != "predict small cuda:0 2 \nx" {
		t.Errorf("%q, %v", out.String(), err)
	}
	out.Reset()
	e := EmbedOptions{Tool: Tool{Device: "cpu", Trainer: echo, Threads: 1}, Model: "dir", MaxLength: 7}
	if err := Embed(t.Context(), e, strings.NewReader("y"), &out); err != nil || out.String() != "embed dir cpu 1 7\ny" {
		t.Errorf("%q, %v", out.String(), err)
	}
}

// A tool's own last sentence is the user's to mend; whatever else ends it is not. No log stays.
func TestToolsFail(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	use := func(ctx context.Context, lines string) error {
		e := EmbedOptions{Tool: Tool{Device: "cpu", Trainer: shell(t, lines)}}
		return Embed(ctx, e, strings.NewReader(""), new(strings.Builder))
	}
	err := use(t.Context(), `echo '{"msg":"trainer ends","error":"line 3 is wrong"}' >&2; exit 2`)
	if !errors.Is(err, mistake.Err) || err.Error() != "line 3 is wrong" {
		t.Errorf("told wrong: %v", err)
	}
	for lines, want := range map[string]string{
		`echo "panic: a fault" >&2; exit 2`:                                 "panic: a fault",
		`echo '{"msg":"trainer ends","error":"out of memory"}' >&2; exit 1`: "out of memory",
		`kill -9 $$`: "signal: killed",
	} {
		if err := use(t.Context(), lines); err == nil || errors.Is(err, mistake.Err) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want …%s…", lines, err, want)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := use(ctx, "cat"); !errors.Is(err, context.Canceled) {
		t.Errorf("stopped: %v", err)
	}
	if left, err := filepath.Glob(filepath.Join(os.TempDir(), "supermax-*")); err != nil || len(left) > 0 {
		t.Errorf("left %v, %v", left, err)
	}
}
