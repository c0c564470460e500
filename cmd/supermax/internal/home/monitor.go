package home

import (
	"context"
	"sync"
	"time"

	"github.com/supermax-hpo/supermax/lambdas/handler"
	"github.com/supermax-hpo/supermax/shared/config"
	"github.com/supermax-hpo/supermax/shared/protocol"
	"github.com/supermax-hpo/supermax/shared/study"
)

// Progress is how far a study is.
type Progress struct {
	Study   string
	Agent   string
	Stage   protocol.Stage
	Opened  bool // the stage has just been opened: Counts are its first
	Counts  protocol.Counts
	Best    *study.Value // of the stage: the highest F1-macro and the ECE beside it
	Trial   int          // of Best
	Rungs   []RungProgress
	Elapsed time.Duration // of the stage, in this run
	Rate    float64       // reports a minute in this run; 0: not known yet
	Left    time.Duration // estimate for the stage, with Rate
	Cost    float64       // money spent on the stage; 0 when the study has no price
	ToSpend float64       // estimate for the rest of the stage, with Rate
}

// RungProgress is one row of the rung table.
type RungProgress struct {
	Epochs   int // where the rung ends
	Reported int
	Best     float64 // F1-macro; 0 with nothing reported
}

// monitor looks at the study's state about once a second.
type monitor struct {
	service *handler.Service
	study   *config.Study
	show    func(Progress)

	mu    sync.Mutex
	stage protocol.Stage
	began time.Time
	first int // reports of the stage when it was opened in this run
}

func newMonitor(service *handler.Service, study *config.Study, show func(Progress)) *monitor {
	return &monitor{service: service, study: study, show: show}
}

// opened notes that a stage's slots are about to start.
func (m *monitor) opened(ctx context.Context, stage protocol.Stage) {
	m.mu.Lock()
	m.stage, m.began, m.first = stage, time.Now(), -1
	m.mu.Unlock()
	m.look(ctx, true)
}

// start shows the progress once a second until the returned function is called, which
// shows it once more.
func (m *monitor) start(ctx context.Context) (stop func()) {
	if m.show == nil {
		return func() {}
	}
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				m.look(ctx, false)
			case <-done:
				return
			}
		}
	}()
	return func() {
		close(done)
		<-ended
		m.look(context.WithoutCancel(ctx), false)
	}
}

// look shows the progress now. A state that cannot be read at the moment is shown a
// second later.
func (m *monitor) look(ctx context.Context, opened bool) {
	if m.show == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.stage == "" {
		return
	}
	state, err := m.service.State(ctx, m.study.Name)
	if err != nil {
		return
	}
	p := Summarize(state, m.stage, m.study.PricePerHour)
	p.Opened, p.Elapsed = opened, time.Since(m.began)
	reports := reported(p.Rungs)
	if m.first < 0 {
		m.first = reports
	}
	if fresh := reports - m.first; fresh > 0 {
		p.Rate = float64(fresh) / p.Elapsed.Minutes()
		remaining := max(0, expected(p.Counts.Limit, len(p.Rungs), factor(state, m.stage))-float64(reports))
		p.Left = time.Duration(remaining / p.Rate * float64(time.Minute))
		p.ToSpend = p.Cost / float64(reports) * remaining
	}
	m.show(p)
}

// Summarize condenses a study's state to what is shown of one stage.
func Summarize(state *study.State, stage protocol.Stage, pricePerHour float64) Progress {
	settings := state.Settings()
	p := Progress{
		Study: settings.Study, Agent: settings.Agent, Stage: stage,
		Counts: state.Counts(stage),
		Cost:   state.CostSeconds(stage) / 3600 * pricePerHour,
	}
	for _, epochs := range state.Rungs(stage) {
		p.Rungs = append(p.Rungs, RungProgress{Epochs: epochs})
	}
	for _, trial := range state.Trials(stage) {
		for _, report := range trial.Reports {
			rung := &p.Rungs[report.Rung]
			rung.Reported++
			rung.Best = max(rung.Best, report.Value.F1Macro)
		}
		if value, ok := trial.Value(); ok && (p.Best == nil || value.F1Macro > p.Best.F1Macro) {
			p.Best, p.Trial = &value, trial.Number
		}
	}
	return p
}

// expected estimates how many reports a stage makes: with a reduction factor η, n trials
// make n at the first rung, about n/η at the second, n/η² at the third, and so on.
func expected(trials, rungs, factor int) float64 {
	share := float64(trials)
	total := share
	for range rungs - 1 {
		share /= float64(factor)
		total += share
	}
	return total
}

// factor returns the stage's reduction factor; stage C has one rung and needs none.
func factor(state *study.State, stage protocol.Stage) int {
	switch stage {
	case protocol.StageA:
		return state.Settings().A.Rungs.Factor
	case protocol.StageB:
		return state.Settings().B.Rungs.Factor
	}
	return 1
}

func reported(rungs []RungProgress) int {
	n := 0
	for _, r := range rungs {
		n += r.Reported
	}
	return n
}
