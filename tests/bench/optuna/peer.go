package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"strings"
)

// peer runs measurements of Optuna, each in a process of its own.
type peer struct{ python, program, golden string }

// measure runs one and reads what it printed into out.
func (p peer) measure(ctx context.Context, out any, args ...any) error {
	words := []string{p.program, p.golden}
	for _, a := range args {
		words = append(words, fmt.Sprint(a))
	}
	cmd := exec.CommandContext(ctx, p.python, words...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("measure the peer's %s: %w: %s", strings.Join(words[2:], " "), err, strings.TrimSpace(stderr.String()))
	}
	if err := json.Unmarshal(stdout.Bytes(), out); err != nil {
		return fmt.Errorf("measure the peer's %s: read what it printed: %w", strings.Join(words[2:], " "), err)
	}
	return nil
}
