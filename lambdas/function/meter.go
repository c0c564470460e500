package function

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/supermax-hpo/supermax/lambdas/handler"
	"github.com/supermax-hpo/supermax/shared/emf"
	"github.com/supermax-hpo/supermax/shared/protocol"
	"github.com/supermax-hpo/supermax/shared/study"
)

// putEvery is how often a process puts the state of a study at most: CloudWatch keeps one
// value a minute, and a line costs as much as a few reads of the table.
const putEvery = 10 * time.Second

// A meter measures what a service's commands do.
type meter struct {
	out    emf.Writer
	logger *slog.Logger

	mu  sync.Mutex
	was map[string]time.Time // by study: when its state was put
}

func newMeter(s *handler.Service, out emf.Writer, logger *slog.Logger) *meter {
	m := &meter{out: out, logger: logger, was: make(map[string]time.Time)}
	s.Observe = m.observe
	return m
}

// measured is what one invocation did.
type measured struct {
	study, stage string // empty: no command was carried out
	lost         int
	state        []emf.Metric // of the study's stage, where it is due
}

type measuredKey struct{}

// begin returns a context in which the service's commands are measured.
func (m *meter) begin(ctx context.Context) (context.Context, *measured) {
	v := new(measured)
	return context.WithValue(ctx, measuredKey{}, v), v
}

// observe is [handler.Service.Observe].
func (m *meter) observe(ctx context.Context, o handler.Observation) {
	v, ok := ctx.Value(measuredKey{}).(*measured)
	if !ok || o.State == nil {
		return
	}
	stage := o.State.Stage()
	if stage == "" { // all are closed
		stage = protocol.StageC
	}
	v.study, v.stage = o.State.Settings().Study, string(stage)
	v.lost += o.Lost
	switch o.Command {
	case "check", "finish":
	case "ask", "tell":
		if !m.due(v.study) {
			return
		}
	default:
		return
	}
	v.state = state(o.State, stage)
}

// due reports whether the study's state was not put for a while.
func (m *meter) due(study string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.out.Now()
	if was, ok := m.was[study]; ok && now.Sub(was) < putEvery {
		return false
	}
	m.was[study] = now
	return true
}

// put writes what an invocation of a function measured.
func (m *meter) put(ctx context.Context, function string, v *measured, took time.Duration) {
	if v.study == "" {
		return
	}
	metrics := slices.Concat(v.state, []emf.Metric{{Name: emf.Conflicts, Unit: emf.Count, Value: float64(v.lost)}})
	milliseconds := float64(took.Microseconds()) / 1000
	switch function {
	case "ask":
		metrics = append(metrics, emf.Metric{Name: emf.AskMilliseconds, Unit: emf.Milliseconds, Value: milliseconds})
	case "tell":
		metrics = append(metrics, emf.Metric{Name: emf.TellMilliseconds, Unit: emf.Milliseconds, Value: milliseconds})
	}
	if err := m.out.Put(map[string]string{emf.Study: v.study, emf.Stage: v.stage}, metrics...); err != nil {
		m.logger.WarnContext(ctx, "metrics are lost", "error", err)
	}
}

// state returns how far a stage is, and what the study has cost.
func state(s *study.State, stage protocol.Stage) []emf.Metric {
	counts := s.Counts(stage)
	var oom int
	best := -1.0
	for _, t := range s.Trials(stage) {
		if t.Failure != nil && t.Failure.Kind == protocol.FailedOOM {
			oom++
		}
		if v, ok := t.Value(); ok {
			best = max(best, v.F1Macro)
		}
	}
	count := func(name emf.Name, n int) emf.Metric {
		return emf.Metric{Name: name, Unit: emf.Count, Value: float64(n)}
	}
	created := counts.Queued + counts.Running + counts.Paused + counts.Completed + counts.Failed
	metrics := []emf.Metric{
		count(emf.TrialsCreated, created), count(emf.TrialsQueued, counts.Queued), count(emf.TrialsRunning, counts.Running),
		count(emf.TrialsPaused, counts.Paused), count(emf.TrialsCompleted, counts.Completed), count(emf.TrialsFailed, counts.Failed),
		count(emf.OOMTrials, oom),
		{Name: emf.SlotSeconds, Unit: emf.Seconds, Value: s.CostSeconds(stage)},
		{Name: emf.DollarsSpent, Unit: emf.None, Value: s.SpentDollars()},
	}
	trained := counts.Completed + counts.Paused + counts.Failed
	for name, n := range map[emf.Name]int{emf.FailedPercent: counts.Failed, emf.OOMPercent: oom} {
		if percent, ok := emf.RateOf(n, trained); ok {
			metrics = append(metrics, emf.Metric{Name: name, Unit: emf.Percent, Value: percent})
		}
	}
	if best >= 0 {
		metrics = append(metrics, emf.Metric{Name: emf.BestF1Macro, Unit: emf.None, Value: best})
	}
	if budget, ok := s.BudgetDollars(); ok && budget > 0 {
		metrics = append(metrics, emf.Metric{Name: emf.BudgetUsedPercent, Unit: emf.Percent, Value: 100 * s.SpentDollars() / budget})
	}
	return metrics
}
