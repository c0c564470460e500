package cloud

import (
	"errors"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/google/go-cmp/cmp"

	"github.com/supermax-hpo/supermax/cmd/supermax/internal/mistake"
	"github.com/supermax-hpo/supermax/cmd/supermax/internal/progress"
	"github.com/supermax-hpo/supermax/shared/config"
	"github.com/supermax-hpo/supermax/shared/protocol"
)

func keys(m map[string]*walk) iter.Seq[string] { return maps.Keys(m) }

func quiet() func(progress.Status) { return func(progress.Status) {} }

// refused checks that an error is one sentence for the user.
func refused(t *testing.T, what string, err error, want string) {
	t.Helper()
	if !errors.Is(err, mistake.Err) || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
		t.Errorf("%s: %v, want one line for the user with %q", what, err, want)
	}
}

func TestRun(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	e := w.start(Options{Slots: 2})
	if !e.Running() || !slices.Equal(e.Studies, []string{"small"}) || len(e.Name) != len("small-12345678-1") {
		t.Errorf("started %+v", e)
	}
	var mu sync.Mutex
	var opened, left []protocol.Stage
	end, err := w.Follow(ctx, e, func() func(progress.Status) {
		return func(s progress.Status) {
			mu.Lock()
			defer mu.Unlock()
			if s.Opened {
				opened = append(opened, s.Stage)
			}
			if s.Left {
				left = append(left, s.Stage)
			}
		}
	})
	if err != nil || end.Err() != nil {
		t.Fatal(err, end.Err())
	}
	if n := len(opened); n == 0 || opened[n-1] != "C" || left[len(left)-1] != "C" || !slices.IsSorted(opened) {
		t.Errorf("shown as opened %v, as left %v", opened, left)
	}
	s, err := w.Study("small")
	if err != nil {
		t.Fatal(err)
	}
	state, err := s.State(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := state.Chosen(); !ok {
		t.Error("nothing was chosen")
	}
	rows, err := s.Rows(ctx)
	if err != nil || len(rows) == 0 {
		t.Errorf("%d rows, %v", len(rows), err)
	}
	if best, err := s.Export(ctx, "best", "json"); err != nil || !strings.Contains(string(best), `"study": "small"`) {
		t.Errorf("best %s, %v", best, err)
	}
	if !slices.ContainsFunc(w.said, func(s string) bool { return strings.HasPrefix(s, "the corpus is at file://") }) {
		t.Errorf("said %q", w.said)
	}

	// The same command again: the study is at its end.
	again := w.start(Options{Slots: 2})
	if again.Running() || again.Err() != nil || !slices.Equal(again.Studies, []string{"small"}) || w.aws.called("start ") != 1 {
		t.Errorf("again: %+v, %d starts", again, w.aws.called("start "))
	}
	var shown []progress.Status
	if err := w.Show(ctx, "small", func(s progress.Status) { shown = append(shown, s) }); err != nil || len(shown) != 1 || shown[0].Stage != "C" {
		t.Errorf("shown %+v, %v", shown, err)
	}
}

// A command that is repeated finds the execution; one that differs is told of it.
func TestStartAgain(t *testing.T) {
	w := newWorld(t)
	w.aws.walks = false
	budget := 2.5
	first := w.start(Options{BudgetDollars: &budget})
	if again := w.start(Options{BudgetDollars: &budget, Slots: 4}); again.ARN != first.ARN || w.aws.called("start ") != 1 {
		t.Errorf("again: %+v", again)
	}
	_, err := w.Start(t.Context(), w.study(nil), Options{BudgetDollars: &budget, Slots: 5}, w.messages())
	refused(t, "other slots", err, "study small is under way in execution "+first.Name+" with other agents, slots or budget: follow it with supermax watch small --aws")

	w.aws.end(first.ARN, types.ExecutionStatusAborted)
	second := w.start(Options{BudgetDollars: &budget})
	if second.Name == first.Name || strings.TrimSuffix(second.Name, "2") != strings.TrimSuffix(first.Name, "1") {
		t.Errorf("names %s, then %s", first.Name, second.Name)
	}
	found, err := w.Execution(t.Context(), "small")
	if err != nil || found == nil || found.Name != second.Name {
		t.Errorf("found %+v, %v", found, err)
	}
	if none, err := w.Execution(t.Context(), "small-evidence"); none != nil || err != nil {
		t.Errorf("found %+v, %v", none, err)
	}
}

// An execution that somebody started by hand, with an input that is none of ours, is left
// alone.
func TestForeignExecutions(t *testing.T) {
	w := newWorld(t)
	w.aws.walks = false
	w.aws.foreign("text", `"hello"`)
	w.aws.foreign("path", `{"study":"../../x","agents":["criteria"]}`)
	w.aws.foreign("undefined", `{"study":"other","agents":["criteria"]}`)
	if e, err := w.Execution(t.Context(), "small"); e != nil || err != nil {
		t.Errorf("found %+v, %v", e, err)
	}
	if e, err := w.Execution(t.Context(), "other-criteria"); err != nil || e == nil || e.Name != "undefined" {
		t.Errorf("found %+v, %v", e, err)
	}
	w.start(Options{})
}

func TestStartRefuses(t *testing.T) {
	budget := 1.0
	for name, c := range map[string]struct {
		edit    func(w *world, c *config.Study)
		options Options
		want    string
	}{
		"agent":       {nil, Options{Agents: []string{"doctor"}}, "--agents doctor: "},
		"agent twice": {nil, Options{Agents: []string{"criteria", "criteria"}}, "criteria is there twice"},
		"no evidence": {nil, Options{Agents: []string{"criteria", "evidence"}}, "study small-evidence: "},
		"no price":    {func(_ *world, c *config.Study) { c.PricePerHour = 0 }, Options{BudgetDollars: &budget}, "a budget needs a price"},
		"no quota":    {func(w *world, _ *config.Study) { w.aws.quota = 3 }, Options{}, "no slot could ever start"},
		"no corpus":   {func(_ *world, c *config.Study) { c.Corpus.Dir += "-none" }, Options{}, "there is no such folder"},
		"no backbone": {func(_ *world, c *config.Study) { c.Models = map[string]string{} }, Options{}, "tiny (no folder under models)"},
		"no image":    {func(w *world, _ *config.Study) { w.aws.imageErr = noImage }, Options{}, "is not there: deploy the stack again"},
	} {
		w := newWorld(t)
		w.aws.walks = false
		study := w.study(func(s *config.Study) {
			if c.edit != nil {
				c.edit(w, s)
			}
		})
		_, err := w.Start(t.Context(), study, c.options, w.messages())
		refused(t, name, err, c.want)
		if n := w.aws.called("start "); n > 0 {
			t.Errorf("%s: an execution was started", name)
		}
		bucket, err := w.data(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if there, err := bucket.List(t.Context(), ""); err != nil || len(there) > 0 {
			t.Errorf("%s: %v was uploaded, %v", name, there, err)
		}
	}
}

// A study that exists is not started from another definition.
func TestStartAnotherDefinition(t *testing.T) {
	w := newWorld(t)
	e := w.start(Options{})
	if _, err := w.Follow(t.Context(), e, quiet); err != nil {
		t.Fatal(err)
	}
	_, err := w.Start(t.Context(), w.study(func(c *config.Study) { c.Stages.A.Trials = 7; c.Seed = 1 }), Options{}, w.messages())
	refused(t, "other trials", err, "holds a study small that was made from another definition (seed, stages differ)")
	err = w.Upload(t.Context(), w.study(func(c *config.Study) { c.PricePerHour = 3 }), nil, w.messages())
	refused(t, "upload", err, "(price_per_hour differ)")
}

func TestUpload(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	if err := w.Upload(ctx, w.study(nil), nil, w.messages()); err != nil {
		t.Fatal(err)
	}
	c, err := w.definition(ctx, "small")
	if err != nil || !strings.HasPrefix(c.Corpus.Dir, "file://") || !strings.Contains(c.Corpus.Dir, "/corpora/") || !strings.Contains(c.Models["tiny"], "/backbones/") {
		t.Errorf("definition %+v, %v", c, err)
	}
	if w.aws.called("start ") > 0 {
		t.Error("an execution was started")
	}
	refused(t, "an agent without evidence", w.Upload(ctx, w.study(nil), []string{"evidence"}, w.messages()), "study small-evidence")
	refused(t, "no agent", w.Upload(ctx, w.study(nil), []string{"x"}, w.messages()), "--agents x")
}

func TestResume(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	_, err := w.Resume(ctx, "small", Options{}, w.messages())
	refused(t, "nothing there", err, `has no definition of study "small"`)
	_, err = w.Resume(ctx, "../x", Options{}, w.messages())
	refused(t, "a path", err, "study name")
	if err := w.Upload(ctx, w.study(nil), nil, w.messages()); err != nil {
		t.Fatal(err)
	}
	// Another agent's study goes on from the same definition; the definition's own agent
	// has no study of that name.
	_, err = w.Resume(ctx, "small-criteria", Options{}, w.messages())
	refused(t, "own agent", err, `has no definition of study "small-criteria"`)
	w.aws.walks = false
	e, err := w.Resume(ctx, "small-evidence", Options{Slots: 3}, w.messages())
	if err != nil {
		t.Fatal(err)
	}
	want := protocol.StartRequest{SchemaVersion: 1, Study: "small", Agents: []string{"evidence"}, Slots: 3}
	if d := cmp.Diff(want, e.Request); d != "" || !slices.Equal(e.Studies, []string{"small-evidence"}) {
		t.Errorf("%v; %s", e.Studies, d)
	}
	w.aws.walks = true
	if e, err = w.Resume(ctx, "small", Options{}, w.messages()); err != nil {
		t.Fatal(err)
	}
	if end, err := w.Follow(ctx, e, quiet); err != nil || end.Err() != nil {
		t.Errorf("%v, %v", end, err)
	}
}

// A budget that is spent needs a higher one; an execution that would fail for it is not
// started.
func TestResumeWithoutBudget(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	little := 0.05 // two reports of 36 s at 2 an hour are 0.04, a third one stops the study
	e := w.start(Options{BudgetDollars: &little})
	end, err := w.Follow(ctx, e, quiet)
	if err != nil || end.Err() != nil {
		t.Fatal(err, end)
	}
	state, err := w.service.State(ctx, "small")
	if err != nil || state.Stopped() != "budget" {
		t.Fatalf("stopped by %q, %v", state.Stopped(), err)
	}
	_, err = w.Resume(ctx, "small", Options{}, w.messages())
	refused(t, "no more money", err, "study small has spent its budget of 0.05: 0.06 so far; go on with a higher one, --budget DOLLARS")
	_, err = w.Resume(ctx, "small", Options{BudgetDollars: &little}, w.messages())
	refused(t, "the same again", err, "has spent its budget")
	more := 10.0
	if e, err = w.Resume(ctx, "small", Options{BudgetDollars: &more}, w.messages()); err != nil {
		t.Fatal(err)
	}
	if end, err := w.Follow(ctx, e, quiet); err != nil || end.Err() != nil {
		t.Errorf("%v, %v", end, err)
	}
}

// What the first state refuses is what the person reads.
func TestFailedExecution(t *testing.T) {
	w := newWorld(t)
	w.aws.foreign("bad", `{"schema_version":1,"study":"small","slots":-1}`)
	e, err := w.Execution(t.Context(), "small")
	if err != nil {
		t.Fatal(err)
	}
	w.aws.mu.Lock()
	w.aws.executions[e.ARN].cause = `{"errorType":"Invalid","errorMessage":"start study small: slots: -1 is not allowed;\n allowed: 1 to 10000"}`
	w.aws.mu.Unlock()
	w.aws.end(e.ARN, types.ExecutionStatusFailed)
	end, err := w.Follow(t.Context(), e, quiet)
	if err != nil {
		t.Fatal(err)
	}
	want := "execution bad ended as FAILED: Conflict: start study small: slots: -1 is not allowed; allowed: 1 to 10000; supermax resume small --aws goes on with what there is"
	if got := end.Err(); got == nil || got.Error() != want {
		t.Errorf("%v, want %s", got, want)
	}
}

func TestFailure(t *testing.T) {
	for _, c := range []struct{ code, cause, want string }{
		{"States.Timeout", "", "States.Timeout"}, {"", "x\n y", "x y"}, {"NoProgress", "ten rounds", "NoProgress: ten rounds"},
		{"E", `{"errorMessage":"a  b","errorType":"E"}`, "E: a b"}, {"E", `{"x":1}`, `E: {"x":1}`},
		{"E", strings.Repeat("ä", 400), "E: " + strings.Repeat("ä", 300) + "…"}, {"", "", ""},
	} {
		if got := failure(c.code, c.cause); got != c.want {
			t.Errorf("failure(%q, %q) = %q, want %q", c.code, c.cause, got, c.want)
		}
	}
}

func TestExecutionName(t *testing.T) {
	long := "a." + strings.Repeat("b", 62)
	name := executionName(long, []byte("x"), []byte("y"), maxAttempts)
	if len(name) > 80 || notInNames.MatchString(name) || !strings.HasPrefix(name, "a_bb") {
		t.Errorf("%s has %d characters", name, len(name))
	}
	if executionName("s", []byte("x"), []byte("z"), 1) == executionName("s", []byte("x"), []byte("y"), 1) {
		t.Error("two inputs have one name")
	}
}

func TestStudyRefused(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	_, err := w.Study("a/b")
	refused(t, "a path", err, "study name")
	s, err := w.Study("none")
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.State(ctx)
	refused(t, "state", err, `the stack Supermax in eu-west-1 holds no study "none": start it with supermax run FILE --aws`)
	_, err = s.Export(ctx, "best", "json")
	refused(t, "export", err, "study none has no best yet")
	_, err = s.Export(ctx, "all", "json")
	refused(t, "export", err, `"all" cannot be exported`)
	refused(t, "show", w.Show(ctx, "none", func(progress.Status) {}), "holds no study")
	_, err = w.Execution(ctx, "a/b")
	refused(t, "a path", err, "study name")
}
