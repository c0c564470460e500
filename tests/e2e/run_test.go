package e2e

import (
	"context"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestStudyRunsToItsEnd(t *testing.T) {
	p := newPlace(t)
	out := p.ok("run", "study.yaml", "--slots", "2")
	for _, want := range []string{"chosen: trial", "F1-macro", "majority class", "optim.lr", "report.html", "best.yaml"} {
		if !strings.Contains(out, want) {
			t.Errorf("the output lacks %q:\n%s", want, out)
		}
	}
	p.checkAccounts()
	for _, f := range []string{"report.html", "best.yaml", "best.json", "run.json", "study.db"} {
		requireFile(t, filepath.Join(p.dir, "runs/small", f))
	}
	if page := p.read("runs/small/report.html"); strings.Contains(page, "http://") || strings.Contains(page, "https://") || !strings.Contains(page, "Pareto") {
		t.Error("the report is not self-contained, or not whole")
	}
	for _, what := range []string{"best", "top", "pareto", "candidates"} {
		for _, format := range []string{"yaml", "json"} {
			if text := p.ok("export", "small", "--what", what, "--format", format); !strings.Contains(text, "schema_version") {
				t.Errorf("export %s as %s has no schema version:\n%s", what, format, text)
			}
		}
	}
	if text := p.ok("status", "small"); strings.Count(text, "closed") != 3 {
		t.Errorf("status does not show three closed stages:\n%s", text)
	}
	again := p.ok("run", "study.yaml", "--slots", "2")
	if !strings.Contains(again, "chosen: trial") {
		t.Errorf("running a finished study again does not print its choice:\n%s", again)
	}
	p.checkAccounts()
	p.checkQueries()
	p.checkEstimate()
}

func TestSameSeedAndOneSlotGiveTheSameStudy(t *testing.T) {
	if testing.Short() {
		t.Skip("runs a study twice")
	}
	var results []result
	for range 2 {
		p := newPlace(t)
		p.ok("run", "study.yaml", "--slots", "1", "--threads", "1")
		results = append(results, p.result())
	}
	if d := cmp.Diff(results[0], results[1]); d != "" {
		t.Errorf("two runs differ (-first +second):\n%s", d)
	}
}

func TestStagesOneByOne(t *testing.T) {
	if testing.Short() {
		t.Skip("runs a study")
	}
	p := newPlace(t)
	if _, stderr, status := p.exec("stage", "b", "study.yaml"); status == 0 || !strings.Contains(stderr, "stage A") {
		t.Errorf("stage b before a: exit status %d, %s", status, stderr)
	}
	for _, stage := range []string{"a", "b", "c"} {
		p.ok("stage", stage, "study.yaml", "--slots", "2")
	}
	p.checkAccounts()
	if out := p.ok("best", "small"); !strings.Contains(out, "chosen: trial") {
		t.Errorf("nothing was chosen:\n%s", out)
	}
}

// TestSurvivesKilledSupermax kills the whole command at moments that nobody chose, until
// the study ends.
func TestSurvivesKilledSupermax(t *testing.T) {
	if testing.Short() {
		t.Skip("kills and restarts for a minute")
	}
	p := newPlace(t)
	r := rand.New(rand.NewPCG(1, uint64(time.Now().UnixNano())))
	kills := 0
	for start := 0; ; start++ {
		if start == 40 {
			t.Fatalf("the study does not end after %d starts\n%s", start, p.logs())
		}
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
		cmd, stdout, stderr := p.command(ctx, "run", "study.yaml", "--slots", "2")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		done := make(chan error, 1)
		go func() { done <- cmd.Wait() }()
		var err error
		killed := false
		select {
		case err = <-done:
		case <-time.After(time.Duration(300+r.IntN(1700)+100*start) * time.Millisecond): // a busy machine takes long to start
			_ = cmd.Process.Signal(syscall.SIGKILL)
			killed = true
			err = <-done
		}
		cancel()
		if err == nil {
			break
		}
		if !killed {
			t.Fatalf("start %d: %v\n%s%s%s", start, err, stdout, stderr, p.logs())
		}
		kills++
	}
	t.Logf("killed %d times", kills)
	if kills == 0 {
		t.Error("the study ended before anything was killed")
	}
	p.checkAccounts()
}

// TestSurvivesKilledTrainers kills single trainers under a running command.
func TestSurvivesKilledTrainers(t *testing.T) {
	if testing.Short() {
		t.Skip("kills trainers for half a minute")
	}
	p := newPlace(t)
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	cmd, stdout, stderr := p.command(ctx, "run", "study.yaml", "--slots", "2")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	kills := 0
	for {
		select {
		case err := <-done:
			if err != nil {
				t.Fatalf("%v\n%s%s%s", err, stdout, stderr, p.logs())
			}
			if kills == 0 {
				t.Error("no trainer was killed")
			}
			t.Logf("killed %d trainers", kills)
			p.checkAccounts()
			return
		case <-time.After(1200 * time.Millisecond):
			if children := children(cmd.Process.Pid); len(children) > 0 && kills < 6 {
				_ = syscall.Kill(children[kills%len(children)], syscall.SIGKILL)
				kills++
			}
		}
	}
}

func TestStopsOnCtrlCAndGoesOn(t *testing.T) {
	p := newPlace(t)
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	cmd, _, stderr := p.command(ctx, "run", "study.yaml", "--slots", "2")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(3 * time.Second)
	trainers := children(cmd.Process.Pid)
	_ = cmd.Process.Signal(os.Interrupt)
	stopped := time.Now()
	err := cmd.Wait()
	if status := cmd.ProcessState.ExitCode(); err == nil || status != 130 {
		t.Fatalf("exit status %d after Ctrl-C, want 130\n%s", status, stderr)
	}
	if took := time.Since(stopped); took > 15*time.Second {
		t.Errorf("it took %s to stop", took)
	}
	if !strings.Contains(stderr.String(), "goes on from here") {
		t.Errorf("nobody says how to go on:\n%s", stderr)
	}
	for _, pid := range trainers {
		if syscall.Kill(pid, 0) == nil {
			t.Errorf("trainer %d outlived the command", pid)
		}
	}
	p.ok("run", "study.yaml", "--slots", "2")
	p.checkAccounts()
}

// children returns the processes that pid started.
func children(pid int) []int {
	var out []int
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, s := range stats {
		data, err := os.ReadFile(s)
		if err != nil {
			continue
		}
		// pid (name) state ppid …; the name may hold spaces and brackets.
		after := string(data[strings.LastIndexByte(string(data), ')')+1:])
		fields := strings.Fields(after)
		if len(fields) > 1 && fields[1] == strconv.Itoa(pid) {
			if child, err := strconv.Atoi(filepath.Base(filepath.Dir(s))); err == nil {
				out = append(out, child)
			}
		}
	}
	return out
}
