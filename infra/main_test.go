package main

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func TestDefaultArch(t *testing.T) {
	for endpoint, want := range map[string]string{"": "arm64", "http://127.0.0.1:4566": runtime.GOARCH} {
		t.Setenv("AWS_ENDPOINT_URL", endpoint)
		if got := defaultArch(); got != want {
			t.Errorf("AWS_ENDPOINT_URL=%s: %s, want %s", endpoint, got, want)
		}
	}
}

func TestBuildFunctions(t *testing.T) {
	root := t.TempDir()
	write(t, filepath.Join(root, "scripts", "lambdas.sh"), `mkdir -p "build/lambda/$SUPERMAX_LAMBDA_ARCH"; echo noise`)
	dir, err := buildFunctions(root, "arm64")
	if err != nil || dir != filepath.Join(root, "build", "lambda", "arm64") {
		t.Fatal(dir, err)
	}
	if _, err := os.Stat(dir); err != nil {
		t.Error(err)
	}
	write(t, filepath.Join(root, "scripts", "lambdas.sh"), "exit 3")
	if _, err := buildFunctions(root, "arm64"); err == nil || !strings.Contains(err.Error(), "build the functions: scripts/lambdas.sh: exit status 3") {
		t.Error(err)
	}
}

// An engine that does not answer is none.
func TestDockerAnswers(t *testing.T) {
	bin := t.TempDir()
	t.Setenv("PATH", bin+string(os.PathListSeparator)+"/usr/bin"+string(os.PathListSeparator)+"/bin")
	write(t, filepath.Join(bin, "docker"), "#!/bin/sh\nexit 1\n")
	if dockerAnswers() {
		t.Error("a failing docker answers")
	}
	write(t, filepath.Join(bin, "docker"), "#!/bin/sh\necho 28.0.0\n")
	if !dockerAnswers() {
		t.Error("docker answers and is not heard")
	}
}
