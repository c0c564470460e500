package main

import (
	"context"
	"io"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/supermax-hpo/supermax/batchjob/gpu"
	"github.com/supermax-hpo/supermax/batchjob/slot"
	"github.com/supermax-hpo/supermax/shared/emf"
)

// measures writes what a trainer measures of itself as lines that CloudWatch reads. On a
// laptop nobody would: there it writes nothing. Its methods may be called from many
// goroutines at once.
type measures struct {
	writer     emf.Writer
	off        bool
	dimensions map[string]string
	log        *slog.Logger
	told       sync.Once
}

func newMeasures(env environment, stdout io.Writer, log *slog.Logger) *measures {
	return &measures{
		writer: emf.Writer{W: stdout, Now: time.Now}, off: env.functions == nil, log: log,
		dimensions: map[string]string{emf.Study: env.study, emf.Stage: string(env.stage)},
	}
}

// put writes metrics. That it cannot is said once and stops no training.
func (m *measures) put(metrics ...emf.Metric) {
	if m.off {
		return
	}
	if err := m.writer.Put(m.dimensions, metrics...); err != nil {
		m.told.Do(func() { m.log.Warn("metrics are not written", "reason", err.Error()) })
	}
}

// rung is told how the slot spent its time.
func (m *measures) rung(t slot.Times) {
	metrics := []emf.Metric{{Name: emf.SlotBusyPercent, Unit: emf.Percent, Value: t.BusyPercent()}}
	if t.After {
		metrics = append(metrics, emf.Metric{Name: emf.SlotIdleSeconds, Unit: emf.Seconds, Value: t.Idle.Seconds()})
	}
	m.put(metrics...)
}

// watchGPU measures the GPU that the slot computes on, if it does, until done is called.
func (m *measures) watchGPU(ctx context.Context, env environment) (done func()) {
	if m.off || !strings.HasPrefix(env.device, "cuda") {
		return func() {}
	}
	meter, err := gpu.Open(env.device, env.visible)
	if err != nil {
		m.log.Warn("the GPU's utilization is not measured", "reason", err.Error())
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		defer meter.Close()
		gpu.Sample(ctx, meter.Utilization, func(percent float64) {
			m.put(emf.Metric{Name: emf.GPUUtilization, Unit: emf.Percent, Value: percent})
		}, m.log)
	}()
	return func() { cancel(); <-ended }
}
