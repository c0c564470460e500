package estimate

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/supermax-hpo/supermax/cmd/supermax/internal/mistake"
	"github.com/supermax-hpo/supermax/cmd/supermax/internal/prices"
	"github.com/supermax-hpo/supermax/shared/config"
	"github.com/supermax-hpo/supermax/shared/protocol"
	"github.com/supermax-hpo/supermax/shared/results"
	"github.com/supermax-hpo/supermax/shared/space"
)

const file = `version: 1
name: s
agent: criteria
corpus: {dir: corpus, layout: groundtruth}
models: {m1: m1, m2: m2}
constraints: {model.name: [m1, m2]}
stages:
  a: {trials: 100, epochs: 20, rungs: {min: 2, max: 20, factor: 3}, seeds: [1, 2, 3]}
  b: {trials: 10, epochs: 9, rungs: {min: 3, max: 9, factor: 3}, seeds: [1]}
  c: {candidates: 2, folds: 5, seeds: [1, 2], epochs: 40}
`

func parsed(t *testing.T) *config.Study {
	t.Helper()
	c, err := config.Parse("s.yaml", []byte(file))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// table has round prices.
func table() *prices.Table {
	p := &prices.Table{Region: "r", Date: "d", Instances: map[string]float64{"g": 2}}
	p.Spot.Low, p.Spot.High = 0.25, 1
	return p
}

func near(t *testing.T, what string, got Range, expected, most float64) {
	t.Helper()
	if math.Abs(got.Expected-expected) > 1e-9*max(1, expected) || math.Abs(got.Most-most) > 1e-9*max(1, most) {
		t.Errorf("%s: %v, want %v to %v", what, got, expected, most)
	}
}

// Stage A's rungs end at 2, 6, 18 and 20 epochs; 100, ⌊100/3⌋ = 33, ⌊100/9⌋ = 11 and
// ⌊100/27⌋ = 3 trials train in them, with 3 seeds each.
func TestEpochs(t *testing.T) {
	e, err := Make(parsed(t), Given(36), table(), Options{Slots: 2, Instance: "g"})
	if err != nil {
		t.Fatal(err)
	}
	a, b, c := e.Stages[0], e.Stages[1], e.Stages[2]
	// 100·2 + 33·4 + 11·12 + 3·2 = 470
	near(t, "A's epochs", a.Epochs, 3*470, 3*100*20)
	near(t, "A's reports", a.Reports, 100+33+11+3, 400)
	// Rungs at 3 and 9: 10·3 + 3·6.
	near(t, "B's epochs", b.Epochs, 48, 90)
	near(t, "C's epochs", c.Epochs, 2*5*2*40, 2*5*2*40)
	if a.Trials != 100 || b.Trials != 10 || c.Trials != 10 {
		t.Errorf("trials %d, %d, %d", a.Trials, b.Trials, c.Trials)
	}
	// 36 s an epoch are 0.01 hours; two slots.
	near(t, "A's slot hours", a.SlotHours, 14.1, 60)
	near(t, "A's hours", a.Hours, 7.05, 30)
	near(t, "A's dollars", a.Dollars, 28.2, 120)
	near(t, "all hours", e.Hours, 7.05+0.24+4, 30+0.45+4)
}

// A kind that trains all in full, brackets, a percentile, and what a budget leaves of them.
func TestSchedulersAndBudgets(t *testing.T) {
	for name, c := range map[string]struct {
		edit           func(*config.Search)
		expected, most float64 // epochs of stage A: 100 trials, 20 epochs, 3 seeds
	}{
		"none": {func(a *config.Search) { a.Scheduler.Kind = "none" }, 6000, 6000},
		// The first look comes after epoch 1; half of 100 go on for 19 epochs.
		"median": {func(a *config.Search) { a.Scheduler.Kind = "median" }, 3 * (100 + 50*19), 6000},
		// From 2 epochs by 3 there are brackets that stop at 2, 6 and 18: 52, 30 and 18 of 100
		// trials by their shares 9, 5 and 3 of 17 (rounded down as they add up).
		"hyperband": {func(a *config.Search) { a.Scheduler.Kind = "hyperband" },
			3 * (52*2 + 17*4 + 5*12 + 1*2 + 30*6 + 10*12 + 3*2 + 18*18 + 6*2), 6000},
		"epochs":       {func(a *config.Search) { a.Budget.Epochs = 705 }, 705, 705},
		"enough":       {func(a *config.Search) { a.Budget.Epochs = 5000 }, 1410, 5000},
		"hours":        {func(a *config.Search) { a.Budget.GPUHours = 7 }, 700, 700}, // at 36 s an epoch
		"dollars":      {func(a *config.Search) { a.Budget.Dollars = 8 }, 200, 200},  // at 4 an hour, the study's price
		"which first?": {func(a *config.Search) { a.Budget.Epochs, a.Budget.GPUHours = 300, 7 }, 300, 300},
	} {
		s := parsed(t)
		s.PricePerHour = 4
		c.edit(&s.Stages.A)
		e, err := Make(s, Given(36), table(), Options{Slots: 2, Instance: "g"})
		if err != nil {
			t.Fatal(err)
		}
		near(t, name, e.Stages[0].Epochs, c.expected, c.most)
	}
}

// However many slots there are, a trial's epochs follow one another.
func TestOneTrialBounds(t *testing.T) {
	e, err := Make(parsed(t), Given(36), table(), Options{Slots: 10000, Instance: "g"})
	if err != nil {
		t.Fatal(err)
	}
	near(t, "A's hours", e.Stages[0].Hours, 0.6, 0.6) // 20 epochs, 3 seeds
	near(t, "C's hours", e.Stages[2].Hours, 0.8, 0.8) // 40 epochs, 2 seeds
}

func TestSpot(t *testing.T) {
	e, err := Make(parsed(t), Given(36), table(), Options{Slots: 2, Instance: "g", Spot: true})
	if err != nil {
		t.Fatal(err)
	}
	near(t, "the price", e.PricePerHour, 0.5, 2)
	near(t, "A's dollars", e.Stages[0].Dollars, 7.05, 120) // 14.1 hours at the lowest, 60 at the highest
}

// A call costs what its parts cost: with only one of them at a price of 1, the number of
// calls shows. Reports take two calls each, slots one a stage, an hour of work 120 renewals
// of a lease of 120 s.
func TestControl(t *testing.T) {
	p := table()
	p.Lambda.Request = 1
	e, err := Make(parsed(t), Given(36), p, Options{Slots: 2, Instance: "g"})
	if err != nil {
		t.Fatal(err)
	}
	reports, hours := 147.0+13+10, 14.1+0.48+8
	near(t, "calls", e.Control, 2*reports+120*hours+6, 2*(400+20+10)+120*(60+0.9+8)+6)
	near(t, "dollars", e.Dollars, 2*hours+e.Control.Expected, 2*(60+0.9+8)+e.Control.Most)
}

func TestMakeRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		edit    func(*config.Study)
		options Options
		want    string
	}{
		"slots":    {nil, Options{Slots: 0, Instance: "g"}, "0 slots are not allowed; allowed: 1 to 10000"},
		"instance": {nil, Options{Slots: 1, Instance: "x"}, `instance "x" has no price in configs/prices.yaml; allowed: g`},
		"figure":   {nil, Options{Slots: 1, Instance: "g"}, "nobody has measured the seconds an epoch of m1 takes agent criteria on g"},
		"backbone": {func(c *config.Study) { c.Space = &space.Space{} }, Options{Slots: 1, Instance: "g"}, "names no backbone"},
	} {
		s := parsed(t)
		if c.edit != nil {
			c.edit(s)
		}
		figures, err := FromTable("g", "criteria")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Make(s, figures, table(), c.options); !errors.Is(err, mistake.Err) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

// row is one epoch of one seed.
func row(stage protocol.Stage, model string, attempt, epoch int, seconds float64) results.Row {
	r := results.Row{Agent: "criteria", Stage: stage, Attempt: attempt, Epoch: epoch, Seed: 1, Params: space.Assignment{"model.name": space.String(model)}}
	r.Seconds.Total = seconds
	return r
}

// Stage A: m1 took 10 and 20 s (the first attempt's epoch 1 was written again), m2 30 s; of
// 120 slot seconds 60 were epochs. Stage C: m1 took 40 s, and 10 s before training.
func TestFromStudy(t *testing.T) {
	rows := []results.Row{
		row("A", "m1", 0, 1, 99), row("A", "m1", 1, 1, 10), row("A", "m1", 1, 2, 20), row("A", "m2", 0, 3, 30),
		row("C", "m1", 0, 0, 10), row("C", "m1", 0, 4, 40),
	}
	f, err := FromStudy("former", "criteria", rows, func(s protocol.Stage) float64 { return map[protocol.Stage]float64{"A": 120, "C": 50}[s] })
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		stage protocol.Stage
		model string
		want  float64
	}{{"A", "m1", 30}, {"A", "m2", 60}, {"C", "m1", 40}, {"C", "m2", 30}, {"B", "m1", (10.0 + 20 + 40) / 3}} {
		if got, err := f.Seconds(c.stage, c.model); err != nil || math.Abs(got-c.want) > 1e-9 {
			t.Errorf("%s in %s: %v, %v, want %v", c.model, c.stage, got, err, c.want)
		}
	}
	if _, err := f.Seconds("A", "m3"); !errors.Is(err, mistake.Err) || !strings.Contains(err.Error(), "study former did not train m3, so it has no seconds an epoch of it; it trained m1, m2") {
		t.Errorf("m3: %v", err)
	}
	if f.Source() != "measured by study former" {
		t.Errorf("source %q", f.Source())
	}
	if _, err := FromStudy("former", "criteria", rows[4:5], func(protocol.Stage) float64 { return 0 }); !errors.Is(err, mistake.Err) {
		t.Errorf("no epochs: %v", err)
	}
	if _, err := FromStudy("former", "joint", rows, nil); !errors.Is(err, mistake.Err) || !strings.Contains(err.Error(), "study former is of agent criteria, whose epochs say nothing of those of joint") {
		t.Errorf("of another agent: %v", err)
	}
}

func TestTable(t *testing.T) {
	f, err := parseTable([]byte("version: 1\nfigures:\n  - {backbone: m1, agent: criteria, instance: g, seconds: 2.5, source: us, date: today}\n"), "g", "criteria")
	if err != nil {
		t.Fatal(err)
	}
	if s, err := f.Seconds("A", "m1"); err != nil || s != 2.5 || f.Source() != "measured on g, configs/seconds.yaml" {
		t.Errorf("%v, %v, %s", s, err, f.Source())
	}
	for text, want := range map[string]string{
		"version: 2\nfigures: []\n": "version 2 is not known",
		"version: 1\nfigure: []\n":  "unknown field",
		"version: 1\nfigures:\n  - {backbone: m1, agent: criteria, instance: g, seconds: 0, source: us, date: today}\n": "wants seconds above 0",
		"version: 1\nfigures:\n  - {backbone: m1, agent: criteria, instance: g, seconds: 1}\n":                          "an agent, a source and a date",
	} {
		if _, err := parseTable([]byte(text), "g", "criteria"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

// The table that comes with the program knows the quickstart's backbones, and the estimate
// agrees with what the quickstart took: 199 slot seconds of epochs when the figures were
// measured (A 46, B 58, C 94).
func TestQuickstart(t *testing.T) {
	c, err := config.Load("../../../../configs/study/quickstart.yaml")
	if err != nil {
		t.Fatal(err)
	}
	figures, err := FromTable("laptop", c.Agent)
	if err != nil {
		t.Fatal(err)
	}
	list, err := prices.Load()
	if err != nil {
		t.Fatal(err)
	}
	e, err := Make(c, figures, list, Options{Slots: 2, Instance: "laptop"})
	if err != nil {
		t.Fatal(err)
	}
	seconds := 0.0
	for _, s := range e.Stages {
		seconds += 3600 * s.SlotHours.Expected
	}
	if seconds < 0.8*199 || seconds > 1.25*199 {
		t.Errorf("%.0f slot seconds are expected, 199 were measured", seconds)
	}
}

func TestWrite(t *testing.T) {
	e, err := Make(parsed(t), Given(36), table(), Options{Slots: 2, Instance: "g", Spot: true})
	if err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	if err := e.Write(&text, "table"); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"study s, agent criteria: 2 slots on g, Spot\n", "\nA ", "  1410 ", "  6000 ", "\nall ", "seconds  as given\n",
		"list prices of r on d: from 0.5 to 2 an hour as Spot"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the table lacks %q:\n%s", want, text.String())
		}
	}
	var data bytes.Buffer
	if err := e.Write(&data, "json"); err != nil {
		t.Fatal(err)
	}
	var again Estimate
	if err := json.Unmarshal(data.Bytes(), &again); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(*e, again); d != "" {
		t.Error(d)
	}
	if err := e.Write(&data, "xml"); !errors.Is(err, mistake.Err) {
		t.Errorf("xml: %v", err)
	}
	e.Spot = false
	text.Reset()
	if err := e.Write(&text, "table"); err != nil || !strings.Contains(text.String(), "2 slots on g\n") || !strings.Contains(text.String(), "on d: 2 an hour. Not in them") {
		t.Errorf("%v\n%s", err, text.String())
	}
}
