package home

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/supermax-hpo/supermax/cmd/supermax/internal/mistake"
	"github.com/supermax-hpo/supermax/shared/protocol"
)

// script makes a program of a few lines of shell.
func script(t *testing.T, lines string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "trainer")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+lines+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

// releases notes what slots gave back.
type releases struct {
	mu     sync.Mutex
	slots  []string
	causes []protocol.FailureKind
}

func (r *releases) release(_ context.Context, slot string, cause protocol.FailureKind, _ error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.slots, r.causes = append(r.slots, slot), append(r.causes, cause)
	return nil
}

func newSlots(t *testing.T, count int, lines string) (*slots, *releases) {
	t.Helper()
	r := &releases{}
	return &slots{
		trainer: script(t, lines), logs: t.TempDir(), life: "x", count: count, device: "cpu", release: r.release,
		progress: func(context.Context) (int, error) { return 0, nil },
		grace:    5 * time.Second, pause: time.Millisecond,
	}, r
}

func TestSlotsEnd(t *testing.T) {
	s, r := newSlots(t, 3, `echo "$SUPERMAX_SLOT $SUPERMAX_DEVICE $SUPERMAX_PARENT $EXTRA"`)
	s.env, s.device = []string{"EXTRA=more"}, "cuda"
	if err := s.run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(r.slots) != 0 {
		t.Errorf("released %v", r.slots)
	}
	for i := range 3 {
		log, err := os.ReadFile(s.logFile(i))
		if want := fmt.Sprintf("slot-%d-x-0 cuda:%d stdin more\n", i, i); err != nil || string(log) != want {
			t.Errorf("log %d is %q, %v, want %q", i, log, err, want)
		}
	}
}

// Ends that no further trainer could mend, and what is said of them.
func TestSlotsGiveUp(t *testing.T) {
	for name, tt := range map[string]struct {
		lines  string
		deaths int
		cause  protocol.FailureKind
		input  bool
		want   string
	}{
		"at once":     {"echo first; echo 'no libtorch' >&2; exit 1", maxQuickDeaths, protocol.FailedCrash, false, "slot 0 died 5 times at once (exit status 1); its log is "},
		"last line":   {"echo first; echo 'no libtorch' >&2; exit 1", maxQuickDeaths, protocol.FailedCrash, false, "which ends with: no libtorch"},
		"silent":      {"kill -9 $$", maxQuickDeaths, protocol.FailedCrash, false, "(signal: killed); its log is "},
		"told wrong":  {`echo '{"msg":"trainer ends","error":"open corpus: gone"}'; exit 2`, 1, protocol.FailedInterrupted, true, "slot 0 cannot work: open corpus: gone"},
		"a panic":     {`echo 'panic: x'; exit 2`, maxQuickDeaths, protocol.FailedCrash, false, "which ends with: panic: x"},
		"another say": {`echo '{"msg":"no result","error":"y"}'; exit 2`, maxQuickDeaths, protocol.FailedCrash, false, "which ends with: y"},
		"disk": {`echo '{"msg":"trainer ends","error":"write object a: no space left on device"}'; exit 1`, 1, protocol.FailedInterrupted, true,
			"slot 0: write object a: no space left on device; free some disk space"},
	} {
		t.Run(name, func(t *testing.T) {
			s, r := newSlots(t, 1, tt.lines)
			if err := os.WriteFile(s.logFile(0), []byte(`{"msg":"trainer ends","error":"no space left on device"}`+"\n"), 0o600); err != nil {
				t.Fatal(err) // of a former life: not to be taken for this one's
			}
			err := s.run(t.Context())
			if err == nil || !strings.Contains(err.Error(), tt.want) || errors.Is(err, mistake.Err) != tt.input {
				t.Errorf("error %v (input %t), want %q (input %t)", err, errors.Is(err, mistake.Err), tt.want, tt.input)
			}
			if len(r.causes) != tt.deaths || r.causes[0] != tt.cause {
				t.Errorf("released %v, want %d times %s", r.causes, tt.deaths, tt.cause)
			}
		})
	}
	t.Run("no such program", func(t *testing.T) {
		s, _ := newSlots(t, 1, "")
		s.trainer += "-not"
		if err := s.run(t.Context()); err == nil || !strings.Contains(err.Error(), "no such file or directory") {
			t.Errorf("error %v", err)
		}
	})
	t.Run("no log", func(t *testing.T) {
		s, _ := newSlots(t, 1, "")
		s.logs += "-not"
		if err := s.run(t.Context()); err == nil || !strings.Contains(err.Error(), "slot-0.log: no such file or directory") {
			t.Errorf("error %v", err)
		}
	})
}

// A slot is replaced with a name of its own, and comes to its end when it can.
func TestSlotsReplace(t *testing.T) {
	s, r := newSlots(t, 1, `n=$(cat "$COUNT" 2>/dev/null || echo 0); echo $((n+1)) > "$COUNT"; test $n -ge 3`)
	s.env = []string{"COUNT=" + filepath.Join(t.TempDir(), "n")}
	if err := s.run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(r.slots, " "); got != "slot-0-x-0 slot-0-x-1 slot-0-x-2" {
		t.Errorf("released %s", got)
	}
}

// Deaths at once do not end a run that gets on: trials that kill their trainers fail one
// after the other. Nor do they go on for ever without progress, however many slots share
// them.
func TestSlotsCountByProgress(t *testing.T) {
	s, r := newSlots(t, 1, "exit 1")
	var looks int
	s.progress = func(context.Context) (int, error) { looks++; return min(looks, 12) / 4, nil } // every fourth, three times
	if err := s.run(t.Context()); err == nil || !strings.Contains(err.Error(), "died 5 times at once") {
		t.Errorf("error %v", err)
	}
	if len(r.causes) != 12+4 { // the twelfth begins the last five
		t.Errorf("died %d times", len(r.causes))
	}

	var all tally
	for want := 1; want <= 9; want++ {
		if got, moved := all.count(0); got != want || moved {
			t.Errorf("death %d is counted as %d, %t", want, got, moved)
		}
	}
	if got, moved := all.count(1); got != 1 || !moved {
		t.Errorf("after progress: %d, %t", got, moved)
	}
}

// Slow deaths that count against no trial end by the tally of all slots.
func TestSlotsDieSlowly(t *testing.T) {
	s, r := newSlots(t, 2, "exit 1")
	s.tally.deaths = s.maxDeaths() - 1 // as if they had died so often, each after some seconds
	err := s.run(t.Context())
	// The other slot may die, and be the first to say so, before it is stopped.
	if err == nil || !regexp.MustCompile(`^the slots died (9|10) times and no trial got on \(exit status 1\)`).MatchString(err.Error()) {
		t.Errorf("error %v", err)
	}
	if len(r.causes) > 2 {
		t.Errorf("released %v", r.causes)
	}
}

func TestSlotsErrorsOfTheStudy(t *testing.T) {
	broken := errors.New("broken")
	s, _ := newSlots(t, 1, "exit 1")
	s.progress = func(context.Context) (int, error) { return 0, broken }
	if err := s.run(t.Context()); !errors.Is(err, broken) || !strings.Contains(err.Error(), "look at the study's progress") {
		t.Errorf("error %v", err)
	}
	s.release = func(context.Context, string, protocol.FailureKind, error) error { return broken }
	if err := s.run(t.Context()); !errors.Is(err, broken) || !strings.Contains(err.Error(), "release slot 0") {
		t.Errorf("error %v", err)
	}
}

// waitFor waits until a file is there.
func waitFor(t *testing.T, path string) {
	t.Helper()
	for began := time.Now(); ; time.Sleep(5 * time.Millisecond) {
		if _, err := os.Stat(path); err == nil {
			return
		}
		if time.Since(began) > 20*time.Second {
			t.Fatalf("%s did not come", path)
		}
	}
}

func TestSlotsStop(t *testing.T) {
	for name, tt := range map[string]struct {
		lines string
		grace time.Duration
		least time.Duration
	}{
		"obeys":    {`trap 'exit 0' TERM; touch "$READY"; while :; do sleep 0.02; done`, 20 * time.Second, 0},
		"ignores":  {`trap '' TERM; touch "$READY"; while :; do sleep 0.02; done`, 150 * time.Millisecond, 150 * time.Millisecond},
		"complain": {`trap 'exit 1' TERM; touch "$READY"; while :; do sleep 0.02; done`, 20 * time.Second, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, r := newSlots(t, 1, tt.lines)
			ready := filepath.Join(t.TempDir(), "ready")
			s.env, s.grace = []string{"READY=" + ready}, tt.grace
			ctx, cancel := context.WithCancel(t.Context())
			ended := make(chan error)
			go func() { ended <- s.run(ctx) }()
			waitFor(t, ready)
			began := time.Now()
			cancel()
			if err := <-ended; err != nil {
				t.Errorf("error %v", err)
			}
			if took := time.Since(began); took < tt.least || took > 10*time.Second {
				t.Errorf("stopped after %s", took)
			}
			if len(r.causes) != 1 || r.causes[0] != protocol.FailedInterrupted {
				t.Errorf("released %v", r.causes)
			}
		})
	}
}

// One slot that cannot live stops the others.
func TestSlotsStopTogether(t *testing.T) {
	s, r := newSlots(t, 2, `case $SUPERMAX_SLOT in slot-0*) touch "$READY"; trap 'exit 0' TERM; while :; do sleep 0.02; done;; esac
while ! test -e "$READY"; do sleep 0.02; done; echo '{"msg":"trainer ends","error":"bad study"}'; exit 2`)
	s.env = []string{"READY=" + filepath.Join(t.TempDir(), "ready")}
	if err := s.run(t.Context()); !errors.Is(err, mistake.Err) || err.Error() != "slot 1 cannot work: bad study" {
		t.Errorf("error %v", err)
	}
	if len(r.causes) != 2 || r.causes[0] != protocol.FailedInterrupted || r.causes[1] != protocol.FailedInterrupted {
		t.Errorf("released %v", r.causes)
	}
}

// The trainer's standard input ends when supermax lets go of it.
func TestSlotsHoldThePipe(t *testing.T) {
	dir := t.TempDir()
	s, _ := newSlots(t, 1, `touch "$DIR/ready"; cat; touch "$DIR/over"; exit 0`)
	s.env, s.grace = []string{"DIR=" + dir}, 50*time.Millisecond
	var over atomic.Bool
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		waitFor(t, filepath.Join(dir, "ready"))
		time.Sleep(50 * time.Millisecond)
		_, err := os.Stat(filepath.Join(dir, "over"))
		over.Store(err == nil)
		cancel()
	}()
	if err := s.run(ctx); err != nil {
		t.Error(err)
	}
	if over.Load() {
		t.Error("its standard input ended while supermax lived")
	}
}

func TestLastWords(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	if d := lastWords(path, 0, nil); d.words != "nothing" {
		t.Errorf("no log: %+v", d)
	}
	long := strings.Repeat("x", 70<<10)
	for name, tt := range map[string]struct {
		log   string
		words string
		told  bool
	}{
		"empty":    {"", "nothing", false},
		"blank":    {"\n \n", "nothing", false},
		"text":     {"one\ntwo\n\n", "two", false},
		"unended":  {"one\ntwo", "two", false},
		"told":     {`{"msg":"trainer ends","error":"why"}` + "\n", "why", true},
		"no error": {`{"msg":"trainer ends"}` + "\n", `{"msg":"trainer ends"}`, false},
		"long":     {long + "\nend\n", "end", false},
	} {
		if err := os.WriteFile(path, []byte("before\n"+tt.log), 0o600); err != nil {
			t.Fatal(err)
		}
		if d := lastWords(path, int64(len("before\n")), nil); d.words != tt.words || d.told != tt.told {
			t.Errorf("%s: %+v", name, d)
		}
	}
}
