package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/supermax-hpo/supermax/cmd/supermax/internal/trainertest"
)

// script is a trainer that does what its lines say.
func script(t *testing.T, lines string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "trainer")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+lines), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

// The posts go to the trainer and its answers come back, to the output or whole to a file.
func TestPredict(t *testing.T) {
	t.Setenv(trainertest.Env, trainertest.Working)
	runs := t.TempDir()
	good(t, "run", trainertest.File(t), "--trainer", os.Args[0], "--runs", runs, "--slots", "1")
	posts := filepath.Join(t.TempDir(), "posts.jsonl")
	if err := os.WriteFile(posts, []byte("one\ntwo\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	echo := script(t, `echo "$1 $SUPERMAX_STUDY $SUPERMAX_DEVICE $SUPERMAX_THREADS $SUPERMAX_MODELS"; cat`)
	args := []string{"predict", "small", posts, "--runs", runs, "--trainer"}
	if out, _ := good(t, append(args, echo, "--models", "2", "--threads", "3")...); out != "predict small cpu 3 2\none\ntwo\n" {
		t.Errorf("prints %q", out)
	}
	file := filepath.Join(t.TempDir(), "answers.jsonl")
	if out, _ := good(t, append(args, echo, "--device", "cuda", "--threads", "1", "--out", file)...); out != "" {
		t.Errorf("prints %q", out)
	}
	if data, err := os.ReadFile(file); err != nil || string(data) != "predict small cuda:0 1 \none\ntwo\n" {
		t.Errorf("wrote %q, %v", data, err)
	}
	wrong := script(t, `echo half; echo '{"msg":"trainer ends","error":"line 3: text is missing"}' >&2; exit 2`)
	refuses(t, append(args, wrong, "--out", file), "supermax: line 3: text is missing")
	if data, err := os.ReadFile(file); err != nil || strings.Contains(string(data), "half") {
		t.Errorf("a failure left %q, %v", data, err)
	}
	var stdout, stderr strings.Builder
	broken := script(t, `echo "panic: a fault" >&2; exit 2`)
	if status := Main(append(args, broken), &stdout, &stderr); status != exitFailed || !strings.Contains(stderr.String(), "panic: a fault") {
		t.Errorf("status %d, %q", status, stderr.String())
	}
	for want, bad := range map[string][]string{
		"--models -1 is not allowed":                {"predict", "small", posts, "--runs", runs, "--models", "-1"},
		"--runs has no meaning with --aws":          {"predict", "small", posts, "--runs", runs, "--aws"},
		"--stack has a meaning only with --aws":     {"predict", "small", posts, "--runs", runs, "--stack", "x"},
		"--threads -2 is not allowed":               {"predict", "small", posts, "--runs", runs, "--threads", "-2"},
		`--device "tpu" is not allowed`:             {"predict", "small", posts, "--runs", runs, "--device", "tpu"},
		"takes 2 argument(s) and got 1":             {"predict", "small"},
		`no run of study "none"`:                    {"predict", "none", posts, "--runs", runs},
		"read the texts: open nowhere.jsonl":        {"predict", "small", "nowhere.jsonl", "--runs", runs},
		"--trainer nowhere: there is no such file":  append(args, "nowhere"),
		"write /nowhere/x: no such file or directo": append(args, echo, "--out", "/nowhere/x"),
	} {
		refuses(t, bad, want)
	}
}

func TestEmbed(t *testing.T) {
	texts := filepath.Join(t.TempDir(), "texts.jsonl")
	if err := os.WriteFile(texts, []byte("one\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	echo := script(t, `echo "$1 $SUPERMAX_MODEL $SUPERMAX_POOLING $SUPERMAX_FORMAT $SUPERMAX_MAX_LENGTH."; cat`)
	args := []string{"embed", texts, "--model", "some", "--trainer", echo}
	if out, _ := good(t, args...); out != "embed some mean jsonl .\none\n" {
		t.Errorf("prints %q", out)
	}
	if out, _ := good(t, append(args, "--pooling", "none", "--format", "parquet", "--max-length", "9")...); out != "embed some none parquet 9.\none\n" {
		t.Errorf("prints %q", out)
	}
	for want, bad := range map[string][]string{
		"needs --model: the folder of a backbone":                       {"embed", texts},
		`--pooling "attention" is not allowed; allowed: cls, mean, max`: append(args, "--pooling", "attention"),
		`--format "csv" is not allowed; allowed: jsonl, parquet`:        append(args, "--format", "csv"),
		"--max-length -1 is not allowed":                                append(args, "--max-length", "-1"),
		`--device "tpu" is not allowed`:                                 append(args, "--device", "tpu"),
		"read the texts: open nowhere.jsonl":                            {"embed", "nowhere.jsonl", "--model", "some"},
	} {
		refuses(t, bad, want)
	}
}
