// Package e2e runs the programs as a person would, as processes, over a small study.
package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// bin holds the programs under test, built once.
var bin string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "supermax-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	bin = dir
	for _, b := range []struct{ cgo, out, pkg string }{
		{"0", "supermax", "./cmd/supermax"},
		{"1", "supermax-query", "./cmd/supermax-query"},
		{"1", "trainer", "./batchjob/cmd/trainer"},
	} {
		cmd := exec.Command("go", "build", "-o", filepath.Join(dir, b.out), b.pkg)
		cmd.Dir = root()
		cmd.Env = append(os.Environ(), "CGO_ENABLED="+b.cgo)
		if out, err := cmd.CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "build %s: %v\n%s", b.pkg, err, out)
			return 1
		}
	}
	return m.Run()
}

// root is the repository's root.
func root() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(file), "..", "..")
}

// noteSources opens every folder of what the programs are built from. The go command keeps
// a test's result as long as the files that the test opened stay the same; those that `go
// build` opens for it, as another process, would not count.
var noteSources = sync.OnceFunc(func() {
	for _, dir := range []string{"batchjob", "cmd", "configs", "data", "lambdas", "shared"} {
		_ = filepath.WalkDir(filepath.Join(root(), dir), func(string, fs.DirEntry, error) error { return nil }) // the build complains
	}
})

// A place is a folder with a study file, a backbone and room for runs.
type place struct {
	t   *testing.T
	dir string
}

// study is small enough to run whole in a few seconds.
const studyFile = `version: 1
name: small
agent: criteria
seed: 7
corpus:
  dir: %s/data/sample/groundtruth
  layout: groundtruth
  criteria: [sleep_issues, fatigue]
  max_posts: 60
models:
  tiny: models/tiny
constraints:
  model.name: [tiny]
  model.gradient_checkpointing: false
  tok.max_length: 128
  optim.name: [adamw]
  optim.lr: {low: 3e-4, high: 3e-3}
  sched.name: [linear]
  train.batch_size: [16, 32]
  train.grad_accum: [1]
  train.amp: false
  aug.enabled: false
  null.strategy: none
stages:
  a: {trials: 5, epochs: 4, rungs: {min: 1, max: 4, factor: 2}, seeds: [1, 2], patience: 5, export: 5}
  b: {trials: 4, epochs: 4, rungs: {min: 1, max: 4, factor: 2}, seeds: [1], patience: 5, enqueue: 2, export: 4}
  c: {candidates: 2, folds: 2, seeds: [1], epochs: 3, patience: 3}
`

// newPlace makes the study file and its backbone.
func newPlace(t *testing.T) *place {
	t.Helper()
	noteSources()
	p := &place{t, t.TempDir()}
	p.write("study.yaml", fmt.Sprintf(studyFile, root()))
	p.ok("models", "init", "models/tiny", "--like", "bert", "--layers", "1", "--hidden", "16", "--heads", "2",
		"--intermediate", "32", "--vocab", "400", "--corpus", filepath.Join(root(), "data/sample/groundtruth"))
	return p
}

func (p *place) write(name, text string) {
	p.t.Helper()
	path := filepath.Join(p.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		p.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		p.t.Fatal(err)
	}
}

func (p *place) read(name string) string {
	p.t.Helper()
	data, err := os.ReadFile(filepath.Join(p.dir, name))
	if err != nil {
		p.t.Fatal(err)
	}
	return string(data)
}

// command prepares supermax with the place as its working folder.
func (p *place) command(ctx context.Context, args ...string) (cmd *exec.Cmd, stdout, stderr *bytes.Buffer) {
	cmd = exec.CommandContext(ctx, filepath.Join(bin, "supermax"), args...)
	cmd.Dir = p.dir
	stdout, stderr = new(bytes.Buffer), new(bytes.Buffer)
	cmd.Stdout, cmd.Stderr = stdout, stderr
	return cmd, stdout, stderr
}

// exec runs supermax to its end and returns what it printed and its exit status.
func (p *place) exec(args ...string) (stdout, stderr string, status int) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	cmd, out, errOut := p.command(ctx, args...)
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		p.t.Fatal(err)
	}
	return out.String(), errOut.String(), cmd.ProcessState.ExitCode()
}

// ok runs supermax and fails the test unless it succeeds.
func (p *place) ok(args ...string) string {
	p.t.Helper()
	stdout, stderr, status := p.exec(args...)
	if status != 0 {
		p.t.Fatalf("supermax %s: exit status %d\n%s%s%s", strings.Join(args, " "), status, stdout, stderr, p.logs())
	}
	return stdout
}

// logs returns the ends of the slots' logs.
func (p *place) logs() string {
	var b strings.Builder
	files, _ := filepath.Glob(filepath.Join(p.dir, "runs/*/logs/*"))
	for _, f := range files {
		if data, err := os.ReadFile(f); err == nil {
			fmt.Fprintf(&b, "--- %s\n%s", f, data[max(0, len(data)-2000):])
		}
	}
	return b.String()
}
