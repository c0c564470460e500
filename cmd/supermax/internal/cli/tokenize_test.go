package cli

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/supermax-hpo/supermax/batchjob/tokenizer"
)

// vocabulary is a checkpoint's folder with the words "a" and "b", and a file of two texts.
func vocabulary(t *testing.T) (dir, file string) {
	t.Helper()
	dir = t.TempDir()
	if err := tokenizer.WriteVocab(dir, append(tokenizer.SpecialTokens(), "a", "b"), tokenizer.VocabOptions{}); err != nil {
		t.Fatal(err)
	}
	file = filepath.Join(dir, "texts.jsonl")
	if err := os.WriteFile(file, []byte("{\"text\": \"a\"}\n{\"a\": \"a\", \"b\": \"b b\"}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir, file
}

func TestTokenize(t *testing.T) {
	dir, file := vocabulary(t)
	if out, _ := good(t, "tokenize", "--model", dir, file); out != "{\"ids\":[2,5,3]}\n{\"ids\":[2,5,3,6,6,3]}\n" {
		t.Errorf("%s", out)
	}
	out, _ := good(t, "tokenize", file, "--model", dir, "--max-length", "5", "--truncation", "only_second", "--pad", "--padding-side", "left", "--type-ids", "--mask")
	if want := "{\"ids\":[0,0,2,5,3],\"type_ids\":[0,0,0,0,0],\"mask\":[0,0,1,1,1]}\n{\"ids\":[2,5,3,6,3],\"type_ids\":[0,0,0,1,1],\"mask\":[1,1,1,1,1]}\n"; out != want {
		t.Errorf("%s", out)
	}
}

func TestTokenizeRefusals(t *testing.T) {
	dir, file := vocabulary(t)
	bad := filepath.Join(dir, "bad.jsonl")
	if err := os.WriteFile(bad, []byte("\n{\"text\": secret}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	model := []string{"tokenize", "--model", dir}
	refuses(t, []string{"tokenize", file}, "needs --model")
	refuses(t, append(model, file, file), "at most one file and got 2")
	refuses(t, append(model, file, "--truncation", "all"), `truncation "all" is not known`, "longest_first")
	refuses(t, append(model, file, "--padding-side", "top"), `--padding-side "top"`, "left, right")
	refuses(t, append(model, file, "--pad"), "--pad needs --max-length")
	refuses(t, append(model, file, "--max-length", "2"), "--max-length 2", "leaves no room")
	refuses(t, append(model, filepath.Join(dir, "none")), "read the texts", "none")
	refuses(t, append(model, bad), "line 2 is not JSON, at byte 10")
	refuses(t, []string{"tokenize", "--model", filepath.Dir(bad) + "/none", file}, "load tokenizer", "none")
	if _, _, stderr := call(append(model, bad)...); strings.Contains(stderr, "secret") {
		t.Errorf("the text is told: %s", stderr)
	}
}

// TestTokenizeInterrupt: the standard input is read, line by line, until Ctrl-C.
func TestTokenizeInterrupt(t *testing.T) {
	dir, _ := vocabulary(t)
	cmd := exec.CommandContext(t.Context(), os.Args[0], "tokenize", "--model", dir)
	cmd.Env = append(os.Environ(), asCommand+"=1")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := in.Write([]byte("{\"text\": \"a\"}\n")); err != nil {
		t.Fatal(err)
	}
	line := make([]byte, len("{\"ids\":[2,5,3]}\n"))
	if _, err := out.Read(line); err != nil || string(line) != "{\"ids\":[2,5,3]}\n" {
		t.Fatalf("%q, %v", line, err)
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if status, signal := ended(t, cmd); status != exitInterrupted || signal != syscall.Signal(0) || !strings.Contains(stderr.String(), "supermax: stopped") {
		t.Errorf("status %d, signal %v: %s", status, signal, stderr.String())
	}
}
