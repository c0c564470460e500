package home

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/supermax-hpo/supermax/cmd/supermax/internal/mistake"
	"github.com/supermax-hpo/supermax/cmd/supermax/internal/progress"
	"github.com/supermax-hpo/supermax/cmd/supermax/internal/trainertest"
	"github.com/supermax-hpo/supermax/shared/config"
	"github.com/supermax-hpo/supermax/shared/protocol"
	"github.com/supermax-hpo/supermax/shared/space"
	"github.com/supermax-hpo/supermax/shared/study"
)

// The test's own binary is the trainer of the runs below.
func TestMain(m *testing.M) {
	trainertest.Main()
	os.Exit(m.Run())
}

// prepare returns a study and options to run it with trainers of that behaviour.
func prepare(t *testing.T, mode string) (*config.Study, Options) {
	t.Helper()
	t.Setenv(trainertest.Env, mode)
	s, err := config.Load(trainertest.File(t))
	if err != nil {
		t.Fatal(err)
	}
	return s, Options{Runs: filepath.Join(t.TempDir(), "runs"), Slots: 2, Device: "cpu", Trainer: os.Args[0], pause: time.Millisecond}
}

// whole checks a run that came to its end: every accepted report has its rows once.
func whole(t *testing.T, f *Folder) *study.State {
	t.Helper()
	state, err := f.State(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	best, ok := state.Chosen()
	if !ok || best.Value == nil {
		t.Fatal("nothing is chosen")
	}
	rows, err := f.Rows(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got, want := map[string]int{}, map[string]int{}
	for _, r := range rows {
		got[fmt.Sprintf("%d/%d/%d/%d", r.Trial, r.Rung, r.Seed, r.Epoch)]++
	}
	for _, stage := range protocol.Stages() {
		seeds := map[protocol.Stage]int{"A": 2, "B": 1, "C": 1}[stage]
		rungs := state.Rungs(stage)
		for _, r := range state.Accepted(stage) {
			from := 1
			if r.Rung > 0 {
				from = rungs[r.Rung-1] + 1
			} else if stage == protocol.StageC {
				from = 0
			}
			for seed := 1; seed <= seeds; seed++ {
				for epoch := from; epoch <= r.ToEpoch; epoch++ {
					want[fmt.Sprintf("%d/%d/%d/%d", r.Trial, r.Rung, seed, epoch)]++
				}
			}
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d rows, want %d", len(got), len(want))
	}
	for row, n := range want {
		if got[row] != n {
			t.Errorf("row %s is there %d times", row, got[row])
		}
	}
	return state
}

// shown collects what a run shows.
type shown struct {
	mu   sync.Mutex
	list []progress.Status
}

func (s *shown) show(p progress.Status) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.list = append(s.list, p)
}

// A run stops by itself when its reports, 36 s at 2 an hour each, have cost its budget; it
// goes on with a higher one alone.
func TestRunWithBudget(t *testing.T) {
	s, o := prepare(t, trainertest.Working)
	o.Slots = 1
	dollars := func(v float64) *float64 { return &v }
	o.Budget = dollars(0.05)
	f, err := Run(t.Context(), s, o)
	if err != nil {
		t.Fatal(err)
	}
	state, err := f.State(t.Context())
	if err != nil || state.Stopped() != study.StoppedByBudget || len(state.Accepted("A")) != 3 {
		t.Fatalf("stopped by %q after %d reports, %v", state.Stopped(), len(state.Accepted("A")), err)
	}
	for _, budget := range []*float64{nil, dollars(0.06)} {
		o.Budget = budget
		if _, err := Run(t.Context(), s, o); !errors.Is(err, mistake.Err) || !strings.Contains(err.Error(), "has spent its budget of 0.0") {
			t.Errorf("error %v", err)
		}
	}
	o.Budget, o.Stages = dollars(10), []protocol.Stage{"A"}
	if _, err = Run(t.Context(), s, o); err != nil {
		t.Fatal(err)
	}
	o.Budget, o.Stages = nil, nil // as it was
	if f, err = Run(t.Context(), s, o); err != nil {
		t.Fatal(err)
	}
	if budget, ok := whole(t, f).BudgetDollars(); !ok || budget != 10 {
		t.Errorf("budget %v, %v", budget, ok)
	}
	o.Budget = dollars(0.01) // nothing is left to pay for
	if _, err := Run(t.Context(), s, o); err != nil {
		t.Error(err)
	}
}

func TestRunNeedsPrice(t *testing.T) {
	s, o := prepare(t, trainertest.Working)
	s.PricePerHour, o.Budget = 0, new(float64)
	if f, err := Run(t.Context(), s, o); f != nil || !errors.Is(err, mistake.Err) || !strings.Contains(err.Error(), "a budget needs a price") {
		t.Errorf("error %v", err)
	}
	if _, err := os.Stat(o.Runs); !os.IsNotExist(err) {
		t.Errorf("something was begun: %v", err)
	}
}

func TestRun(t *testing.T) {
	s, o := prepare(t, trainertest.Working)
	var all shown
	o.Show = all.show
	f, err := Run(t.Context(), s, o)
	if err != nil {
		t.Fatal(err)
	}
	state := whole(t, f)
	for stage, want := range map[protocol.Stage]int{"A": 6, "B": 4, "C": 4} {
		if c := state.Counts(stage); c.Limit != want || c.Completed+c.Paused != want {
			t.Errorf("stage %s: %+v", stage, c)
		}
	}
	for what, want := range map[string]string{"best": "schema_version: 1", "top": "stage: A", "pareto": "stage: B", "candidates": "stage: C"} {
		if data, err := f.Export(t.Context(), what, "yaml"); err != nil || !strings.Contains(string(data), want) {
			t.Errorf("%s: %s, %v", what, data, err)
		}
	}
	for _, format := range []string{"yaml", "json"} {
		want, err := f.Export(t.Context(), "best", format)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(f.Best(format)); err != nil || string(got) != string(want) {
			t.Errorf("best.%s is %s, %v", format, got, err)
		}
	}
	var opened, left string
	for _, p := range all.list {
		if p.Opened {
			opened += string(p.Stage)
		}
		if p.Left {
			left += string(p.Stage)
			if p.Rate <= 0 || p.ToGo < 0 || p.Best == nil {
				t.Errorf("last of stage %s: %+v", p.Stage, p)
			}
		}
	}
	if opened != "ABC" || left != "ABC" {
		t.Errorf("opened %s, left %s", opened, left)
	}

	// The same again changes nothing.
	before, err := os.ReadFile(f.Best("json"))
	if err != nil {
		t.Fatal(err)
	}
	o.Stages = []protocol.Stage{protocol.StageC}
	o.Show = nil
	if f, err = Run(t.Context(), s, o); err != nil {
		t.Fatal(err)
	}
	if after, err := os.ReadFile(f.Best("json")); err != nil || string(after) != string(before) {
		t.Errorf("best.json became %s, %v", after, err)
	}

	// Another study under this name is refused.
	s.Seed++
	_, err = Run(t.Context(), s, o)
	refused(t, err, f.Dir, "seed differ")
}

// A trainer that dies is replaced, its trial trained by another attempt.
func TestRunWithDyingTrainers(t *testing.T) {
	s, o := prepare(t, trainertest.Dying)
	var warned []string
	var mu sync.Mutex
	o.Warn = func(sentence string) {
		mu.Lock()
		defer mu.Unlock()
		warned = append(warned, sentence)
	}
	f, err := Run(t.Context(), s, o)
	if err != nil {
		t.Fatal(err)
	}
	state := whole(t, f)
	deaths := 0
	for _, stage := range protocol.Stages() {
		for _, trial := range state.Trials(stage) {
			for _, end := range trial.Ended {
				if end.Failure.Kind != protocol.FailedCrash || end.Told {
					t.Errorf("trial %d: %+v", trial.Number, end)
				}
				deaths++
			}
		}
	}
	if deaths != 5 || len(warned) != deaths || !strings.Contains(warned[0], "died (signal: killed) and is replaced") { // trials 0, 3, 6, 9, 12
		t.Errorf("%d deaths, warned %v", deaths, warned)
	}
	log, err := os.ReadFile(f.Log())
	if err != nil || strings.Count(string(log), "a trainer died and is replaced") != deaths {
		t.Errorf("log %s, %v", log, err)
	}
}

// Stopped in each stage, the run goes on from there; an interruption counts against no
// trial.
func TestRunStops(t *testing.T) {
	s, o := prepare(t, trainertest.Slow)
	for _, stage := range protocol.Stages() {
		ctx, cancel := context.WithCancel(t.Context())
		o.Show = func(p progress.Status) {
			if p.Stage == stage && p.Opened {
				time.AfterFunc(150*time.Millisecond, cancel)
			}
		}
		f, err := Run(ctx, s, o)
		if !errors.Is(err, context.Canceled) || f == nil {
			t.Fatalf("stage %s: error %v", stage, err)
		}
		state, err := f.State(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if c := state.Counts(stage); c.Running != 0 || state.Stage() != stage {
			t.Errorf("stopped in stage %s: in %s with %+v", stage, state.Stage(), c)
		}
	}
	t.Setenv(trainertest.Env, trainertest.Working)
	o.Show = nil
	f, err := Run(t.Context(), s, o)
	if err != nil {
		t.Fatal(err)
	}
	state := whole(t, f)
	for _, stage := range protocol.Stages() {
		for _, trial := range state.Trials(stage) {
			if trial.Requeues != 0 {
				t.Errorf("trial %d has %d requeues", trial.Number, trial.Requeues)
			}
		}
	}
}

// What the slots of a killed run held is given back, uncounted, when it goes on.
func TestRunAfterAKill(t *testing.T) {
	s, o := prepare(t, trainertest.Working)
	o.Stages = []protocol.Stage{protocol.StageA}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Run(ctx, s, o); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	f, err := LockFolder(o.Runs, s.Name, fingerprints(t, s), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	w := service(t, f, s)
	if _, err := w.Plan(t.Context(), protocol.StageRequest{SchemaVersion: 1, Study: s.Name, Stage: "A"}); err != nil {
		t.Fatal(err)
	}
	for _, slot := range []string{"b", "a"} {
		if _, err := w.Ask(t.Context(), protocol.AskRequest{SchemaVersion: 1, Study: s.Name, Stage: "A", Slot: slot, Device: protocol.Device{Name: "cpu"}, Token: 1}); err != nil {
			t.Fatal(err)
		}
	}
	f.Close()
	if f, err = Run(t.Context(), s, o); err != nil {
		t.Fatal(err)
	}
	state, err := f.State(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for n := range 2 {
		if trial, _ := state.Trial(n); len(trial.Ended) != 1 || trial.Ended[0].Failure.Kind != protocol.FailedInterrupted || trial.Requeues != 0 || len(trial.Reports) == 0 {
			t.Errorf("trial %d: %+v", n, trial)
		}
	}
	if !state.Closed("A") || state.Open("B") {
		t.Error("stage A was to be walked alone")
	}
}

func TestRunGivesUp(t *testing.T) {
	for mode, tt := range map[string]struct {
		input bool
		want  string
	}{
		trainertest.Wrong:    {true, "cannot work: open corpus: it is gone"},
		trainertest.Full:     {true, "no space left on device; free some disk space and start again"},
		trainertest.Panicked: {false, "died 5 times at once (exit status 2)"},
		trainertest.Broken:   {false, "ends with: libtorch.so: cannot open shared object file"},
		trainertest.Burning:  {false, "ends with: this machine is on fire"},
		trainertest.Idle:     {false, "stage A makes no progress: the trainers find no work though 0 trials are queued and 0 run"},
		trainertest.Failing:  {false, "promote stage A: no trial has a result, 6 of 6 trials failed; trial 5: nan"},
	} {
		t.Run(mode, func(t *testing.T) {
			s, o := prepare(t, mode)
			f, err := Run(t.Context(), s, o)
			if err == nil || !strings.Contains(err.Error(), tt.want) || errors.Is(err, mistake.Err) != tt.input || strings.Contains(err.Error(), "\n") {
				t.Fatalf("error %v (input %t), want %q (input %t)", err, errors.Is(err, mistake.Err), tt.want, tt.input)
			}
			state, err := f.State(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if c := state.Counts("A"); c.Running != 0 || c.Failed != 0 && mode != trainertest.Failing {
				t.Errorf("left %+v", c)
			}
		})
	}
}

// What is wrong before the run begins leaves no folder behind.
func TestRunRefuses(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	taken := listener.Addr().(*net.TCPAddr).Port
	for name, tt := range map[string]struct {
		edit func(s *config.Study, o *Options)
		want string
	}{
		"trainer":       {func(_ *config.Study, o *Options) { o.Trainer = "none" }, "--trainer none: there is no such file"},
		"trainer dir":   {func(_ *config.Study, o *Options) { o.Trainer = "/" }, "--trainer /: it is no program"},
		"trainer file":  {func(s *config.Study, o *Options) { o.Trainer = s.Corpus.Dir + "/posts.csv" }, "it is no program"},
		"port":          {func(_ *config.Study, o *Options) { o.Port = taken }, fmt.Sprintf("--port %d is in use", taken)},
		"corpus":        {func(s *config.Study, _ *Options) { s.Corpus.Dir += "/none" }, "open corpus"},
		"agent":         {func(s *config.Study, _ *Options) { s.Agent = "evidence" }, "evidence"},
		"split":         {func(s *config.Study, _ *Options) { s.Training.ValidFraction = 0.01 }, "split"},
		"folds":         {func(s *config.Study, _ *Options) { s.Stages.C.Folds = 100 }, "fold"},
		"weights":       {damage("model.safetensors", "x"), "model.name tiny: "},
		"vocabulary":    {damage("vocab.txt", "[PAD]\n"), "model.name tiny: "},
		"configuration": {damage("config.json", "{"), "model.name tiny: "},
		"ids": {func(s *config.Study, o *Options) {
			_ = os.Remove(filepath.Join(s.Models["tiny"], "vocab.txt"))
			damage("tokenizer.json", `{"normalizer": {"type": "BertNormalizer"}, "pre_tokenizer": {"type": "BertPreTokenizer"},
				"model": {"type": "WordPiece", "vocab": {"[UNK]": 0, "a": 999}}}`)(s, o)
		}, "model.name tiny: its tokenizer has 1000 ids, but vocab_size in its config.json is"},
		"length":   {narrow("tok.max_length", space.Int(192)), "model.name tiny: tok.max_length 192 is more than the 128 positions in its config.json"},
		"no place": {func(s *config.Study, _ *Options) { s.Models = nil }, "model.name"},
	} {
		t.Run(name, func(t *testing.T) {
			s, o := prepare(t, trainertest.Working)
			tt.edit(s, &o)
			f, err := Run(t.Context(), s, o)
			refused(t, err, tt.want)
			if _, err := os.Stat(o.Runs); err == nil || f != nil {
				t.Error("a run folder was made")
			}
		})
	}
}

// narrow fixes a parameter at another value of the whole space.
func narrow(name string, to space.Value) func(*config.Study, *Options) {
	return func(s *config.Study, _ *Options) {
		s.Constraints[name] = space.Constraint{Fix: to}
		s.Space, _ = s.Whole.Narrow(s.Constraints) // nil fails the test
	}
}

// damage overwrites a file of the study's backbone.
func damage(name, text string) func(*config.Study, *Options) {
	return func(s *config.Study, _ *Options) {
		_ = os.WriteFile(filepath.Join(s.Models["tiny"], name), []byte(text), 0o600) // the test sees no refusal then
	}
}

// Data that changed since the run was begun.
func TestRunRefusesOtherData(t *testing.T) {
	s, o := prepare(t, trainertest.Working)
	o.Stages = []protocol.Stage{protocol.StageA}
	if _, err := Run(t.Context(), s, o); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(s.Models["tiny"], "tokenizer_config.json")
	old, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, append(old, '\n'), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = Run(t.Context(), s, o)
	refused(t, err, "another content of the backbone tiny")
	if err := os.WriteFile(path, old, 0o600); err != nil {
		t.Fatal(err)
	}
	posts := filepath.Join(s.Corpus.Dir, "posts.csv")
	text, err := os.ReadFile(posts)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(posts, []byte(strings.Replace(string(text), "quiet", "loud", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = Run(t.Context(), s, o)
	refused(t, err, "another content of the corpus")
}

// A stage cannot be walked before those that feed it.
func TestRunStageTooEarly(t *testing.T) {
	s, o := prepare(t, trainertest.Working)
	o.Stages = []protocol.Stage{protocol.StageB}
	_, err := Run(t.Context(), s, o)
	refused(t, err, "plan stage B: stage A was not promoted yet")
}

func TestRunStoppedInValidation(t *testing.T) {
	s, o := prepare(t, trainertest.Working)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if f, err := Run(ctx, s, o); !errors.Is(err, context.Canceled) || errors.Is(err, mistake.Err) || f != nil {
		t.Errorf("error %v, folder %v", err, f)
	}
	if _, err := os.Stat(o.Runs); err == nil {
		t.Error("a run folder was made")
	}
}

// Files of a newer supermax are refused in one sentence, by a run and by a look.
func TestRunRefusesNewerFiles(t *testing.T) {
	for name, newer := range map[string]func(f *Folder) error{
		"store": func(f *Folder) error { return execute(f, "PRAGMA user_version = 9") },
		"event": func(f *Folder) error {
			return execute(f, `UPDATE events SET data = CAST(json_set(CAST(data AS TEXT), '$.v', 9) AS BLOB) WHERE seq = (SELECT max(seq) FROM events)`)
		},
		"snapshot": func(f *Folder) error {
			return execute(f, `UPDATE studies SET snapshot = CAST('{"schema_version": 9}' AS BLOB), snapshot_seq = seq; DELETE FROM events`)
		},
		"config": func(f *Folder) error {
			return os.WriteFile(filepath.Join(f.Objects(), filepath.FromSlash(config.Key(f.Name()))), []byte(`{"schema_version": 9}`), 0o600)
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, o := prepare(t, trainertest.Working)
			f, err := LockFolder(o.Runs, s.Name, fingerprints(t, s), day)
			if err != nil {
				t.Fatal(err)
			}
			service(t, f, s)
			f.Close()
			if err := newer(f); err != nil {
				t.Fatal(err)
			}
			_, err = Run(t.Context(), s, o)
			refused(t, err, "newer", "use a newer supermax")
			if name != "config" {
				_, err = f.State(t.Context())
				refused(t, err, "newer", "use a newer supermax")
			}
		})
	}
}

func execute(f *Folder, statement string) error {
	db, err := sql.Open("sqlite", f.db())
	if err != nil {
		return err
	}
	defer db.Close()
	_, err = db.Exec(statement)
	return err
}

// However little space is left, a run on a full disk ends with one sentence, and goes on
// when there is space again.
func TestRunDiskFull(t *testing.T) {
	if testing.Short() {
		t.Skip("four runs on small disks")
	}
	disk := small(t, "2m")
	s, o := prepare(t, trainertest.Slow)
	o.Runs = filepath.Join(disk, "runs")
	fill(t, disk, 0)
	_, err := Run(t.Context(), s, o)
	refused(t, err, "free some disk space and start again")
	for _, free := range []int{32 << 10, 128 << 10, 256 << 10, 320 << 10} {
		t.Run(fmt.Sprint(free), func(t *testing.T) {
			if err := os.RemoveAll(o.Runs); err != nil {
				t.Fatal(err)
			}
			fill(t, disk, free)
			_, err := Run(t.Context(), s, o)
			if err == nil {
				t.Skip("there was space enough")
			}
			refused(t, err, "free some disk space and start again")
			t.Log(err)
		})
	}
	if err := os.Remove(filepath.Join(disk, "filler")); err != nil {
		t.Fatal(err)
	}
	t.Setenv(trainertest.Env, trainertest.Working)
	f, err := Run(t.Context(), s, o)
	if err != nil {
		t.Fatal(err)
	}
	whole(t, f)
}
