package study

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestTraces runs testdata/*.trace, the scheduler's behaviour as text: events in, expected
// decisions out. testdata/README.md describes the language. Each trace runs twice: as it
// stands, and with the state written and read again after every line.
func TestTraces(t *testing.T) {
	files, err := filepath.Glob("testdata/*.trace")
	if err != nil || len(files) == 0 {
		t.Fatalf("find traces: %d found, error %v", len(files), err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".trace")
		for _, restoring := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/restoring=%v", name, restoring), func(t *testing.T) {
				runTrace(t, file, restoring)
			})
		}
	}
}

func runTrace(t *testing.T, file string, restoring bool) {
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	tr := &trace{settings: testSettings(), now: testStart, tokens: make(map[string]int64)}
	expectations := 0
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		line, _, _ := strings.Cut(lines.Text(), "#")
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		at := fmt.Sprintf("%s:%d: %s", file, n, strings.TrimSpace(line))
		if words[0] == "expect" {
			expectations++
			if got, want := tr.got, strings.Join(words[1:], " "); !matches(got, want) {
				t.Fatalf("%s\n got %s\nwant %s", at, got, want)
			}
			tr.got = strings.TrimPrefix(tr.got, "error ")
			continue
		}
		if strings.HasPrefix(tr.got, "error ") {
			t.Fatalf("%s: the line before failed: %s", at, tr.got)
		}
		if err := tr.run(words); err != nil {
			t.Fatalf("%s: %v", at, err)
		}
		if restoring && tr.state != nil {
			if err := tr.restore(); err != nil {
				t.Fatalf("%s: %v", at, err)
			}
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	if expectations == 0 || strings.HasPrefix(tr.got, "error ") {
		t.Fatalf("%s: %d expectations, last answer %q", file, expectations, tr.got)
	}
}

// matches reports whether an answer is what was expected: all of it, its part before the
// bar, or for an error its code and a part of its sentence.
func matches(got, want string) bool {
	if code, part, ok := strings.Cut(want, ": "); ok && strings.HasPrefix(want, "error ") {
		gotCode, message, _ := strings.Cut(got, ": ")
		return gotCode == code && strings.Contains(message, part)
	}
	short, _, _ := strings.Cut(got, " | ")
	return got == want || short == want
}

// trace runs one line after the other on a study.
type trace struct {
	settings Settings
	state    *State
	events   []Event
	now      time.Time
	tokens   map[string]int64 // last token by slot
	got      string           // the last answer
}

func (tr *trace) run(words []string) error {
	if words[0] == "settings" {
		if tr.state != nil {
			return errors.New("settings come first")
		}
		for _, word := range words[1:] {
			if err := set(&tr.settings, word); err != nil {
				return err
			}
		}
		return nil
	}
	if tr.state == nil {
		s, events, err := New(tr.now, tr.settings)
		if err != nil {
			return err
		}
		tr.state, tr.events = s, events
	}
	args, err := parseArgs(words[1:])
	if err != nil {
		return err
	}
	switch words[0] {
	case "advance":
		d, err := time.ParseDuration(words[1])
		tr.now = tr.now.Add(d)
		return err
	case "snapshot":
		return tr.restore()
	case "replay":
		return tr.replay()
	case "show":
		tr.got, err = tr.show(words[1], args)
		return err
	}
	answer, events, err := tr.command(words[0], args)
	var refused *Error
	switch {
	case errors.As(err, &refused):
		answer = fmt.Sprintf("error %s: %s", refused.Code, refused.Message)
		if len(events) > 0 {
			return fmt.Errorf("a refusal has %d events", len(events))
		}
	case err != nil:
		return err
	}
	tr.got = answer
	for _, e := range events {
		if err := tr.state.Apply(e); err != nil {
			return err
		}
	}
	tr.events = append(tr.events, events...)
	return nil
}

func (tr *trace) restore() error {
	data, err := tr.state.Snapshot()
	if err != nil {
		return err
	}
	tr.state, err = Restore(data)
	return err
}

// replay folds all events from the first into a new state.
func (tr *trace) replay() error {
	want, err := tr.state.Snapshot()
	if err != nil {
		return err
	}
	s, err := fold(tr.events)
	if err != nil {
		return err
	}
	got, err := s.Snapshot()
	if err == nil && string(got) != string(want) {
		err = fmt.Errorf("replayed:\n%s\nwant:\n%s", got, want)
	}
	tr.state = s
	return err
}
