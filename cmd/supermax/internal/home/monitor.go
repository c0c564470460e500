package home

import (
	"context"
	"sync"
	"time"

	"github.com/supermax-hpo/supermax/cmd/supermax/internal/progress"
	"github.com/supermax-hpo/supermax/lambdas/handler"
	"github.com/supermax-hpo/supermax/shared/config"
	"github.com/supermax-hpo/supermax/shared/protocol"
)

// monitor looks at the study's state about once a second.
type monitor struct {
	service *handler.Service
	study   *config.Study
	show    func(progress.Status)
	clock   func() time.Time

	mu      sync.Mutex
	tracker progress.Tracker
}

func newMonitor(service *handler.Service, study *config.Study, show func(progress.Status)) *monitor {
	return &monitor{service: service, study: study, show: show, clock: time.Now,
		tracker: progress.Tracker{PricePerHour: study.PricePerHour}}
}

// opened notes that a stage's slots are about to start, and shows the one before for the
// last time.
func (m *monitor) opened(ctx context.Context, stage protocol.Stage) {
	m.look(ctx, func(p *progress.Status) { p.Left = true })
	m.mu.Lock()
	m.tracker.Open(stage, m.clock())
	m.mu.Unlock()
	m.look(ctx, func(p *progress.Status) { p.Opened = true })
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
				m.look(ctx, func(*progress.Status) {})
			case <-done:
				return
			}
		}
	}()
	return func() {
		close(done)
		<-ended
		m.look(context.WithoutCancel(ctx), func(p *progress.Status) { p.Left = true })
	}
}

// look shows the progress now. A state that cannot be read at the moment is shown a
// second later.
func (m *monitor) look(ctx context.Context, note func(*progress.Status)) {
	if m.show == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.tracker.Stage() == "" {
		return
	}
	state, err := m.service.State(ctx, m.study.Name)
	if err != nil {
		return
	}
	p := m.tracker.Of(state, m.clock())
	note(&p)
	m.show(p)
}
