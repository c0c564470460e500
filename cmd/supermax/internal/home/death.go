package home

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"

	"github.com/supermax-hpo/supermax/cmd/supermax/internal/mistake"
)

// death is the end of a trainer that had not been told that its work is over.
type death struct {
	exited error  // how the process ended
	words  string // its last, from its log
	told   bool   // the words are the trainer's own last sentence, not the runtime's
}

// lastWords reads what a trainer wrote last into its log, from the given offset on. A
// trainer that ends by itself says why in a JSON line; one that is killed, or whose
// runtime ends it, does not.
func lastWords(path string, from int64, exited error) death {
	d := death{exited: exited, words: "nothing"}
	f, err := os.Open(path)
	if err != nil {
		return d
	}
	defer f.Close()
	const tail = 64 << 10
	if size, err := f.Seek(0, io.SeekEnd); err == nil {
		_, _ = f.Seek(max(from, size-tail), io.SeekStart)
	}
	for lines := bufio.NewReader(f); ; {
		text, err := lines.ReadString('\n')
		if text = strings.TrimSpace(text); text != "" {
			d.words = text
		}
		if err != nil {
			break
		}
	}
	var line struct {
		Msg   string `json:"msg"`
		Error string `json:"error"`
	}
	if json.Unmarshal([]byte(d.words), &line) == nil && line.Error != "" {
		d.words, d.told = line.Error, line.Msg == "trainer ends"
	}
	return d
}

// wrongStatus is the trainer's exit status when it cannot work with what it was told. A
// panic of the Go runtime ends with the same status, but not with a sentence.
const wrongStatus = 2

// final returns the reason why starting the trainer again cannot help, or nil.
func (d death) final(slot int) error {
	var exit *exec.ExitError
	switch {
	case saysDiskFull(d.words):
		return mistake.Errorf("slot %d: %s; free some disk space and start again, nothing is lost", slot, d.words)
	case d.told && errors.As(d.exited, &exit) && exit.ExitCode() == wrongStatus:
		return mistake.Errorf("slot %d cannot work: %s", slot, d.words)
	}
	return nil
}

// tally counts the deaths of all slots since the study last got on, so that slots which
// die again and again, each time after a while and without counting against a trial, do
// not go on for ever.
type tally struct {
	mu       sync.Mutex
	deaths   int
	progress int
}

// count adds a death and returns how many there were since progress last changed.
// moved reports that it has changed since the death before.
func (t *tally) count(progress int) (deaths int, moved bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if moved = progress != t.progress; moved {
		t.deaths, t.progress = 0, progress
	}
	t.deaths++
	return t.deaths, moved
}
