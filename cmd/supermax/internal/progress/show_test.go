package progress

import (
	"bytes"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/supermax-hpo/supermax/cmd/supermax/internal/trainertest"
	"github.com/supermax-hpo/supermax/shared/asha"
	"github.com/supermax-hpo/supermax/shared/config"
	"github.com/supermax-hpo/supermax/shared/protocol"
	"github.com/supermax-hpo/supermax/shared/sampler"
	"github.com/supermax-hpo/supermax/shared/study"
)

// picture is a stage amid its work.
func picture() Status {
	return Status{
		Study: "s", Stage: "A", Counts: protocol.Counts{Limit: 9, Running: 2, Paused: 3, Completed: 1, Failed: 1},
		Best: &study.Value{F1Macro: 0.8125, ECE: 0.0625}, Trial: 4,
		Rungs: []Rung{{1, 4, 0.75}, {3, 1, 0.8125}, {9, 0, 0}},
		Rate:  2.5, Elapsed: 2 * time.Minute, ToGo: 3*time.Minute + 20*time.Second, Cost: 0.5, ToSpend: 1,
	}
}

func TestLine(t *testing.T) {
	counts := "s A explore  done 1, running 2, paused 3, failed 1 of 9"
	for name, tt := range map[string]struct {
		edit func(p *Status)
		want string
	}{
		"all":     {func(*Status) {}, counts + "  best F1 0.812 ECE 0.062 (trial 4)  2.5 reports/min, 2m00s gone, about 3m20s left  cost 0.50, about 1.00 to come"},
		"nothing": {func(p *Status) { *p = Status{Study: "s", Stage: "B"} }, "s B refine   done 0, running 0, paused 0, failed 0 of 0"},
		"ended":   {func(p *Status) { p.ToGo, p.Cost = 0, 0 }, counts + "  best F1 0.812 ECE 0.062 (trial 4)  2.5 reports/min, 2m00s gone"},
		"confirm": {func(p *Status) { p.Stage, p.Rate, p.Cost = "C", 0, 0 }, "s C confirm  done 1, running 2, paused 3, failed 1 of 9  best F1 0.812 ECE 0.062 (over its folds, trial 4)"},
	} {
		p := picture()
		tt.edit(&p)
		if d := cmp.Diff(tt.want, line(p)); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}

func TestDuration(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0s", 59400 * time.Millisecond: "59s", 59600 * time.Millisecond: "1m00s", 200 * time.Second: "3m20s",
		5*time.Hour + 7*time.Minute: "5h07m", 47 * time.Hour: "47h00m", 291 * time.Hour: "12d3h",
	} {
		if got := duration(d); got != want {
			t.Errorf("duration(%d) = %s, want %s", d, got, want)
		}
	}
}

func TestShowLines(t *testing.T) {
	var b bytes.Buffer
	show := Lines(&b, time.Hour)
	p := picture()
	steps := []struct {
		edit func()
		want bool
	}{
		{func() { p.Opened = true }, true},
		{func() { p.Opened = false }, false},
		{func() { p.Counts.Completed++ }, false}, // too soon
		{func() { p.Left = true }, true},
		{func() {}, false}, // nothing new
		{func() { p.Opened, p.Left = true, false }, true},
	}
	for i, step := range steps {
		step.edit()
		b.Reset()
		show(p)
		if got := strings.Count(b.String(), "\n") == 1; got != step.want || !step.want && b.Len() > 0 {
			t.Errorf("step %d shows %q", i, b.String())
		}
	}
	b.Reset()
	show = Lines(&b, 0)
	show(p)
	p.Opened = false
	show(p)
	p.Counts.Running--
	show(p)
	if strings.Count(b.String(), "\n") != 2 {
		t.Errorf("shown %q", b.String())
	}
}

// screen follows the few controls that Screen uses, as a terminal of that width does.
func screen(width int, text string) []string {
	lines := []string{""}
	row := 0
	for text != "" {
		switch {
		case strings.HasPrefix(text, "\r\x1b[2K"):
			lines[row] = ""
			text = text[len("\r\x1b[2K"):]
		case strings.HasPrefix(text, "\x1b["):
			up, rest, _ := strings.Cut(text[2:], "A")
			for _, c := range up {
				row -= int(c - '0')
			}
			text = rest
		case text[0] == '\n':
			if row++; row == len(lines) {
				lines = append(lines, "")
			}
			text = text[1:]
		default:
			end := strings.IndexAny(text, "\r\n\x1b")
			for _, c := range text[:end] {
				if lines[row] += string(c); len([]rune(lines[row])) == width { // it wraps
					lines = append(lines, "")
					row++
				}
			}
			text = text[end:]
		}
	}
	return lines
}

func TestShowScreen(t *testing.T) {
	for _, width := range []int{20, 30, 60, 200} {
		var b bytes.Buffer
		show := Screen(&b, func() int { return width })
		p := picture()
		p.Best, p.Rate, p.Cost = nil, 0, 0
		p.Opened = true
		show(p)
		p = picture()
		show(p)
		p.Cost = 0 // one line less: the last one is wiped
		show(p)
		p.Stage, p.Opened = "B", true // below the last picture of A
		show(p)
		p.Opened = false
		show(p)
		var want []string
		for _, stage := range []protocol.Stage{"A", "B"} {
			p.Stage = stage
			for _, l := range append(lines(p), rungTable(p)...) {
				want = append(want, cut(l, width))
			}
			if stage == "A" {
				want = append(want, "")
			}
		}
		if d := cmp.Diff(append(want, ""), screen(width, b.String())); d != "" {
			t.Errorf("width %d (-want +got):\n%s", width, d)
		}
	}
}

func TestCut(t *testing.T) {
	for _, tt := range []struct {
		text    string
		columns int
		want    string
	}{
		{"abcdef", 0, "abcdef"}, {"abcdef", 7, "abcdef"}, {"abcdef", 6, "abcd…"}, {"äöüäöü", 4, "äö…"}, {"abcdef", 2, "…"}, {"ab", 1, "ab"},
	} {
		if got := cut(tt.text, tt.columns); got != tt.want {
			t.Errorf("cut(%q, %d) = %q, want %q", tt.text, tt.columns, got, tt.want)
		}
	}
}

// Of 8 trials with a factor of 2, 8 report at rung 0 of 1 epoch, 4 at rung 1 of 2 more
// epochs, 2 at rung 2 of 6 more: 8 + 8 + 12 epochs in all.
func TestEpochs(t *testing.T) {
	scheduler, err := asha.NewScheduler(asha.Options{Kind: asha.KindASHA, Directions: []sampler.Direction{sampler.Maximize}, First: 1, Last: 9, Factor: 3})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		trials      int
		reported    map[span]int
		done, total float64
	}{
		// 9, 3 and 1 trials in rungs of 1, 2 and 6 epochs: 9 + 6 + 6.
		{9, nil, 0, 21},
		{9, map[span]int{{0, 1}: 4, {1, 3}: 1}, 4 + 2, 21},
		{9, map[span]int{{0, 1}: 4, {1, 3}: 1, {3, 9}: 3}, 6 + 18, 9 + 6 + 18}, // more than expected
		{0, map[span]int{{0, 1}: 4}, 4, 4},
	} {
		if done, total := epochsOf(scheduler.Expected(c.trials), c.reported); done != c.done || total != c.total {
			t.Errorf("%d trials, %v: %g of %g, want %g of %g", c.trials, c.reported, done, total, c.done, c.total)
		}
	}
}

// The bound that is reached first counts, in the ratio of all to what was spent.
func TestRoom(t *testing.T) {
	for _, c := range []struct {
		budget study.Budget
		want   float64
	}{
		{study.Budget{}, math.Inf(1)},
		{study.Budget{Epochs: 60}, 2},
		{study.Budget{Epochs: 60, GPUHours: 6}, 1.5},
		{study.Budget{GPUHours: 40, Dollars: 12}, 1.2},
		{study.Budget{Dollars: 5}, 0.5}, // passed by what ran
	} {
		if got := room(c.budget, study.Budget{Epochs: 30, GPUHours: 4, Dollars: 10}); got != c.want {
			t.Errorf("%+v has room for %v times as much, want %v", c.budget, got, c.want)
		}
	}
}

// A stage that ended at its budget has nothing left, though it has not tried all its trials.
func TestBudgetEndsAStage(t *testing.T) {
	world := trainertest.NewWorld(t, func(c *config.Study) { c.Stages.A.Trials, c.Stages.A.Budget.Epochs = 50, 20 })
	world.Open("A")
	world.Train("A", trainertest.Working)
	p := Of(world.Now(), "A", 2)
	if p.Counts.Limit != 50 || p.Reports() == 0 || p.Reports() > 10 || p.total < p.done || p.total > 10 { // with two seeds 20 epochs are 10
		t.Errorf("%+v", p)
	}
}

func TestSummarize(t *testing.T) {
	world := trainertest.NewWorld(t, func(c *config.Study) { c.Stages.A.Trials = 3 })
	if p := Of(world.Now(), "A", 2); p.Best != nil || p.Cost != 0 || p.ToSpend != 0 || len(p.Rungs) != 3 {
		t.Errorf("before: %+v", p)
	}
	world.Walk("A", "B")
	state := world.Now()
	p := Of(state, "A", 2)
	best := state.Best("A")[0]
	for _, trial := range state.Trials("A") { // the best ranks by rung first
		if v, _ := trial.Value(); v.F1Macro > best.Reports[len(best.Reports)-1].Value.F1Macro {
			best = trial
		}
	}
	value, _ := best.Value()
	reports := len(state.Accepted("A"))
	if p.Trial != best.Number || *p.Best != value || p.Reports() != reports || math.Abs(p.Cost-float64(reports)*0.02) > 1e-9 { // 36 s at 2 an hour
		t.Errorf("A: %+v", p)
	}
	world.Open("C")
	if p := Of(world.Now(), "C", 2); p.Best != nil {
		t.Errorf("C before: %+v", p)
	}
	world.Train("C", trainertest.Working)
	world.Close("C")
	state = world.Now()
	p = Of(state, "C", 0)
	if c := state.Candidates()[0]; p.Trial != c.Trial || *p.Best != *c.Value || p.Cost != 0 || p.Rungs[0] != (Rung{3, 4, 0}) || p.ToSpend != 0 {
		t.Errorf("C: %+v", p)
	}
}
