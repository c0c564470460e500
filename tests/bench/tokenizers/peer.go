package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
)

// peer is a process that encodes with the Rust library.
type peer struct {
	cmd    *exec.Cmd
	in     io.WriteCloser
	out    *bufio.Scanner
	stderr *bytes.Buffer
}

// answer is what the peer says to a word: of these, what the word asks for.
type answer struct {
	Seconds float64 `json:"seconds"`
	Digest  string  `json:"digest"`
	Tokens  int     `json:"tokens"`
}

// startPeer starts one that may use so many threads.
func startPeer(ctx context.Context, python, program, tokenizer, texts string, threads int) (*peer, error) {
	p := &peer{cmd: exec.CommandContext(ctx, python, program, tokenizer, texts), stderr: &bytes.Buffer{}}
	parallel := "true"
	if threads == 1 {
		parallel = "false"
	}
	p.cmd.Env = append(os.Environ(), fmt.Sprintf("RAYON_NUM_THREADS=%d", threads), "TOKENIZERS_PARALLELISM="+parallel)
	p.cmd.Stderr = p.stderr
	var err error
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.out = bufio.NewScanner(out)
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the peer: %w", err)
	}
	return p, nil
}

// ask sends a word and reads the answer.
func (p *peer) ask(word string) (answer, error) {
	var a answer
	if _, err := io.WriteString(p.in, word+"\n"); err != nil {
		return a, fmt.Errorf("ask the peer for %s: %w: %s", word, err, strings.TrimSpace(p.stderr.String()))
	}
	if !p.out.Scan() {
		p.stop()
		return a, fmt.Errorf("ask the peer for %s: it ended: %s", word, strings.TrimSpace(p.stderr.String()))
	}
	if err := json.Unmarshal(p.out.Bytes(), &a); err != nil {
		return a, fmt.Errorf("ask the peer for %s: read what it said: %w", word, err)
	}
	return a, nil
}

// stop ends the process.
func (p *peer) stop() {
	_ = p.in.Close() // its loop ends
	_ = p.cmd.Wait() // whatever it returns
}
