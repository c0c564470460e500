package study

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/supermax-hpo/supermax/shared/protocol"
)

// BenchmarkLatency reports how long asks take late in a stage, one after the other, each
// followed by the report of a trial: the median and the hundredth part that took longest.
func BenchmarkLatency(b *testing.B) {
	for _, c := range []struct {
		sampler string
		trials  int
	}{{"tpe", 1000}, {"tpe", 10_000}, {"nsga2", 2000}, {"random", 100_000}} {
		b.Run(fmt.Sprintf("%s/%d", c.sampler, c.trials), func(b *testing.B) {
			m := large(b, protocol.StageA, c.sampler, c.trials)
			m.settle()
			m.events = nil
			rng := rand.New(rand.NewPCG(5, 6))
			var took []time.Duration
			token := int64(0)
			for b.Loop() {
				token++
				began := time.Now()
				_, events, err := m.state.Ask(m.now, protocol.AskRequest{Study: "s", Stage: "A", Slot: "slot", Token: token})
				took = append(took, time.Since(began))
				m.take(events, err)
				for m.tell("slot", rng).Kind == protocol.TellContinue {
				}
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
		})
	}
}

// A stage of ten thousand trials with all that TPE remembers of them is far below what a
// function has.
func TestMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("ten thousand trials take seconds to make")
	}
	used := func() float64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return float64(m.HeapAlloc) / 1e6
	}
	before := used()
	m := large(t, protocol.StageA, "tpe", 10_000)
	m.settle()
	m.events = nil
	_, events, err := m.state.Ask(m.now, protocol.AskRequest{Study: "s", Stage: "A", Slot: "slot", Token: 1})
	m.take(events, err)
	megabytes := used() - before
	t.Logf("%.1f MB", megabytes)
	if megabytes > 100 {
		t.Errorf("10,000 trials hold %.1f MB, want 100 at most", megabytes)
	}
	runtime.KeepAlive(m)
}
