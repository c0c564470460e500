package home

import (
	"context"
	"sync"
	"time"

	"github.com/supermax-hpo/supermax/lambdas/handler"
	"github.com/supermax-hpo/supermax/shared/config"
	"github.com/supermax-hpo/supermax/shared/protocol"
)

// monitor looks at the study's state about once a second.
type monitor struct {
	service *handler.Service
	study   *config.Study
	show    func(Progress)
	clock   func() time.Time

	mu    sync.Mutex
	stage protocol.Stage
	began time.Time
	start struct { // what the stage had when it was opened in this run
		known   bool
		reports int
		epochs  float64
	}
}

func newMonitor(service *handler.Service, study *config.Study, show func(Progress)) *monitor {
	return &monitor{service: service, study: study, show: show, clock: time.Now}
}

// opened notes that a stage's slots are about to start, and shows the one before for the
// last time.
func (m *monitor) opened(ctx context.Context, stage protocol.Stage) {
	m.look(ctx, func(p *Progress) { p.Left = true })
	m.mu.Lock()
	m.stage, m.began, m.start.known = stage, m.clock(), false
	m.mu.Unlock()
	m.look(ctx, func(p *Progress) { p.Opened = true })
}

// every shows the progress in that interval until the returned function is called, which
// shows it once more.
func (m *monitor) every(ctx context.Context, interval time.Duration) (stop func()) {
	if m.show == nil {
		return func() {}
	}
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(interval)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				m.look(ctx, func(*Progress) {})
			case <-done:
				return
			}
		}
	}()
	return func() {
		close(done)
		<-ended
		m.look(context.WithoutCancel(ctx), func(p *Progress) { p.Left = true })
	}
}

// look shows the progress now. A state that cannot be read at the moment is shown a
// second later.
func (m *monitor) look(ctx context.Context, note func(*Progress)) {
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
	note(&p)
	m.estimate(&p, factor(state, m.stage))
	m.show(p)
}

// estimate says how long the rest of the stage takes, from the epochs that were trained
// since it was opened in this run: a report of a higher rung stands for more of them.
func (m *monitor) estimate(p *Progress, factor int) {
	p.Elapsed = m.clock().Sub(m.began)
	done, total := p.epochs(factor)
	if !m.start.known {
		m.start.known, m.start.reports, m.start.epochs = true, p.reports(), done
	}
	reports, epochs := p.reports()-m.start.reports, done-m.start.epochs
	if reports <= 0 || epochs <= 0 || p.Elapsed <= 0 {
		return
	}
	p.Rate = float64(reports) / p.Elapsed.Minutes()
	p.ToGo = time.Duration(float64(p.Elapsed) * (total - done) / epochs)
}
