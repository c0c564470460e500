package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// buildFunctions has scripts/lambdas.sh build the functions for an architecture and
// returns the folder that holds a folder for each.
func buildFunctions(root, arch string) (string, error) {
	script := exec.Command("bash", filepath.Join(root, "scripts", "lambdas.sh"))
	script.Dir = root
	script.Env = append(os.Environ(), "SUPERMAX_LAMBDA_ARCH="+arch)
	script.Stdout, script.Stderr = os.Stderr, os.Stderr // of ours, cdk reads neither
	if err := script.Run(); err != nil {
		return "", fmt.Errorf("build the functions: scripts/lambdas.sh: %w", err)
	}
	return filepath.Join(root, "build", "lambda", arch), nil
}

// dockerAnswers says whether an image can be built here.
func dockerAnswers() bool {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	return exec.CommandContext(ctx, "docker", "version", "--format", "{{.Server.Version}}").Run() == nil
}
