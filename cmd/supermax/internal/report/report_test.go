package report

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/supermax-hpo/supermax/cmd/supermax/internal/trainertest"
	"github.com/supermax-hpo/supermax/shared/config"
	"github.com/supermax-hpo/supermax/shared/protocol"
	"github.com/supermax-hpo/supermax/shared/results"
	"github.com/supermax-hpo/supermax/shared/space"
	"github.com/supermax-hpo/supermax/shared/study"
)

var made = time.Date(2025, 5, 1, 12, 30, 0, 0, time.UTC)

// page writes the report of a world and checks that its charts are well formed. With
// SUPERMAX_KEEP_REPORTS it is kept in that folder, to be looked at.
func write(t *testing.T, state *study.State, rows []results.Row) string {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, state, rows, made); err != nil {
		t.Fatal(err)
	}
	page := b.String()
	for rest := page; ; {
		at := strings.Index(rest, "<svg")
		if at < 0 {
			break
		}
		end := strings.Index(rest[at:], "</svg>") + len("</svg>")
		d := xml.NewDecoder(strings.NewReader(rest[at : at+end]))
		for {
			if _, err := d.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("a chart is not well formed: %v", err)
			}
		}
		rest = rest[at+end:]
	}
	for _, bad := range []string{"NaN", "Inf", "-0<", "&lt;nil", "%!"} {
		if strings.Contains(page, bad) {
			t.Errorf("the page holds %q", bad)
		}
	}
	if dir := os.Getenv("SUPERMAX_KEEP_REPORTS"); dir != "" {
		if err := os.WriteFile(filepath.Join(dir, t.Name()+".html"), b.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return page
}

func contains(t *testing.T, page string, all ...string) {
	t.Helper()
	for _, want := range all {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
}

func lacks(t *testing.T, page string, all ...string) {
	t.Helper()
	for _, bad := range all {
		if strings.Contains(page, bad) {
			t.Errorf("the page holds %q", bad)
		}
	}
}

func TestFinished(t *testing.T) {
	world := trainertest.NewWorld(t, nil)
	world.Walk("A", "B", "C")
	state := world.Now()
	page := write(t, state, world.Rows())
	chosen, _ := state.Chosen()
	contains(t, page, "<title>small · Supermax</title>", "report of 2025-05-01 12:30 UTC",
		"<b>"+score(chosen.Value.F1Macro)+"</b>", "<b>0.4000</b>", "<b>0.3500</b>",
		"Stage A · explore", "Stage B · refine", "Stage C · confirm", "<th>fold 1</th>", ">chosen</td>",
		"Both goals, and the Pareto front", "<dt>head.pooling</dt>", "Bold: on the Pareto front")
	lacks(t, page, "Nothing is chosen", "nothing was reported", "Failed trials", "head.hidden_dim</dt><dd>0<")
	// A dot for every report that was trained, a line for every trial with rows.
	for _, stage := range []protocol.Stage{"A", "B"} {
		if got, want := strings.Count(string(progress(state, stage)), "<circle"), len(state.Accepted(stage)); got != want {
			t.Errorf("stage %s: %d dots, want %d", stage, got, want)
		}
		if got, want := strings.Count(string(curves(state, stage, world.Rows())), `class="line`), len(state.Trials(stage)); got != want {
			t.Errorf("stage %s: %d curves, want %d", stage, got, want)
		}
	}
	if got, want := strings.Count(string(pareto(state, "B")), "<circle"), len(state.Best("B"))+len(state.Pareto("B")); got != want {
		t.Errorf("%d dots, want %d", got, want)
	}
	// The page needs nothing beside it.
	lacks(t, page, "http://", "https://", "<script", "<link", "@import", "url(")
}

// The mean over a trial's seeds, by hand.
func TestCurvesAreMeans(t *testing.T) {
	world := trainertest.NewWorld(t, func(c *config.Study) { c.Stages.A.Trials = 1 })
	world.Walk("A")
	rows := []results.Row{
		{Stage: "A", Trial: 0, Seed: 1, Epoch: 2, F1Macro: 0.9}, {Stage: "A", Trial: 0, Seed: 2, Epoch: 2, F1Macro: 0.5},
		{Stage: "A", Trial: 0, Seed: 1, Epoch: 1, F1Macro: 0.2}, {Stage: "A", Trial: 0, Seed: 2, Epoch: 1, F1Macro: 0.4},
		{Stage: "A", Trial: 0, Seed: 1, Epoch: 0, F1Macro: 0.1}, {Stage: "B", Trial: 0, Seed: 1, Epoch: 3, F1Macro: 0.1},
	}
	// Epochs 1 and 2 at 0.3 and 0.7, with 4 % of air: x from 0.96 to 2.04 over 58…626, y
	// from 0.284 to 0.716 over 256…12.
	if got := string(curves(world.Now(), "A", rows)); !strings.Contains(got, `d="M79.0 247.0L605.0 21.0"`) {
		t.Errorf("got %s", got)
	}
}

// A trial has the colour of the epoch that it reached, also where trials differ in their
// rungs; where there are more rungs than colours, neighbours share one.
func TestRungColours(t *testing.T) {
	few := []int{1, 3, 9}
	if d := cmp.Diff([]key{{"c0", "epoch 1"}, {"c1", "epoch 3"}, {"c2", "epoch 9"}}, rungKeys(few)); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	many := []int{1, 2, 3, 4, 5, 6, 7, 8}
	want := []key{{"c0", "epochs 1 to 2"}, {"c1", "epoch 3"}, {"c2", "epoch 4"}, {"c3", "epochs 5 to 6"}, {"c4", "epoch 7"}, {"c5", "epoch 8"}}
	if d := cmp.Diff(want, rungKeys(many)); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	reported := func(epochs ...int) (t study.Trial) {
		for _, e := range epochs {
			t.Reports = append(t.Reports, study.Report{ToEpoch: e})
		}
		return t
	}
	for _, tt := range []struct {
		rungs []int
		trial study.Trial
		want  string
	}{{few, reported(), "c0"}, {few, reported(1), "c0"}, {few, reported(3), "c1"}, {few, reported(3, 9), "c2"}, {many, reported(1, 2), "c0"}, {many, reported(8), "c5"}} {
		if got := rungClass(tt.rungs, tt.trial); got != tt.want {
			t.Errorf("%v of %v has the colour %s, want %s", tt.trial.Reports, tt.rungs, got, tt.want)
		}
	}
}

func TestNothingYet(t *testing.T) {
	world := trainertest.NewWorld(t, nil)
	page := write(t, world.Now(), nil)
	contains(t, page, "Nothing is chosen yet")
	lacks(t, page, "<svg", "<table")
}

func TestOneTrial(t *testing.T) {
	world := trainertest.NewWorld(t, func(c *config.Study) { c.Stages.A.Trials = 1 })
	world.Walk("A")
	page := write(t, world.Now(), world.Rows())
	contains(t, page, "Nothing is chosen yet", `<circle class="dot c0"`, "Stage A", "Best trials")
	one := []results.Row{{Stage: "A", Trial: 0, Epoch: 1, F1Macro: 0.5}}
	contains(t, string(curves(world.Now(), "A", one)), "<title>trial 0: F1-macro 0.5000</title>")
	lacks(t, page, "Stage B", "nothing was reported")
}

// A trial that breaks the stage's limits cannot be handed on, however good it is.
func TestLimits(t *testing.T) {
	world := trainertest.NewWorld(t, func(c *config.Study) { c.Stages.A.Limits.ECE = 1e-6 })
	world.Open("A")
	world.Train("A", trainertest.Working)
	contains(t, write(t, world.Now(), world.Rows()), `<tr class="over">`, "Struck through: breaks the stage")
	world = trainertest.NewWorld(t, nil)
	world.Open("A")
	world.Train("A", trainertest.Working)
	lacks(t, write(t, world.Now(), world.Rows()), `class="over"`, "Struck through")
}

func TestFailures(t *testing.T) {
	world := trainertest.NewWorld(t, nil)
	world.Open("A")
	world.Train("A", trainertest.Failing)
	page := write(t, world.Now(), nil)
	contains(t, page, "Failed trials", "<td>nan</td>", "the loss is no number &lt;b&gt;&amp;", "nothing was reported yet", "6 failed")
	lacks(t, page, "<b>&", "Best trials")
}

// A candidate with a failed fold, and one that is not through yet.
func TestConfirming(t *testing.T) {
	world := trainertest.NewWorld(t, nil)
	world.Walk("A", "B")
	world.Open("C")
	page := write(t, world.Now(), world.Rows())
	contains(t, page, "Stage C · confirm", "<td>–</td><td>–</td><td>–</td><td>–</td>")
	lacks(t, page, ">chosen</td>", ">failed</td>")
	ask := protocol.AskRequest{SchemaVersion: 1, Study: "small", Stage: "C", Slot: "x", Device: protocol.Device{Name: "cpu"}, Token: 1}
	reply, err := world.Ask(t.Context(), ask)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := world.Tell(t.Context(), protocol.TellRequest{SchemaVersion: 1, Study: "small", Trial: reply.Work.Trial, Attempt: reply.Work.Attempt,
		Outcome: protocol.Outcome{Failed: &protocol.Failure{Kind: protocol.FailedOOM, Message: "out of memory"}}}); err != nil {
		t.Fatal(err)
	}
	world.Train("C", trainertest.Working)
	contains(t, write(t, world.Now(), world.Rows()), "<td>failed: oom</td>", ">failed</td>")
}

// Names come from the study file, which anybody may write.
func TestEscapes(t *testing.T) {
	c := chart{xLabel: `<i>"x"`, yLabel: "a & b", series: []series{{class: "c0", x: []float64{1}, y: []float64{2}, titles: []string{"<script>"}}}}
	got := string(c.svg())
	contains(t, got, "&lt;i&gt;&#34;x&#34;", "a &amp; b", "<title>&lt;script&gt;</title>")
	lacks(t, got, "<script>", "<i>")
}

func TestWriteFails(t *testing.T) {
	world := trainertest.NewWorld(t, nil)
	r, w := io.Pipe()
	_ = r.Close()
	if err := Write(w, world.Now(), nil, made); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("error %v", err)
	}
}

func TestNumbers(t *testing.T) {
	for value, want := range map[space.Value]string{
		space.Int(12): "12", space.Float(0.0012345): "0.00123", space.Float(2): "2", space.String("x"): "x", space.Bool(true): "true",
	} {
		if got := short(value); got != want {
			t.Errorf("short(%v) = %s, want %s", value, got, want)
		}
	}
	// Mean 2, squares 1 + 0 + 1 over 2: a standard deviation of 1.
	if got := spread([]float64{1, 2, 3}); got != "2.0000 ± 1.0000" {
		t.Errorf("spread = %s", got)
	}
	if got := spread([]float64{0.5}); got != "0.5000 ± 0.0000" {
		t.Errorf("spread of one = %s", got)
	}
}
