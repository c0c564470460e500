package study

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/supermax-hpo/supermax/shared/protocol"
	"github.com/supermax-hpo/supermax/shared/space"
)

// refused checks that a call was refused with this code, cause and part of a sentence, and
// that it has no events.
func refused(t *testing.T, err error, events []Event, code protocol.ErrorCode, cause error, part string) {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) || e.Code != code || !errors.Is(err, cause) && cause != nil || !strings.Contains(err.Error(), part) || len(events) > 0 {
		t.Errorf("got %v with %d events, want %s with %q", err, len(events), code, part)
	}
}

// A number that is none, or none in its range, is refused wherever it stands in a report.
func TestBadNumbersAreRefused(t *testing.T) {
	for _, c := range []struct {
		field string
		set   func(*protocol.Outcome, float64)
	}{
		{"f1_macro", func(o *protocol.Outcome, x float64) { o.Epochs[0].F1Macro = x }},
		{"ece", func(o *protocol.Outcome, x float64) { o.Epochs[0].ECE = x }},
		{"accuracy", func(o *protocol.Outcome, x float64) { o.Epochs[0].Accuracy = x }},
		{"loss", func(o *protocol.Outcome, x float64) { o.Epochs[0].Loss = x }},
		{"nll", func(o *protocol.Outcome, x float64) { o.Epochs[0].NLL = x }},
		{"brier", func(o *protocol.Outcome, x float64) { o.Epochs[0].Brier = x }},
		{"auroc", func(o *protocol.Outcome, x float64) { o.Epochs[0].AUROC = &x }},
		{"cost_seconds", func(o *protocol.Outcome, x float64) { o.CostSeconds = x }},
	} {
		for _, x := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
			s := midway(t) // slot s4 trains trial 1 again
			outcome := protocol.Outcome{Epochs: []protocol.EpochMetrics{epochOf(1, 1, 0.5, 0.1)}}
			c.set(&outcome, x)
			_, events, err := s.Tell(testStart, protocol.TellRequest{Study: "s", Trial: 1, Attempt: 1, Outcome: outcome})
			refused(t, err, events, protocol.CodeInvalid, nil, fmt.Sprintf("%s is %v; allowed", c.field, x))
		}
	}
}

// What was told first stays; who tells it again with other values hears what was answered
// then, since it may be a repetition.
func TestToldTwiceWithOtherValues(t *testing.T) {
	s := midway(t)
	tell := func(f1 float64) (protocol.TellReply, []Event, error) {
		return s.Tell(testStart, protocol.TellRequest{Study: "s", Trial: 1, Attempt: 1,
			Outcome: protocol.Outcome{Epochs: []protocol.EpochMetrics{epochOf(1, 1, f1, 0.1)}}})
	}
	first, events, err := tell(0.25)
	if err != nil || len(events) == 0 {
		t.Fatal(events, err)
	}
	for _, e := range events {
		if err := s.Apply(e); err != nil {
			t.Fatal(err)
		}
	}
	for _, f1 := range []float64{0.75, math.NaN()} {
		again, events, err := tell(f1)
		if err != nil || len(events) > 0 || again != first {
			t.Errorf("told again with %v: %+v with %d events, %v; want %+v", f1, again, len(events), err, first)
		}
	}
	trial, _ := s.Trial(1)
	if v, _ := trial.Value(); v.F1Macro != 0.25 {
		t.Errorf("the trial's value is %+v, first told was 0.25", v)
	}
}

func TestParametersOutOfRange(t *testing.T) {
	for _, c := range []struct {
		params space.Assignment
		want   string
	}{
		{space.Assignment{"optim.lr": space.Float(0.1), "head.pooling": space.String("cls")}, "trial 3: optim.lr: 0.1 is not allowed; allowed: a number from 1e-06 to 0.01"},
		{space.Assignment{"optim.lr": space.Float(math.NaN()), "head.pooling": space.String("cls")}, "trial 3: optim.lr: NaN is not allowed"},
		{space.Assignment{"optim.lr": space.Float(1e-3), "head.pooling": space.String("max")}, `trial 3: head.pooling: "max" is not allowed; allowed: cls, mean`},
		{space.Assignment{"optim.lr": space.Float(1e-3)}, "trial 3: head.pooling: is missing"},
	} {
		s := midway(t)
		err := s.Apply(Event{Type: EventTrialCreated, Stage: "A", At: testStart, Trial: 3, Params: c.params})
		var named *space.Error
		if !errors.As(err, &named) || !strings.Contains(err.Error(), c.want) || s.started(0) != 3 {
			t.Errorf("got %v and %d trials, want %q", err, s.started(0), c.want)
		}
	}
}

// A space without parameters is refused. One with a single configuration is searched: every
// trial has it, and the next stage gets it once.
func TestEmptyAndSingleSpaces(t *testing.T) {
	settings := testSettings()
	settings.Space = &space.Space{}
	_, events, err := New(testStart, settings)
	refused(t, err, events, protocol.CodeInvalid, nil, "space: an empty space is not allowed; allowed: at least one parameter")

	settings.Space = &space.Space{Params: []space.Param{{Name: "optim.lr", Kind: space.FloatRange, Low: 1e-4, High: 1e-4}}}
	for _, sampler := range []string{"random", "tpe", "nsga2"} {
		settings.A.Sampler, settings.A.Trials = sampler, 12
		m := newSimulation(t, settings)
		m.run("A")
		if c := m.state.Counts("A"); c.Paused+c.Completed != 12 {
			t.Errorf("%s: %+v", sampler, c)
		}
		if handed := m.state.stages[0].Handed; len(handed) != 1 {
			t.Errorf("%s: trials %v are handed on, all of one configuration", sampler, handed)
		}
	}
}

// A stage of which nothing is left says so to who promotes it; it is done all the same.
func TestNothingIsLeft(t *testing.T) {
	for _, c := range []struct {
		name    string
		outcome func(n int) protocol.Outcome
		want    string
	}{
		{"all failed", func(int) protocol.Outcome {
			return protocol.Outcome{Failed: &protocol.Failure{Kind: protocol.FailedOOM, Message: "out of memory"}}
		}, "no trial has a result, 4 of 4 trials failed; trial 3: oom: out of memory"},
		{"all infeasible", func(n int) protocol.Outcome {
			return protocol.Outcome{Epochs: []protocol.EpochMetrics{epochOf(1, 1, 0.5, 0.2+float64(n)/10)}}
		}, "all 4 trials with a result break a limit, trial 0 the least (violation 1)"},
		{"failed or infeasible", func(n int) protocol.Outcome {
			if n > 0 {
				return protocol.Outcome{Failed: &protocol.Failure{Kind: protocol.FailedNaN}}
			}
			return protocol.Outcome{Epochs: []protocol.EpochMetrics{epochOf(1, 1, 0.5, 0.4)}}
		}, "all 1 trials with a result break a limit, trial 0 the least (violation 3), 3 of 4 trials failed"},
	} {
		settings := testSettings()
		settings.A.Trials, settings.A.Rungs, settings.A.Limits = 4, Rungs{1, 1, 3}, Limits{ECE: 0.1}
		m := newSimulation(t, settings)
		stage := protocol.StageRequest{Study: "s", Stage: "A"}
		_, events, err := m.state.Plan(m.now, stage)
		m.take(events, err)
		for n := range 4 {
			_, events, err := m.state.Ask(m.now, protocol.AskRequest{Study: "s", Stage: "A", Slot: "x", Token: int64(n) + 1})
			m.take(events, err)
			_, events, err = m.state.Tell(m.now, protocol.TellRequest{Study: "s", Trial: n, Outcome: c.outcome(n)})
			m.take(events, err)
		}
		check, events, err := m.state.Check(m.now, stage)
		if m.take(events, err); !check.Done {
			t.Errorf("%s: the stage is not done: %+v", c.name, check)
		}
		_, events, err = m.state.Promote(m.now, stage)
		refused(t, err, events, protocol.CodeConflict, ErrNoResult, c.want)
	}
}

// A budget of nothing would start a study to stop it: it is refused, and nothing changes.
func TestZeroBudget(t *testing.T) {
	settings := testSettings()
	settings.PricePerHour = 2
	m := newSimulation(t, settings)
	for _, c := range []struct {
		budget float64
		code   protocol.ErrorCode
		want   string
	}{
		{0, protocol.CodeConflict, "its budget of 0.00 dollars is spent: it has cost 0.00"},
		{-1, protocol.CodeInvalid, "budget_dollars -1 is not allowed; allowed: a number from 0"},
		{math.NaN(), protocol.CodeInvalid, "budget_dollars NaN is not allowed"},
		{math.Inf(1), protocol.CodeInvalid, "budget_dollars +Inf is not allowed"},
	} {
		_, events, err := m.state.Resume(m.now, protocol.ResumeRequest{Study: "s", BudgetDollars: &c.budget})
		refused(t, err, events, c.code, nil, c.want)
	}
	if _, bounded := m.state.BudgetDollars(); bounded || m.state.Stopped() != "" {
		t.Errorf("the study has a budget (%v) or is stopped (%q)", bounded, m.state.Stopped())
	}
}

// What no log can hold is no event either: a value that is no number would stand in the way
// of every later decision.
func TestApplyRefusesValuesThatAreNoNumbers(t *testing.T) {
	seeds := []SeedBest{{Seed: 1, Last: 1, Epoch: 1}}
	for _, e := range []Event{
		{Value: &Value{F1Macro: math.NaN()}},
		{Value: &Value{ECE: math.Inf(1)}},
		{Value: &Value{}, CostSeconds: math.NaN()},
		{Value: &Value{}, CostSeconds: -1},
	} {
		s := midway(t)
		e.Type, e.At, e.Trial, e.Attempt, e.Seeds = EventReported, testStart.Add(time.Second), 1, 1, seeds
		if err := s.Apply(e); err == nil || s.trials.At(1).State != Running {
			t.Errorf("%+v with cost %v: error %v, the trial is %s", *e.Value, e.CostSeconds, err, s.trials.At(1).State)
		}
	}
}
