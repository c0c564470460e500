package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"

	"github.com/supermax-hpo/supermax/cmd/supermax/internal/home"
	"github.com/supermax-hpo/supermax/cmd/supermax/internal/mistake"
	"github.com/supermax-hpo/supermax/cmd/supermax/internal/trainertest"
	"github.com/supermax-hpo/supermax/shared/config"
	"github.com/supermax-hpo/supermax/shared/study"
	"github.com/supermax-hpo/supermax/shared/study/analysis"
)

// The test's own binary is the trainer of the runs below, and the command itself when a
// test must send it signals.
func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		os.Unsetenv(asCommand)
		os.Exit(Main(os.Args[1:], os.Stdout, os.Stderr))
	}
	trainertest.Main()
	os.Exit(m.Run())
}

const asCommand = "SUPERMAX_TEST_AS_COMMAND"

// call runs the command line in this process.
func call(args ...string) (status int, stdout, stderr string) {
	var out, err bytes.Buffer
	status = Main(args, &out, &err)
	return status, out.String(), err.String()
}

// good calls and fails the test unless it succeeds.
func good(t *testing.T, args ...string) (stdout, stderr string) {
	t.Helper()
	status, stdout, stderr := call(args...)
	if status != exitOK {
		t.Fatalf("%v: status %d: %s", args, status, stderr)
	}
	return stdout, stderr
}

// refuses checks that the call ends with status 2, nothing on standard output and one
// sentence that holds all of want.
func refuses(t *testing.T, args []string, want ...string) {
	t.Helper()
	status, stdout, stderr := call(args...)
	if status != exitInput || stdout != "" || strings.Count(stderr, "\n") != 1 || !strings.HasPrefix(stderr, "supermax: ") {
		t.Errorf("%q: status %d, stdout %q, stderr %q", args, status, stdout, stderr)
	}
	for _, w := range want {
		if !strings.Contains(stderr, w) {
			t.Errorf("%q: %q lacks %q", args, stderr, w)
		}
	}
}

// finished is a folder with a study file and a finished run of it.
func finished(t *testing.T) (file, runs string) {
	t.Helper()
	t.Setenv(trainertest.Env, trainertest.Working)
	file, runs = trainertest.File(t), filepath.Join(t.TempDir(), "runs")
	stdout, stderr := good(t, "run", file, "--runs", runs, "--trainer", os.Args[0], "--slots", "2")
	for _, want := range []string{"study small is done", "chosen: trial ", "confirmed on 2 folds × 1 seeds", "(majority class 0.4000, untrained model 0.3500)", "head.pooling", "report         " + runs + "/small/report.html"} {
		if !strings.Contains(stdout, want) {
			t.Errorf("run prints %q, want %q", stdout, want)
		}
	}
	for _, want := range []string{"small A explore", "small B refine", "small C confirm", "best F1"} {
		if !strings.Contains(stderr, want) {
			t.Errorf("run shows %q, want %q", stderr, want)
		}
	}
	return file, runs
}

func TestFinishedRun(t *testing.T) {
	file, runs := finished(t)

	status, _ := good(t, "status", "small", "--runs", runs)
	lines := strings.Split(strings.TrimSpace(status), "\n")
	if len(lines) != 5 || !strings.HasPrefix(lines[0], "stage  state ") {
		t.Fatalf("status prints %q", status)
	}
	hours := 0.0 // how many reports there are depends on which slot was first
	for _, line := range lines[1:4] {
		fields := strings.Fields(line)
		h, err := strconv.ParseFloat(fields[len(fields)-1], 64)
		if err != nil {
			t.Fatal(err)
		}
		hours += h
	}
	if want := fmt.Sprintf("spent %.2f", 2*hours); lines[4] != want { // the study's price
		t.Errorf("status prints %q, want %s", status, want)
	}
	for i, want := range []string{"A closed 6 0 0 ", "B closed 4 0 0 ", "C closed 4 0 0 0 4 0 "} {
		if got := strings.Join(strings.Fields(lines[i+1]), " "); !strings.HasPrefix(got, want) {
			t.Errorf("status line %q, want %q", got, want)
		}
	}

	best, _ := good(t, "best", "small", "--runs", runs)
	if !strings.HasPrefix(best, "chosen: trial ") || !strings.Contains(best, "model.name                     tiny") {
		t.Errorf("best prints %q", best)
	}

	table, _ := good(t, "trials", "small", "--runs", runs)
	if n := strings.Count(table, "\n"); n != 1+6+4+4 {
		t.Errorf("trials prints %d lines: %s", n, table)
	}
	one, _ := good(t, "trials", "small", "--runs", runs, "--stage", "c", "--format", "json")
	for d := json.NewDecoder(strings.NewReader(one)); ; {
		var trial study.Trial
		if err := d.Decode(&trial); errors.Is(err, io.EOF) {
			break
		} else if err != nil || trial.Stage != "C" || trial.Fold == nil {
			t.Fatalf("trial %+v, %v", trial, err)
		}
	}
	if strings.Count(one, "\n") != 4 {
		t.Errorf("trials prints %s", one)
	}

	if path, _ := good(t, "report", "small", "--runs", runs); path != runs+"/small/report.html\n" {
		t.Errorf("report prints %q", path)
	}
	if page, err := os.ReadFile(runs + "/small/report.html"); err != nil || !strings.Contains(string(page), "</html>") {
		t.Errorf("report %v", err)
	}
	data, _ := good(t, "report", "small", "--runs", runs, "--format", "json")
	var drawn analysis.Study
	if err := json.Unmarshal([]byte(data), &drawn); err != nil || drawn.Study != "small" || len(drawn.Stages) != 2 || len(drawn.Stages[1].Importances) != 3 || drawn.Stages[0].Survival[0].Reached != 6 {
		t.Errorf("report prints %s, %v", data, err)
	}
	to := filepath.Join(t.TempDir(), "report.json")
	if out, _ := good(t, "report", "small", "--runs", runs, "--format", "json", "--out", to); out != "" {
		t.Errorf("report prints %q", out)
	}
	if file, err := os.ReadFile(to); err != nil || string(file) != data {
		t.Errorf("report writes %q, %v", file, err)
	}
	refuses(t, []string{"report", "small", "--runs", runs, "--format", "pdf"}, `--format "pdf" is not allowed; allowed: html, json`)

	// What was walked is not walked again.
	stdout, stderr := good(t, "stage", "A", file, "--runs", runs, "--trainer", "/bin/false")
	if !strings.Contains(stdout, "study small is done") || strings.Count(stderr, "\n") != 1 {
		t.Errorf("stage prints %q, shows %q", stdout, stderr)
	}
}

func TestExport(t *testing.T) {
	_, runs := finished(t)
	for what, key := range map[string]string{"best": "params", "top": "trials", "pareto": "trials", "candidates": "candidates"} {
		var of [2]map[string]any
		for i, format := range []string{"yaml", "json"} {
			text, _ := good(t, "export", "small", "--runs", runs, "--what", what, "--format", format)
			out := filepath.Join(t.TempDir(), "out")
			if printed, _ := good(t, "export", "small", "--runs", runs, "--what", what, "--format", format, "--out", out); printed != "" {
				t.Errorf("%s prints %q", what, printed)
			}
			if file, err := os.ReadFile(out); err != nil || string(file) != text {
				t.Errorf("%s writes %q, %v, prints %q", what, file, err, text)
			}
			if err := yaml.Unmarshal([]byte(text), &of[i]); err != nil { // JSON is YAML
				t.Fatalf("%s as %s: %v", what, format, err)
			}
		}
		if of[0]["study"] != "small" || fmt.Sprint(of[0]["schema_version"]) != "1" || of[0][key] == nil {
			t.Errorf("%s is %v, want a %s", what, of[0], key)
		}
		if d := cmp.Diff(fmt.Sprint(of[1]), fmt.Sprint(of[0])); d != "" {
			t.Errorf("%s (-json +yaml):\n%s", what, d)
		}
	}
	with := func(args ...string) []string { return append([]string{"export", "small", "--runs", runs}, args...) }
	refuses(t, with("--what", "worst"), `"worst" cannot be exported; allowed: best, top, pareto, candidates`)
	refuses(t, with("--format", "xml"), `--format "xml" is not allowed; allowed: yaml, json`)
	refuses(t, with("--out", "/nowhere/x"), "write /nowhere/x: no such file or directory")
	refuses(t, with("--out", runs), "write "+runs)
}

func TestViewsBeforeTheEnd(t *testing.T) {
	t.Setenv(trainertest.Env, trainertest.Working)
	file, runs := trainertest.File(t), filepath.Join(t.TempDir(), "runs")
	stdout, _ := good(t, "stage", "a", file, "--runs", runs, "--trainer", os.Args[0])
	if stdout != "stage A is done; see supermax best small\n" {
		t.Errorf("stage prints %q", stdout)
	}
	if best, _ := good(t, "best", "small", "--runs", runs); !strings.HasPrefix(best, "best so far: trial ") || !strings.Contains(best, "of stage A") || !strings.Contains(best, "(not confirmed)") {
		t.Errorf("best prints %q", best)
	}
	if status, _ := good(t, "status", "small", "--runs", runs); !strings.Contains(status, "B      not open  ") {
		t.Errorf("status prints %q", status)
	}
	refuses(t, []string{"export", "small", "--runs", runs}, "study small has no best yet")
	refuses(t, []string{"trials", "small", "--runs", runs, "--stage", "d"}, `--stage "d" is not allowed; allowed: a, b, c`)
	refuses(t, []string{"trials", "small", "--runs", runs, "--format", "csv"}, `--format "csv" is not allowed; allowed: table, json`)
}

// Trials that fail are told of, and the run's failure is ours, not the user's.
func TestFailedRun(t *testing.T) {
	t.Setenv(trainertest.Env, trainertest.Failing)
	file, runs := trainertest.File(t), filepath.Join(t.TempDir(), "runs")
	status, stdout, stderr := call("run", file, "--runs", runs, "--trainer", os.Args[0])
	last := strings.Split(strings.TrimSpace(stderr), "\n")
	if status != exitFailed || stdout != "" || !strings.HasPrefix(last[len(last)-1], "supermax: promote stage A: no trial has a result") {
		t.Errorf("status %d, %q, %q", status, stdout, stderr)
	}
	if table, _ := good(t, "trials", "small", "--runs", runs); strings.Count(table, "nan: the loss is no number") != 6 {
		t.Errorf("trials prints %s", table)
	}
	refuses(t, []string{"best", "small", "--runs", runs}, "study small has no best configuration yet: no trial has reported")
	if _, err := os.Stat(runs + "/small/report.html"); err != nil {
		t.Error("no report of a failed run")
	}
}

func TestDyingTrainersAreToldOf(t *testing.T) {
	t.Setenv(trainertest.Env, trainertest.Dying)
	_, stderr := good(t, "stage", "a", trainertest.File(t), "--runs", t.TempDir(), "--trainer", os.Args[0], "--slots", "1")
	if strings.Count(stderr, "and is replaced") != 2 || !strings.Contains(stderr, "supermax: the trainer of slot-0-") {
		t.Errorf("shows %q", stderr)
	}
}

func TestUsage(t *testing.T) {
	file := trainertest.File(t)
	run := func(args ...string) []string { return append([]string{"run", file}, args...) }
	oneLabel := t.TempDir()
	for name, text := range map[string]string{
		"posts.csv":       "post_id,text\np1,rain\np2,rain\np3,rain\np4,rain\np5,rain\n",
		"groundtruth.csv": "post_id,criterion_id,label\np1,fatigue,0\np2,fatigue,0\np3,fatigue,0\np4,fatigue,0\np5,fatigue,0\n",
	} {
		if err := os.WriteFile(filepath.Join(oneLabel, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"statsu"}, `supermax has no command "statsu" (did you mean status?)`},
		{[]string{"xyzzy"}, `supermax has no command "xyzzy" (see supermax --help)`},
		{[]string{"models", "inti"}, `supermax models has no command "inti" (did you mean init?)`},
		{[]string{"--verbose"}, "unknown flag: --verbose (see supermax --help)"},
		{[]string{"run"}, "supermax run takes 1 argument(s) and got 0: supermax run FILE"},
		{[]string{"stage", "a"}, "supermax stage takes 2 argument(s) and got 1: supermax stage a|b|c FILE"},
		{[]string{"stage", "d", file}, `stage "d" is not allowed; allowed: a, b, c`},
		{[]string{"status"}, "supermax status takes 1 argument(s)"},
		{[]string{"status", "a", "b"}, "got 2"},
		{[]string{"run", "nofile.yaml"}, "nofile.yaml"},
		{[]string{"stage", "a", "nofile.yaml"}, "nofile.yaml"},
		{[]string{"run", t.TempDir()}, "is a directory"},
		{run("--slots", "-1"), "--slots -1 is not allowed; it must be from 0"},
		{run("--slots", "many"), `invalid argument "many" for "--slots"`},
		{run("--threads", "1025"), "--threads 1025 is not allowed"},
		{run("--port", "65536"), "--port 65536 is not allowed"},
		{run("--device", "tpu"), `--device "tpu" is not allowed; allowed: cpu, cuda`},
		{run("--agent", "doctor"), "--agent doctor: "},
		{run("--trainer", "nowhere"), "--trainer nowhere: there is no such file"},
		{run("--slot", "1"), "unknown flag: --slot (see supermax run --help)"},
		{run("--trainer", "/bin/true", "--runs", file), "not a directory"},
		{[]string{"status", "none", "--runs", t.TempDir()}, `no run of study "none" below`},
		{[]string{"best", "../x"}, `study name "../x" is not`},
		{[]string{"report", "none"}, `no run of study "none"`},
		{[]string{"models", "init"}, "supermax models init takes 1 argument(s) and got 0"},
		{[]string{"models", "init", "x"}, "supermax models init needs --corpus"},
		{[]string{"models", "init", filepath.Join(t.TempDir(), "x"), "--corpus", "nowhere"}, "nowhere: there is no such folder"},
		{[]string{"baseline", "nowhere"}, "nowhere: there is no such folder"},
		{[]string{"baseline", filepath.Join(filepath.Dir(file), "corpus"), "--agent", "doctor"}, `agent "doctor" is not known`},
		{[]string{"baseline", oneLabel, "--agent", "criteria"}, "holds no pair with label 1"},
	} {
		refuses(t, tt.args, tt.want)
	}
	if _, err := os.Stat("runs"); err == nil {
		t.Error("a refused call made a run folder")
	}
}

func TestHelpAndVersion(t *testing.T) {
	for _, args := range [][]string{nil, {"--help"}, {"help"}} {
		if out, _ := good(t, args...); !strings.Contains(out, "Available Commands") || !strings.Contains(out, "explore, refine, confirm") {
			t.Errorf("%v prints %q", args, out)
		}
	}
	if out, _ := good(t, "models"); !strings.Contains(out, "init ") {
		t.Errorf("models prints %q", out)
	}
	if out, _ := good(t, "--version"); !strings.HasPrefix(out, "supermax version ") {
		t.Errorf("--version prints %q", out)
	}
	revision := []debug.BuildSetting{{Key: "vcs", Value: "git"}, {Key: "vcs.revision", Value: "abc"}}
	for want, info := range map[string]*debug.BuildInfo{
		"v1.2.3 (go1.26)":                    {GoVersion: "go1.26", Main: debug.Module{Version: "v1.2.3"}, Settings: revision},
		"development build of abc (go1.26)":  {GoVersion: "go1.26", Main: debug.Module{Version: "(devel)"}, Settings: revision},
		"development build (go1.26)":         {GoVersion: "go1.26"},
		"v0.0.0-20250501120000-abc (go1.26)": {GoVersion: "go1.26", Main: debug.Module{Version: "v0.0.0-20250501120000-abc"}},
	} {
		if got := version(info, true); got != want {
			t.Errorf("version %q, want %q", got, want)
		}
	}
	if got := version(nil, false); got != "of unknown build" {
		t.Errorf("version %q", got)
	}
}

func TestModelsInit(t *testing.T) {
	corpus := filepath.Join(filepath.Dir(trainertest.File(t)), "corpus")
	args := []string{"models", "init", filepath.Join(t.TempDir(), "m"), "--layers", "1", "--hidden", "8", "--heads", "2", "--vocab", "60", "--corpus", corpus}
	if out, _ := good(t, args...); !strings.Contains(out, " parameters, ") {
		t.Errorf("prints %q", out)
	}
	if out, _ := good(t, args...); out != "" {
		t.Errorf("again prints %q", out)
	}
	refuses(t, append(args, "--heads", "3"), "hidden_size 8 is not a multiple")
	refuses(t, append(args, "--like", "gpt"), `like "gpt" is not known`)
}

func TestBaseline(t *testing.T) {
	corpus := filepath.Join("..", "..", "..", "..", "data", "sample", "groundtruth")
	out, _ := good(t, "baseline", corpus, "--agent", "evidence")
	if !strings.HasPrefix(out, "agent evidence\n") || strings.Count(out, "\n") < 3 {
		t.Errorf("prints %q", out)
	}
	if out, _ = good(t, "baseline", corpus, "--agent", "share"); !strings.Contains(out, "agent share, task evidence\n") ||
		!strings.Contains(out, "agent share, mean of its tasks: baseline F1-macro ") {
		t.Errorf("prints %q", out)
	}
	labelsOnly := t.TempDir()
	for _, name := range []string{"posts.csv", "groundtruth.csv"} {
		data, err := os.ReadFile(filepath.Join(corpus, name))
		if err == nil {
			err = os.WriteFile(filepath.Join(labelsOnly, name), data, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	out, _ = good(t, "baseline", labelsOnly)
	if !strings.HasPrefix(out, "agent criteria\n") || strings.Contains(out, "evidence") {
		t.Errorf("without an evidence table prints %q", out)
	}
}

// --agent runs the study for another agent, under a name of its own.
func TestAgent(t *testing.T) {
	file := trainertest.File(t)
	f := runFlags{agent: "evidence", options: home.Options{Device: "cpu"}}
	if s, err := f.load(&cobra.Command{}, file); err != nil || s.Agent != "evidence" || s.Name != "small-evidence" {
		t.Errorf("study %+v, %v", s, err)
	}
	f.agent = "criteria"
	if s, err := f.load(&cobra.Command{}, file); err != nil || s.Name != "small" {
		t.Errorf("study %+v, %v", s, err)
	}
}

func TestStatusOf(t *testing.T) {
	done, cancel := context.WithCancel(t.Context())
	cancel()
	for _, tt := range []struct {
		ctx  context.Context
		err  error
		want int
	}{
		{t.Context(), nil, exitOK},
		{done, nil, exitOK}, // it had come to its end
		{t.Context(), errors.New("x"), exitFailed},
		{t.Context(), fmt.Errorf("x: %w", usage("y")), exitInput},
		{t.Context(), fmt.Errorf("x: %w", mistake.Err), exitInput},
		{t.Context(), &config.Error{}, exitInput},
		{t.Context(), &fs.PathError{Err: syscall.EACCES}, exitInput},
		{t.Context(), &fs.PathError{Err: syscall.EROFS}, exitInput},
		{t.Context(), &fs.PathError{Err: syscall.ENOSPC}, exitInput},
		{t.Context(), context.Canceled, exitFailed},
		{done, context.Canceled, exitInterrupted},
		{done, errors.New("interrupted (9)"), exitInterrupted}, // SQLite's own word
		{done, mistake.Err, exitInput},
	} {
		if got := statusOf(tt.ctx, tt.err); got != tt.want {
			t.Errorf("status of %v is %d, want %d", tt.err, got, tt.want)
		}
	}
}

// An error of several lines is written as one.
func TestOneSentence(t *testing.T) {
	var b bytes.Buffer
	complain(&b, errors.Join(errors.New("one"), errors.New("two")))
	if got := b.String(); got != "supermax: one; two\n" {
		t.Errorf("got %q", got)
	}
}
