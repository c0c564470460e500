package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"strings"

	"github.com/supermax-hpo/supermax/batchjob/pretrained"
)

// peer measures Hugging Face's models, each time in a process of its own.
type peer struct{ python, program string }

// measure returns the seconds of each of the peer's forward and backward passes but the first
// round's.
func (p peer) measure(ctx context.Context, c benchCase, attention string) ([]float64, error) {
	request, err := json.Marshal(struct {
		Config    pretrained.Config `json:"config"`
		Batches   [][][]int32       `json:"batches"`
		Attention string            `json:"attention"`
		Threads   int               `json:"threads"`
		Rounds    int               `json:"rounds"`
	}{c.config, c.batches, attention, 2, c.rounds})
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, p.python, p.program)
	var stdout, stderr bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(request), &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("measure the peer's %s: %w: %s", c.label, err, strings.TrimSpace(stderr.String()))
	}
	var seconds []float64
	if err := json.Unmarshal(stdout.Bytes(), &seconds); err != nil || len(seconds) == 0 {
		return nil, fmt.Errorf("measure the peer's %s: it printed %.80q", c.label, stdout.String())
	}
	return seconds, nil
}
