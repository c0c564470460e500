package study

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/supermax-hpo/supermax/shared/asha"
	"github.com/supermax-hpo/supermax/shared/protocol"
)

// schedulers are the kinds with what they need to stop anything here, and how much of all
// epochs they may train. Successive halving trains 100·2 + 33·4 + 11·12 + 3·2 of 100·20
// epochs, 23.5 %, and some more for those that went on early.
func schedulers() map[string]struct {
	asha.Options
	share float64
} {
	return map[string]struct {
		asha.Options
		share float64
	}{
		"asha":          {asha.Options{}, 0.35},
		"asha later":    {asha.Options{Kind: asha.KindASHA, MinEarlyStoppingRate: 1, Bootstrap: 5}, 0.6},
		"asha-stopping": {asha.Options{Kind: asha.KindStopping}, 0.35},
		"hyperband":     {asha.Options{Kind: asha.KindHyperband}, 0.6},
		"median":        {asha.Options{Kind: asha.KindMedian, StartupTrials: 5}, 0.8},
		"percentile":    {asha.Options{Kind: asha.KindPercentile, Percentile: 25, StartupTrials: 5, WarmupEpochs: 2, IntervalEpochs: 2}, 0.5},
		"none":          {asha.Options{Kind: asha.KindNone}, 1},
	}
}

func scheduled(o asha.Options) Settings {
	settings := testSettings()
	settings.A = SearchStage{Trials: 100, Rungs: Rungs{2, 20, 3}, Seeds: []int64{1, 2}, Sampler: "random", Scheduler: o}
	if o.Kind != asha.KindMedian && o.Kind != asha.KindPercentile {
		settings.B.Scheduler = o
		settings.B.Rungs = Rungs{1, 9, 3}
	}
	return settings
}

// Whole studies under each kind: the best trial is trained in full and the others in less,
// the search finds what there is, and what is written and read again, or folded from the
// events, is the same study.
func TestStudyUnderEachScheduler(t *testing.T) {
	for name, c := range schedulers() {
		t.Run(name, func(t *testing.T) {
			m := newSimulation(t, scheduled(c.Options))
			m.run("A")
			whole := 100 * 20 * 2
			if m.epochs > int(c.share*float64(whole)) || (m.epochs == whole) != (name == "none") {
				t.Errorf("%d of %d epochs were trained", m.epochs, whole)
			}
			best := m.state.Best("A")[0]
			if best.State != Completed {
				t.Errorf("the best trial is %s", best.State)
			}
			for _, trial := range m.state.Trials("A") {
				if trial.State != Completed && trial.State != Paused {
					t.Errorf("trial %d is %s at the end", trial.Number, trial.State)
				}
				rungs := m.state.Scheduler("A").Rungs(trial.Number)
				for rung, r := range trial.Reports {
					if r.ToEpoch != rungs[rung] || !slices.Contains(m.state.Rungs("A"), r.ToEpoch) {
						t.Errorf("trial %d reported epoch %d at rung %d of %v", trial.Number, r.ToEpoch, rung, rungs)
					}
				}
			}
			m.run("B")
			m.run("C")
			_, events, err := m.state.Finish(m.now, protocol.StudyRequest{Study: "s"})
			m.take(events, err)
			sameAfterReading(t, m)
		})
	}
}

// sameAfterReading checks that the state is what its snapshot is read as and what its events
// fold to.
func sameAfterReading(t *testing.T, m *simulation) {
	t.Helper()
	text := func(s *State) string {
		data, err := s.Snapshot()
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	restored, err := Restore([]byte(text(m.state)))
	if err != nil {
		t.Fatal(err)
	}
	folded, err := fold(m.events)
	if err != nil {
		t.Fatal(err)
	}
	for how, s := range map[string]*State{"restored": restored, "folded": folded} {
		if diff := cmp.Diff(text(m.state), text(s)); diff != "" {
			t.Errorf("%s: %s", how, diff)
		}
		if diff := indexDiff(s); diff != "" {
			t.Errorf("%s: %s", how, diff)
		}
	}
}

// A study that is stopped amid a stage and started again ends with every decision kept: who
// may go on goes on, who was stopped for good stays.
func TestStopUnderEachScheduler(t *testing.T) {
	for name, c := range schedulers() {
		t.Run(name, func(t *testing.T) {
			m := newSimulation(t, scheduled(c.Options))
			_, events, err := m.state.Plan(m.now, protocol.StageRequest{Study: "s", Stage: "A"})
			m.take(events, err)
			ask := func(slot int, token int64) protocol.AskReply {
				reply, events, err := m.state.Ask(m.now, protocol.AskRequest{Study: "s", Stage: "A", Slot: fmt.Sprint("x", slot), Token: token})
				m.take(events, err)
				return reply
			}
			for round := range 60 {
				first := ask(1, int64(round)+1)
				second := ask(2, int64(round)+1)
				if round%7 == 3 {
					_, events, err := m.state.Stop(m.now, protocol.StopRequest{Study: "s", Reason: StoppedByUser})
					m.take(events, err)
				}
				for _, reply := range []protocol.AskReply{first, second} {
					for work := reply.Work; work != nil; {
						work = m.train(*work)
						if work != nil && m.state.Stopped() != "" {
							t.Fatalf("trial %d goes on in a stopped study", work.Trial)
						}
					}
				}
				if m.state.Stopped() != "" {
					if reply := ask(3, int64(round)+1); reply.Kind != protocol.AskDone {
						t.Fatalf("a stopped study answers %s", reply.Kind)
					}
					check, events, err := m.state.Check(m.now, protocol.StageRequest{Study: "s", Stage: "A"})
					m.take(events, err)
					if check.Stopped == "" || check.Done {
						t.Fatalf("a stopped study's check: %+v", check)
					}
					_, events, err = m.state.Resume(m.now, protocol.ResumeRequest{Study: "s"})
					m.take(events, err)
				}
			}
			sameAfterReading(t, m)
			m.run("A")
			if c := m.state.Counts("A"); c.Completed+c.Paused != 100 {
				t.Errorf("at the end: %+v", c)
			}
			sameAfterReading(t, m)
		})
	}
}

// Stages that end at a budget: each bound alone, and the one that is reached first.
func TestStageEndsAtItsBudget(t *testing.T) {
	for name, c := range map[string]struct {
		budget Budget
		kind   string
		epochs [2]int // of both seeds, that the stage may train: at least, at most
	}{
		"epochs":              {Budget{Epochs: 300}, asha.KindASHA, [2]int{297, 300}}, // nothing takes less than 4 of them
		"epochs, stopping":    {Budget{Epochs: 300}, asha.KindStopping, [2]int{297, 300}},
		"epochs, hyperband":   {Budget{Epochs: 300}, asha.KindHyperband, [2]int{264, 300}}, // a trial of the last bracket takes 36
		"epochs, in full":     {Budget{Epochs: 300}, asha.KindNone, [2]int{261, 300}},      // a trial takes 40
		"enough":              {Budget{Epochs: 10_000, GPUHours: 10, Dollars: 100}, asha.KindASHA, [2]int{940, 1400}},
		"hours":               {Budget{GPUHours: 0.01}, asha.KindASHA, [2]int{72, 1000}}, // 36 reports of a second, and 7 that run
		"dollars":             {Budget{Dollars: 0.02}, asha.KindASHA, [2]int{72, 1000}},  // the same at 2 an hour
		"what is spent first": {Budget{Epochs: 50, GPUHours: 0.01, Dollars: 1}, asha.KindASHA, [2]int{47, 50}},
	} {
		t.Run(name, func(t *testing.T) {
			settings := scheduled(asha.Options{Kind: c.kind})
			settings.A.Budget, settings.PricePerHour = c.budget, 2
			m := newSimulation(t, settings)
			m.run("A")
			if m.epochs < c.epochs[0] || m.epochs > c.epochs[1] {
				t.Errorf("%d epochs were trained, want %d to %d", m.epochs, c.epochs[0], c.epochs[1])
			}
			spent := m.state.Spent("A")
			reports := len(m.state.Accepted("A"))
			if spent.Epochs != m.epochs || !near(spent.GPUHours, float64(reports)/3600) || !near(spent.Dollars, float64(reports)/1800) {
				t.Errorf("spent %+v, want %d epochs and %d seconds", spent, m.epochs, reports)
			}
			if c.budget.GPUHours == 0.01 && c.budget.Epochs == 0 && (reports < 36 || reports > 36+7) {
				t.Errorf("%d reports of a second in a hundredth of an hour with 8 slots", reports)
			}
			m.run("B") // the next stage opens and is not bound
			if c := m.state.Counts("B"); c.Completed+c.Paused != 6 {
				t.Errorf("stage B: %+v", c)
			}
			sameAfterReading(t, m)
		})
	}
}

func near(a, b float64) bool { return a-b < 1e-9 && b-a < 1e-9 }

func TestSchedulerAndBudgetAreRefused(t *testing.T) {
	for _, c := range []struct {
		change func(*Settings)
		want   string
	}{
		{func(s *Settings) { s.A.Scheduler.Kind = "halving" }, `a.scheduler.kind: "halving" is not allowed; allowed: asha, asha-stopping, hyperband, median, percentile, none`},
		{func(s *Settings) { s.B.Scheduler.Kind = "median" }, "b.scheduler.kind: median is not allowed; allowed: asha, asha-stopping, hyperband, none with two objectives"},
		{func(s *Settings) { s.A.Scheduler.Percentile = 3 }, "a.scheduler.percentile: 3 is not allowed; allowed: with kind percentile; this is asha"},
		{func(s *Settings) { s.A.Scheduler.MinEarlyStoppingRate = 3 }, "a.scheduler.min_early_stopping_rate: 3 is not allowed; allowed: 0 to 2"},
		{func(s *Settings) { s.A.Rungs.Max = 2_000_000 }, "a.scheduler.rungs: 2000000 is not allowed; allowed: 1 to 1000000 epochs"},
		{func(s *Settings) { s.A.Budget.Epochs = -1 }, "a.budget.epochs: -1 is not allowed; allowed: 1 or more"},
		{func(s *Settings) { s.A.Seeds, s.A.Budget.Epochs = []int64{1, 2, 3}, 2 }, "a.budget.epochs: 2 is not allowed; allowed: 3 or more, which a trial takes to its first rung"},
		{func(s *Settings) { s.A.Scheduler.Kind, s.A.Budget.Epochs = "none", 8 }, "a.budget.epochs: 8 is not allowed; allowed: 9 or more"},
		{func(s *Settings) { s.B.Budget.GPUHours = -1 }, "b.budget.gpu_hours: -1 is not allowed; allowed: a number above 0, or 0 for no bound"},
		{func(s *Settings) { s.B.Budget.Dollars = 1 }, "b.budget.dollars: 1 is not allowed; allowed: none, as price_per_hour is 0 or missing"},
	} {
		settings := testSettings()
		c.change(&settings)
		s, events, err := New(testStart, settings)
		if err == nil || s != nil || events != nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v, want %q", err, c.want)
		}
	}
}

// What was written before there was a choice is read as ASHA without a budget.
func TestSettingsWithoutAScheduler(t *testing.T) {
	data, err := json.Marshal(testSettings())
	if err != nil {
		t.Fatal(err)
	}
	if text := string(data); strings.Contains(text, "scheduler") || strings.Contains(text, "budget") {
		t.Errorf("the settings have what they do not say: %s", text)
	}
	s, err := fold([]Event{{Version: EventVersion, Type: EventCreated, At: testStart, Settings: data}})
	if err != nil {
		t.Fatal(err)
	}
	if got := s.Settings().A; got.Scheduler.Kind != asha.KindASHA || got.Budget != (Budget{}) || !s.Scheduler("A").Promotes() {
		t.Errorf("got %+v", got)
	}
	if s.Scheduler("D") != nil || s.Spent("D") != (Budget{}) {
		t.Error("stage D has a scheduler or a budget")
	}
}
