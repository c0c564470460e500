package study

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/supermax-hpo/supermax/shared/protocol"
)

// simulation is a study whose eight slots train by a formula: F1-macro rises with the
// epochs towards a limit that depends on the learning rate, best at 1e-4.
type simulation struct {
	t      testing.TB
	state  *State
	now    time.Time
	epochs int // trained so far, all seeds together
	events []Event
}

func newSimulation(t testing.TB, settings Settings) *simulation {
	s, events, err := New(testStart, settings)
	if err != nil {
		t.Fatal(err)
	}
	return &simulation{t: t, state: s, now: testStart, events: events}
}

// take applies a command's events.
func (m *simulation) take(events []Event, err error) {
	m.t.Helper()
	if err != nil {
		m.t.Fatal(err)
	}
	for _, e := range events {
		if err := m.state.Apply(e); err != nil {
			m.t.Fatal(err)
		}
	}
	m.events = append(m.events, events...)
}

// run walks one stage to its end.
func (m *simulation) run(stage protocol.Stage) {
	req := protocol.StageRequest{Study: "s", Stage: stage}
	_, events, err := m.state.Plan(m.now, req)
	m.take(events, err)
	const slots = 8
	work := make([]*protocol.Work, slots)
	token := make([]int64, slots)
	for done := 0; done < slots; {
		done = 0
		for i := range work {
			m.now = m.now.Add(time.Second)
			if work[i] != nil {
				work[i] = m.train(*work[i])
				continue
			}
			token[i]++
			reply, events, err := m.state.Ask(m.now, protocol.AskRequest{Study: "s", Stage: stage, Slot: fmt.Sprintf("%s-%d", stage, i), Token: token[i]})
			m.take(events, err)
			work[i] = reply.Work
			if reply.Kind == protocol.AskDone {
				done++
			}
		}
	}
	check, events, err := m.state.Check(m.now, req)
	m.take(events, err)
	if !check.Done {
		m.t.Fatalf("stage %s is not done: %+v", stage, check.Counts)
	}
	_, events, err = m.state.Promote(m.now, req)
	m.take(events, err)
	if n := m.state.slots.byName.Len(); n > 0 || m.state.slots.live != 0 {
		m.t.Errorf("stage %s is closed and still remembers %d slots", stage, n)
	}
}

// train tells a work's epochs and returns the work that goes on from there, or nil.
func (m *simulation) train(work protocol.Work) *protocol.Work {
	lr, err := work.Params.Float("optim.lr")
	if err != nil {
		m.t.Fatal(err)
	}
	top := 0.9 - 0.1*math.Abs(math.Log10(lr)+4)
	req := protocol.TellRequest{Study: "s", Trial: work.Trial, Attempt: work.Attempt, Rung: work.Rung}
	for _, seed := range work.Seeds {
		for epoch := work.FromEpoch + 1; epoch <= work.ToEpoch; epoch++ {
			f1 := top * (1 - math.Exp(-float64(epoch)/3)) * (1 - 0.01*float64(seed))
			req.Outcome.Epochs = append(req.Outcome.Epochs, epochOf(seed, epoch, f1, 0.5*(1-f1)))
		}
	}
	if work.Fold != nil {
		req.Outcome.Baseline = &protocol.Baseline{MajorityF1Macro: 0.4, UntrainedF1Macro: 0.3}
	}
	req.Outcome.CostSeconds = 1
	m.epochs += len(req.Outcome.Epochs)
	reply, events, err := m.state.Tell(m.now, req)
	m.take(events, err)
	if reply.Kind != protocol.TellContinue {
		return nil
	}
	work.Rung, work.FromEpoch, work.ToEpoch = reply.Rung, reply.FromEpoch, reply.ToEpoch
	return &work
}

// A study of the design's shape, a third of its size. With every result known, each rung
// hands on ⌊n/3⌋ of its n results at least; slots that went on early may add some.
func TestWholeStudySimulated(t *testing.T) {
	settings := testSettings()
	settings.A = SearchStage{Trials: 300, Rungs: Rungs{2, 20, 3}, Seeds: []int64{1, 2, 3}, Patience: 5, Sampler: "random"}
	settings.B = SearchStage{Trials: 100, Rungs: Rungs{3, 30, 3}, Seeds: []int64{1, 2, 3, 4}, Patience: 8, Sampler: "random", Enqueue: 20}
	settings.C = ConfirmStage{Candidates: 10, Folds: 5, Seeds: []int64{1, 2, 3, 4, 5, 6}, Epochs: 40, Patience: 8}
	m := newSimulation(t, settings)
	m.run("A")
	at := make([]int, 4)
	for _, r := range m.state.Accepted("A") {
		at[r.Rung]++
	}
	if at[0] != 300 || at[1] < 100 || at[2] < 33 || at[3] < 11 || at[1] > 150 || at[2] > 60 || at[3] > 25 {
		t.Errorf("results by rung %v, want 300, 100, 33, 11 or a few more", at)
	}
	if whole := 300 * 20 * 3; m.epochs > whole/3 {
		t.Errorf("%d epochs were trained, want at most a third of the %d without promotion", m.epochs, whole)
	}
	if best := m.state.Best("A")[0]; best.State != Completed {
		t.Errorf("A's best trial is %s", best.State)
	}

	data, err := m.state.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	params := 0
	for _, trial := range m.state.Trials("A") {
		text, err := json.Marshal(trial.Params)
		if err != nil {
			t.Fatal(err)
		}
		params += len(text)
	}
	if per := (len(data) - params) / 300; per > 1000 {
		t.Errorf("a snapshot has %d bytes a trial besides its parameters, want 1000 at most", per)
	}

	m.run("B")
	m.run("C")
	_, events, err := m.state.Finish(m.now, protocol.StudyRequest{Study: "s"})
	m.take(events, err)
	c, ok := m.state.Chosen()
	if !ok || len(c.Folds) != 5 || m.state.Counts("C").Completed != 50 {
		t.Fatalf("chosen %v %+v, counts %+v", ok, c, m.state.Counts("C"))
	}
	lr, err := c.Params.Float("optim.lr")
	if err != nil || math.Abs(math.Log10(lr)+4) > 0.1 {
		t.Errorf("chosen optim.lr %g, best is 1e-4 (error %v)", lr, err)
	}
}

// One slot and one seed give the same parameters twice; another seed gives others.
func TestSameSeedSameTrials(t *testing.T) {
	run := func(seed uint64) string {
		settings := testSettings()
		settings.Seed = seed
		settings.A.Trials, settings.A.Sampler = 30, "tpe"
		m := newSimulation(t, settings)
		m.run("A")
		data, err := m.state.Snapshot()
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	if first, again := run(1), run(1); first != again {
		t.Error("the same seed gave two studies")
	}
	if run(1) == run(2) {
		t.Error("two seeds gave the same study")
	}
}

// Callers branch on these.
func TestRefusalsAreTyped(t *testing.T) {
	s := midway(t)
	_, _, err := s.Promote(testStart, protocol.StageRequest{Study: "s", Stage: "A"})
	if !errors.Is(err, ErrNotDone) {
		t.Errorf("promote: %v", err)
	}
	_, _, err = s.Finish(testStart, protocol.StudyRequest{Study: "s"})
	if !errors.Is(err, ErrNotDone) {
		t.Errorf("finish: %v", err)
	}
	m := newSimulation(t, testSettings())
	_, events, err := m.state.Plan(testStart, protocol.StageRequest{Study: "s", Stage: "A"})
	m.take(events, err)
	for n := range 9 {
		_, events, err = m.state.Ask(testStart, protocol.AskRequest{Study: "s", Stage: "A", Slot: "s", Token: int64(n + 2)})
		m.take(events, err)
		_, events, err = m.state.Tell(testStart, protocol.TellRequest{Study: "s", Trial: n,
			Outcome: protocol.Outcome{Failed: &protocol.Failure{Kind: protocol.FailedNaN}}})
		m.take(events, err)
	}
	_, _, err = m.state.Promote(testStart, protocol.StageRequest{Study: "s", Stage: "A"})
	if !errors.Is(err, ErrNoResult) {
		t.Errorf("promote: %v", err)
	}
	_, _, err = m.state.Ask(testStart, protocol.AskRequest{Study: "s", Stage: "A", Slot: "s", Token: 1})
	if !errors.Is(err, ErrLate) {
		t.Errorf("ask: %v", err)
	}
}
