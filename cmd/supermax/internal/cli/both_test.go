package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/supermax-hpo/supermax/cmd/supermax/internal/stacktest"
	"github.com/supermax-hpo/supermax/cmd/supermax/internal/trainertest"
	"github.com/supermax-hpo/supermax/shared/config"
	"github.com/supermax-hpo/supermax/shared/protocol"
)

// TestFlagsOfTheOtherHome refuses flags that would be passed over in silence.
func TestFlagsOfTheOtherHome(t *testing.T) {
	file := trainertest.File(t)
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"run", file, "--aws", "--runs", "x"}, "--runs has no meaning with --aws"},
		{[]string{"run", file, "--aws", "--threads", "2"}, "--threads has no meaning with --aws"},
		{[]string{"run", file, "--aws", "--device", "cuda"}, "--device has no meaning with --aws"},
		{[]string{"run", file, "--aws", "--agent", "evidence"}, "--agent has no meaning with --aws"},
		{[]string{"run", file, "--aws", "--slots", "10001"}, "--slots 10001 is not allowed; it must be from 1 to 10000 with --aws"},
		{[]string{"run", file, "--aws", "--budget", "-1"}, "--budget -1 is not allowed"},
		{[]string{"run", file, "--aws", "--budget", "NaN"}, "--budget NaN is not allowed"},
		{[]string{"run", "nofile.yaml", "--aws"}, "nofile.yaml"},
		{[]string{"run", file, "--agents", "criteria"}, "--agents has a meaning only with --aws"},
		{[]string{"run", file, "--budget", "-1"}, "--budget -1 is not allowed; it must be a number of dollars from 0"},
		{[]string{"stage", "a", file, "--budget", "+Inf"}, "--budget +Inf is not allowed"},
		{[]string{"run", file, "--detach"}, "--detach has a meaning only with --aws"},
		{[]string{"run", file, "--stack", "x"}, "--stack has a meaning only with --aws"},
		{[]string{"status", "x", "--stack", "x"}, "--stack has a meaning only with --aws"},
		{[]string{"status", "x", "--aws", "--runs", "x"}, "--runs has no meaning with --aws"},
		{[]string{"watch", "x", "--aws", "--runs", "x"}, "--runs has no meaning with --aws"},
		{[]string{"stop", "x", "--stack", "x"}, "--stack has a meaning only with --aws"},
		{[]string{"resume", "x", "--detach"}, "--detach has a meaning only with --aws"},
		{[]string{"resume", "x", "--aws", "--threads", "1"}, "--threads has no meaning with --aws"},
		{[]string{"resume", "x", "--slots", "1025"}, "--slots 1025 is not allowed"},
		{[]string{"resume", "x", "--budget", "-1"}, "--budget -1 is not allowed"},
		{[]string{"resume", "x", "--aws", "--budget", "-1"}, "--budget -1 is not allowed"},
		{[]string{"resume", "x", "--aws", "--slots", "10001"}, "--slots 10001 is not allowed; it must be from 1 to 10000 with --aws"},
		{[]string{"delete", "x", "--aws", "--runs", "x"}, "--runs has no meaning with --aws"},
		{[]string{"upload", file}, "supermax upload needs --aws"},
		{[]string{"purge", "--yes"}, "supermax purge needs --aws"},
		{[]string{"query", "SELECT 1", "--stack", "x"}, "--stack has a meaning only with --aws"},
		{[]string{"query", "SELECT 1 AS one", "--aws", "--study", "x"}, "--study goes with a saved query"},
		{[]string{"estimate", file, "--runs", "x"}, "--runs has a meaning only with --from"},
	} {
		refuses(t, tt.args, tt.want)
	}
}

func TestWithoutRegion(t *testing.T) {
	for _, name := range []string{"AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"} {
		t.Setenv(name, "")
	}
	none := filepath.Join(t.TempDir(), "none")
	t.Setenv("AWS_CONFIG_FILE", none)
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", none)
	file := trainertest.File(t)
	for _, args := range [][]string{{"run", file}, {"upload", file}, {"status", "x"}, {"watch", "x"}, {"stop", "x"}, {"resume", "x"}, {"delete", "x"},
		{"purge"}, {"query", "SELECT 1 AS one"}, {"estimate", file, "--from", "x"}} {
		refuses(t, append(args, "--aws"), "no region is set; set AWS_REGION")
	}
}

// TestStopHere stops a run as Ctrl-C does; resume goes on from the definition alone, and
// delete deletes.
func TestStopHere(t *testing.T) {
	file, runs := trainertest.File(t), filepath.Join(t.TempDir(), "runs")
	refuses(t, []string{"stop", "small", "--runs", runs}, `no run of study "small"`)
	cmd, stderr := start(t, trainertest.Slow, "run", file, "--runs", runs, "--trainer", os.Args[0], "--slots", "2")
	working(t, runs)
	under := fmt.Sprintf("process %d runs it", cmd.Process.Pid)
	if out, _ := good(t, "status", "small", "--runs", runs); !strings.Contains(out, under) {
		t.Errorf("status prints %q, want %q", out, under)
	}
	refuses(t, []string{"delete", "small", "--runs", runs, "--yes"}, "is in use by another supermax: stop it first")
	// The process is this one's child: it stays a zombie, without open files, until it is waited for.
	if out, _ := good(t, "stop", "small", "--runs", runs); out != fmt.Sprintf("process %d has stopped; supermax resume small goes on\n", cmd.Process.Pid) {
		t.Errorf("stop prints %q", out)
	}
	if status, _ := ended(t, cmd); status != exitInterrupted {
		t.Errorf("the run ended with %d: %s", status, stderr)
	}
	refuses(t, []string{"stop", "small", "--runs", runs}, "study small is not under way here: there is nothing to stop")
	if out, _ := good(t, "status", "small", "--runs", runs); !strings.Contains(out, "nothing is under way") {
		t.Errorf("status prints %q", out)
	}
	if _, shown := good(t, "watch", "small", "--runs", runs); strings.Count(shown, "\n") != 1 || !strings.HasPrefix(shown, "small A explore") {
		t.Errorf("watch shows %q", shown)
	}

	t.Setenv(trainertest.Env, trainertest.Working)
	if out, _ := good(t, "resume", "small", "--runs", runs, "--trainer", os.Args[0], "--slots", "2"); !strings.Contains(out, "chosen: trial ") {
		t.Errorf("resume prints %s", out)
	}
	if out, _ := good(t, "stop", "small", "--runs", runs); out != "study small is finished: there is nothing to stop\n" {
		t.Errorf("stop prints %q", out)
	}
	refuses(t, []string{"delete", "small", "--runs", runs}, "with everything in it, models and metrics too: give --yes to do it")
	if out, _ := good(t, "delete", "small", "--runs", runs, "--yes"); !strings.HasSuffix(out, "/small is deleted\n") {
		t.Errorf("delete prints %q", out)
	}
	if _, err := os.Stat(filepath.Join(runs, "small")); !os.IsNotExist(err) {
		t.Errorf("the run folder is still there: %v", err)
	}
}

// TestBudgetHere stops a run by itself at its budget. Of a slot's reports, 36 s at 2 an hour
// each, the third passes 0.05.
func TestBudgetHere(t *testing.T) {
	t.Setenv(trainertest.Env, trainertest.Working)
	file, runs := trainertest.File(t), filepath.Join(t.TempDir(), "runs")
	with := func(args ...string) []string {
		return append(args, "--runs", runs, "--trainer", os.Args[0], "--slots", "1")
	}
	out, _ := good(t, with("run", file, "--budget", "0.05")...)
	if out != "study small is stopped (budget), with 0.06 spent; go on with supermax resume small --budget DOLLARS\n" {
		t.Errorf("run prints %q", out)
	}
	if out, _ := good(t, "status", "small", "--runs", runs); !strings.Contains(out, "spent 0.06 of 0.05\nstopped (budget)\n") {
		t.Errorf("status prints %q", out)
	}
	for _, args := range [][]string{{"run", file}, {"resume", "small"}, {"resume", "small", "--budget", "0.06"}} {
		if status, _, stderr := call(with(args...)...); status != exitInput || !strings.Contains(stderr, "study small has spent its budget of 0.0") {
			t.Errorf("%v: status %d, %q", args, status, stderr)
		}
	}
	if out, _ := good(t, with("stage", "a", file, "--budget", "10")...); !strings.HasPrefix(out, "stage A is done") {
		t.Errorf("stage prints %q", out)
	}
	if out, _ := good(t, with("resume", "small")...); !strings.Contains(out, "chosen: trial ") {
		t.Errorf("resume prints %q", out)
	}
}

// TestWatchHere follows a run that another process does to its end.
func TestWatchHere(t *testing.T) {
	file, runs := trainertest.File(t), filepath.Join(t.TempDir(), "runs")
	cmd, stderr := start(t, trainertest.Slow, "run", file, "--runs", runs, "--trainer", os.Args[0], "--slots", "2")
	working(t, runs)
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	_, shown := good(t, "watch", "small", "--runs", runs)
	if err := <-ended; err != nil {
		t.Fatalf("%v: %s", err, stderr)
	}
	if !strings.Contains(shown, "small A explore") || !strings.Contains(shown, "small C confirm  done 4, running 0") {
		t.Errorf("watch shows %q", shown)
	}
}

// TestEstimate estimates from what a finished run measured, and from a given figure.
func TestEstimate(t *testing.T) {
	file, runs := finished(t)
	out, _ := good(t, "estimate", file, "--seconds-per-epoch", "3.6", "--slots", "2", "--instance", "g5.xlarge")
	// A: 6 trials, rungs 1, 2, 4, factor 2, 2 seeds: (6·1 + 3·1 + 1·2)·2 = 22 epochs.
	if !regexp.MustCompile(`(?m)^A +6 +22 +48 +3\.6 +0\.022 +0\.048 `).MatchString(out) || !strings.Contains(out, "seconds  as given") {
		t.Errorf("prints %s", out)
	}
	out, _ = good(t, "estimate", file, "--from", "small", "--runs", runs, "--format", "json")
	if !strings.Contains(out, `"seconds_of": "measured by study small"`) || !strings.Contains(out, `"control_dollars"`) {
		t.Errorf("prints %s", out)
	}
	for want, args := range map[string][]string{
		"nobody has measured the seconds an epoch of tiny takes agent criteria on g5.xlarge: give them with --seconds-per-epoch": {},
		"exclude each other": {"--from", "small", "--seconds-per-epoch", "1"},
		"--seconds-per-epoch 0 is not allowed; it must be above 0": {"--seconds-per-epoch", "0"},
		"--seconds-per-epoch NaN is not allowed":                   {"--seconds-per-epoch", "NaN"},
		`instance "x1" has no price`:                               {"--seconds-per-epoch", "1", "--instance", "x1"},
		"0 slots are not allowed":                                  {"--seconds-per-epoch", "1", "--slots", "0"},
		`--format "xml" is not allowed`:                            {"--seconds-per-epoch", "1", "--format", "xml"},
		"--agent x: ":                                              {"--seconds-per-epoch", "1", "--agent", "x"},
		`no run of study "none"`:                                   {"--from", "none"},
	} {
		refuses(t, append([]string{"estimate", file}, args...), want)
	}
}

// onAWS calls a command with a test's stack.
func onAWS(stack string, args ...string) []string { return append(args, "--aws", "--stack", stack) }

// TestCommandsOnAWS runs the commands against a stack whose state machine only waits: the
// test walks the study itself, as the stack's functions and trainers would.
func TestCommandsOnAWS(t *testing.T) {
	stack := stacktest.New(t, 6)
	ctx, file, at := t.Context(), trainertest.File(t), stack.Name
	refuses(t, onAWS(at, "status", "small"), "holds no study \"small\": start it with supermax run FILE --aws")
	refuses(t, onAWS(at, "resume", "small"), `has no definition of study "small"`)
	refuses(t, onAWS(at, "delete", "small"), `holds nothing of a study "small"`)
	refuses(t, onAWS("none-"+at, "status", "small"), "there is no stack none-"+at)

	if out, said := good(t, onAWS(at, "upload", file)...); out != "" || !strings.Contains(said, "the corpus is at s3://"+stack.Data+"/corpora/") {
		t.Errorf("upload prints %q, says %q", out, said)
	}
	out, said := good(t, onAWS(at, "run", file, "--detach")...)
	if !strings.Contains(out, "follow it with supermax watch small --aws") || !strings.Contains(said, "warning: the trainer's image none is not checked: it is not in ECR") ||
		!strings.Contains(said, "warning: the quotas are not checked: ") || !strings.Contains(said, "execution small-") {
		t.Errorf("run prints %q, says %q", out, said)
	}
	again, said := good(t, onAWS(at, "run", file, "--detach")...)
	if again != out || !strings.Contains(said, "is already under way") {
		t.Errorf("run again prints %q, says %q", again, said)
	}
	if _, err := stack.Service.Start(ctx, protocol.StartRequest{SchemaVersion: protocol.Version, Study: "small"}); err != nil {
		t.Fatal(err)
	}
	if out, _ := good(t, onAWS(at, "status", "small")...); !strings.Contains(out, "A      not open") || !strings.Contains(out, "execution small-") {
		t.Errorf("status prints %q", out)
	}
	if out, shown := good(t, onAWS(at, "watch", "small")...); !strings.Contains(out, "study small has not ended") || !strings.HasPrefix(shown, "small A explore") {
		t.Errorf("watch prints %q, shows %q", out, shown)
	}
	if _, shown := good(t, onAWS(at, "watch", "small")...); !strings.Contains(shown, "nothing of study small is under way") {
		t.Errorf("watch shows %q", shown)
	}
	walkThere(t, stack)

	if out, _ := good(t, onAWS(at, "run", file)...); !strings.Contains(out, "study small is done\n\nchosen: trial ") {
		t.Errorf("run prints %q", out)
	}
	if out, _ := good(t, onAWS(at, "stop", "small")...); out != "study small is finished: there is nothing to stop\n" {
		t.Errorf("stop prints %q", out)
	}
	if out, _ := good(t, onAWS(at, "resume", "small")...); !strings.Contains(out, "study small is done") {
		t.Errorf("resume prints %q", out)
	}
	if out, _ := good(t, onAWS(at, "status", "small")...); !strings.Contains(out, "C      closed  4") || strings.Contains(out, "under way") {
		t.Errorf("status prints %q", out)
	}
	if out, _ := good(t, onAWS(at, "best", "small")...); !strings.HasPrefix(out, "chosen: trial ") {
		t.Errorf("best prints %q", out)
	}
	if out, _ := good(t, onAWS(at, "trials", "small")...); strings.Count(out, "\n") != 1+6+4+4 {
		t.Errorf("trials prints %q", out)
	}
	if out, _ := good(t, onAWS(at, "export", "small", "--what", "pareto")...); !strings.Contains(out, "study: small\n") {
		t.Errorf("export prints %q", out)
	}
	page := filepath.Join(t.TempDir(), "report.html")
	if out, _ := good(t, onAWS(at, "report", "small", "--out", page)...); out != page+"\n" {
		t.Errorf("report prints %q", out)
	}
	if text, err := os.ReadFile(page); err != nil || !strings.Contains(string(text), "</html>") {
		t.Errorf("report: %v", err)
	}
	if out, said := good(t, onAWS(at, "query", "SELECT 0.5e0 AS half", "--format", "json")...); out != "{\"half\":0.5}\n" || !strings.Contains(said, "Athena scanned ") {
		t.Errorf("query prints %q, says %q", out, said)
	}
	refuses(t, onAWS(at, "query", "SELECT x AS x FROM nowhere"), "the query failed: ")
	if out, _ := good(t, onAWS(at, "estimate", file, "--from", "small")...); !strings.Contains(out, "measured by study small") {
		t.Errorf("estimate prints %q", out)
	}

	refuses(t, onAWS(at, "delete", "small"), "this deletes study small from the stack "+at+" in ", " objects and its state, models and metrics too")
	refuses(t, onAWS(at, "purge"), "objects in "+stack.Data+" and "+stack.Results)
	if out, _ := good(t, onAWS(at, "purge", "--yes")...); !strings.HasPrefix(out, "deleted: ") {
		t.Errorf("purge prints %q", out)
	}
	refuses(t, onAWS(at, "status", "small"), "holds no study")
}

// TestInterruptOnAWS ends the following alone.
func TestInterruptOnAWS(t *testing.T) {
	stack := stacktest.New(t, 60)
	file := trainertest.File(t)
	cmd, stderr := start(t, trainertest.Working, onAWS(stack.Name, "run", file, "--slots", "1")...)
	for began := time.Now(); time.Since(began) < 30*time.Second; time.Sleep(100 * time.Millisecond) {
		if _, out, _ := call(onAWS(stack.Name, "status", "small")...); strings.Contains(out, "execution small-") {
			break
		}
		_, _ = stack.Service.Start(t.Context(), protocol.StartRequest{SchemaVersion: protocol.Version, Study: "small"})
	}
	time.Sleep(500 * time.Millisecond) // it has heard that the execution is started
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	want := "supermax: study small goes on; follow it again with supermax watch small --aws, stop it with supermax stop small --aws\n"
	if status, _ := ended(t, cmd); status != exitInterrupted || !strings.HasSuffix(stderr.String(), want) {
		t.Errorf("status %d, %s", status, stderr)
	}
	if out, _ := good(t, onAWS(stack.Name, "status", "small")...); !strings.Contains(out, "execution small-") {
		t.Errorf("status prints %q", out)
	}
	if status, _, said := call(onAWS(stack.Name, "run", file, "--slots", "2")...); status != exitInput || !strings.Contains(said, "supermax: study small is under way in execution small-") {
		t.Errorf("run again: status %d, %s", status, said)
	}
	// The stack has no stop function.
	if status, _, said := call(onAWS(stack.Name, "stop", "small")...); status == exitOK || !strings.Contains(said, "stop") {
		t.Errorf("stop: status %d, %s", status, said)
	}
}

// walkThere takes the study through its stages.
func walkThere(t *testing.T, stack *stacktest.Stack) {
	t.Helper()
	ctx, s := t.Context(), stack.Service
	data, err := s.Objects.Read(ctx, config.Key("small"))
	if err != nil {
		t.Fatal(err)
	}
	c, err := config.FromJSON(data)
	if err != nil {
		t.Fatal(err)
	}
	must := func(_ any, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, stage := range protocol.Stages() {
		at := protocol.StageRequest{SchemaVersion: protocol.Version, Study: "small", Stage: stage}
		must(s.Plan(ctx, at))
		trainer := trainertest.Trainer{Calls: s, Objects: s.Objects, Study: c, Mode: trainertest.Working}
		must(nil, trainer.Run(ctx, stage, "slot-"+string(stage)))
		must(s.Aggregate(ctx, at))
		must(s.Promote(ctx, at))
	}
	must(s.Finish(ctx, protocol.StudyRequest{SchemaVersion: protocol.Version, Study: "small"}))
}

// TestSent tells of long uploads alone, and not too often.
func TestSent(t *testing.T) {
	var b strings.Builder
	now := time.Unix(0, 0)
	tell := sent(&b, func() time.Time { return now })
	tell("the corpus", 1, 10)
	now = now.Add(5 * time.Second)
	tell("the corpus", 10, 10) // it is over
	tell("the corpus", 5e6, 10e6)
	tell("the corpus", 6e6, 10e6)
	if b.String() != "the corpus: 5 of 10 MB\n" {
		t.Errorf("says %q", b.String())
	}
}
