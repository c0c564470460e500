package load

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/supermax-hpo/supermax/lambdas/handler"
	"github.com/supermax-hpo/supermax/shared/config"
	"github.com/supermax-hpo/supermax/shared/protocol"
	"github.com/supermax-hpo/supermax/shared/store/dynamo"
)

const (
	// On demand, us-east-1, as listed since November 2024, in dollars a million units.
	readPrice, writePrice = 0.125, 0.625
	// maxDollars is what the control of a stage of 1,000 trials may cost in all; the table
	// must leave half of it to the functions and the state machine.
	maxDollars = 0.10
	// beats is how many heartbeats a rung's training sends: 5 minutes, one each 30 s.
	beats = 10
)

// The read and write units of a stage of 1,000 trials with the default rungs and seeds over
// the whole space, eight slots at processes of their own, and what they cost. One command
// follows the other, as it is when each slot sends one in half a minute.
func TestConsumption(t *testing.T) {
	if testing.Short() {
		t.Skip("takes minutes")
	}
	c, err := config.Parse("load.yaml", []byte(`version: 1
name: load
agent: criteria
corpus: {dir: data, layout: groundtruth}
lease_seconds: 86400
stages: {a: {trials: 1000, patience: 0, sampler: random}}
`))
	if err != nil {
		t.Fatal(err)
	}
	w := newWorldOf(t, c, nil)
	var mu sync.Mutex
	units := map[[2]string]float64{} // by command and operation
	calls := map[string]int{}
	var working sync.WaitGroup
	var turn sync.Mutex
	for i := range 8 {
		log := dynamo.Open(dynamodb.NewFromConfig(w.aws, func(o *dynamodb.Options) { o.HTTPClient = w.http }), w.table)
		m := &metered{slot: slot{world: w, service: &handler.Service{Log: log, Clock: time.Now}, name: fmt.Sprintf("slot-%d", i)}, turn: &turn}
		log.Consumed = func(operation string, n float64) {
			mu.Lock()
			defer mu.Unlock()
			units[[2]string{m.command, operation}] += n
		}
		m.began = func(command string) {
			mu.Lock()
			defer mu.Unlock()
			calls[command]++
		}
		working.Go(func() {
			if err := m.live(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	working.Wait()
	var reads, writes float64
	for _, k := range slices.SortedFunc(maps.Keys(units), func(a, b [2]string) int { return slices.Compare(a[:], b[:]) }) {
		t.Logf("%-10s %-15s %9.1f units, %.2f a call", k[0], k[1], units[k], units[k]/float64(calls[k[0]]))
		if k[1] == "GetItem" || k[1] == "Query" {
			reads += units[k]
		} else {
			writes += units[k]
		}
	}
	dollars := (reads*readPrice + writes*writePrice) / 1e6
	t.Logf("%v calls; a trial: %.1f read units, %.1f write units; the stage: $%.4f", calls, reads/1000, writes/1000, dollars)
	if dollars > maxDollars/2 {
		t.Errorf("the table's share of a stage is $%.4f, more than half of $%.2f", dollars, maxDollars)
	}
}

// metered is a slot that says which command it is about to send.
type metered struct {
	slot
	turn    *sync.Mutex
	command string
	began   func(string)
}

// do sends a command when it is its turn.
func (m *metered) do(command string, send func() error) error {
	m.turn.Lock()
	defer m.turn.Unlock()
	m.command = command
	m.began(command)
	return send()
}

func (m *metered) live(ctx context.Context) error {
	for token := int64(1); ; token++ {
		var reply protocol.AskReply
		err := m.do("ask", func() (err error) {
			reply, err = m.service.Ask(ctx, protocol.AskRequest{SchemaVersion: 1, Study: "load", Stage: protocol.StageA, Slot: m.name, Token: token})
			return err
		})
		if err != nil || reply.Kind != protocol.AskWork {
			return err
		}
		if err := m.train(ctx, *reply.Work); err != nil {
			return err
		}
	}
}

func (m *metered) train(ctx context.Context, w protocol.Work) error {
	for {
		for range beats {
			err := m.do("heartbeat", func() error {
				_, err := m.service.Heartbeat(ctx, protocol.HeartbeatRequest{SchemaVersion: 1, Study: "load", Trial: w.Trial, Attempt: w.Attempt})
				return err
			})
			if err != nil {
				return err
			}
		}
		req := protocol.TellRequest{SchemaVersion: 1, Study: "load", Trial: w.Trial, Attempt: w.Attempt, Rung: w.Rung,
			Outcome: protocol.Outcome{CostSeconds: 300.25, PeakMemoryBytes: 1 << 33}}
		for _, seed := range w.Seeds {
			for epoch := w.FromEpoch + 1; epoch <= w.ToEpoch; epoch++ {
				f1 := measured(w.Trial+int(seed), epoch)
				req.Outcome.Epochs = append(req.Outcome.Epochs, protocol.EpochMetrics{Seed: seed, Epoch: epoch, Loss: 1 - f1, F1Macro: f1, ECE: f1 / 9, Accuracy: f1, NLL: 1, Brier: 0.2})
			}
		}
		var told protocol.TellReply
		err := m.do("tell", func() (err error) {
			told, err = m.service.Tell(ctx, req)
			return err
		})
		if err != nil || told.Kind != protocol.TellContinue {
			return err
		}
		w.Rung, w.FromEpoch, w.ToEpoch = told.Rung, told.FromEpoch, told.ToEpoch
	}
}
