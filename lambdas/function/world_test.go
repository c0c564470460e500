package function

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda/messages"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/supermax-hpo/supermax/lambdas/handler"
	"github.com/supermax-hpo/supermax/shared/config"
	"github.com/supermax-hpo/supermax/shared/dataref"
	"github.com/supermax-hpo/supermax/shared/emf"
	"github.com/supermax-hpo/supermax/shared/objects"
	"github.com/supermax-hpo/supermax/shared/protocol"
	"github.com/supermax-hpo/supermax/shared/store"
)

const small = `version: 1
name: small
agent: criteria
price_per_hour: 3600
corpus: {dir: data, layout: groundtruth}
models: {tiny: models/tiny}
constraints: {model.name: [tiny]}
stages:
  a: {trials: 4, epochs: 2, rungs: {min: 1, max: 2, factor: 2}, seeds: [1], patience: 0, sampler: random, export: 2}
  b: {trials: 2, epochs: 2, rungs: {min: 1, max: 2, factor: 2}, seeds: [1], patience: 0, sampler: random, enqueue: 1, export: 1}
  c: {candidates: 1, folds: 2, seeds: [1], epochs: 1, patience: 0}
`

// memory is a log without a disk.
type memory struct {
	mu     sync.Mutex
	events map[string][][]byte
	faults error // what every call ends with
}

func (m *memory) Load(_ context.Context, name string, have int64) (store.Records, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	events, ok := m.events[name]
	switch {
	case m.faults != nil:
		return store.Records{}, m.faults
	case !ok:
		return store.Records{}, store.ErrNotFound
	case have > int64(len(events)):
		return store.Records{}, store.ErrConflict
	}
	return store.Records{Events: events[have:], Seq: int64(len(events)), AnswersFrom: have}, nil
}

func (m *memory) Append(_ context.Context, name string, after int64, list [][]byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.faults != nil {
		return m.faults
	}
	events, ok := m.events[name]
	if after == 0 && ok || after != int64(len(events)) {
		return store.ErrConflict
	}
	m.events[name] = append(events[:after:after], list...)
	return nil
}

func (m *memory) Compact(context.Context, string, int64, []byte) error { return nil }

func (m *memory) Studies(context.Context) ([]string, error) { return nil, nil }

// copied is a log that goes its own way from here.
func (m *memory) copied() *memory {
	c := &memory{events: map[string][][]byte{}}
	for name, events := range m.events {
		c.events[name] = events
	}
	return c
}

// world is a service and what its functions write.
type world struct {
	t       testing.TB
	log     *memory
	service *handler.Service
	now     time.Time
	logged  bytes.Buffer
	metrics bytes.Buffer
}

func newWorld(t testing.TB, log *memory) *world {
	t.Helper()
	w := &world{t: t, log: log, now: time.Date(2025, 5, 1, 12, 0, 0, 0, time.UTC)}
	clock := func() time.Time { return w.now }
	bucket, err := objects.Open(t.Context(), "mem://")
	if err != nil {
		t.Fatal(err)
	}
	data, err := objects.Open(t.Context(), "mem://")
	if err != nil {
		t.Fatal(err)
	}
	w.service = &handler.Service{Log: log, Objects: bucket, Definitions: data, Clock: clock, Logger: w.logger()}
	return w
}

func (w *world) logger() *slog.Logger { return newLogger(&w.logged, "test") }

// function returns a call of the world's service as Lambda has it.
func function[Req, Reply any](w *world, name string, call func(*handler.Service, context.Context, Req) (Reply, error)) invoker {
	return newInvoker(name, w.service, w.logger(), emf.Writer{W: &w.metrics, Now: w.service.Clock},
		func(s *handler.Service, _ *slog.Logger) calling { return decoding(s, call) })
}

// created is a world with the study "small", whose stage A is open.
func created(t testing.TB) *world {
	t.Helper()
	w := newWorld(t, &memory{events: map[string][][]byte{}})
	c, err := config.Parse("small.yaml", []byte(small))
	if err != nil {
		t.Fatal(err)
	}
	if err := w.service.Create(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	plan := protocol.StageRequest{SchemaVersion: protocol.Version, Study: "small", Stage: protocol.StageA}
	if _, err := w.service.Plan(t.Context(), plan); err != nil {
		t.Fatal(err)
	}
	return w
}

// uploaded is what the study "small" reads, and its definition, by the keys in the data
// bucket.
func uploaded(t testing.TB) map[string][]byte {
	t.Helper()
	c, err := config.Parse("small.yaml", []byte(small))
	if err != nil {
		t.Fatal(err)
	}
	sum := strings.Repeat("0", 64)
	c.Corpus.Dir, c.Models["tiny"] = "mem:///corpora/"+sum+"/", "mem:///backbones/"+sum+"/"
	definition, err := c.JSON()
	if err != nil {
		t.Fatal(err)
	}
	return map[string][]byte{
		handler.DefinitionKey("small"):                  definition,
		"corpora/" + sum + "/" + dataref.ManifestName:   {},
		"backbones/" + sum + "/" + dataref.ManifestName: {},
	}
}

// upload fills the data bucket.
func (w *world) upload(objects map[string][]byte) {
	w.t.Helper()
	for key, data := range objects {
		if err := w.service.Definitions.Write(w.t.Context(), key, data); err != nil {
			w.t.Fatal(err)
		}
	}
}

// requested is a context as Lambda makes it.
func requested(ctx context.Context) context.Context {
	return lambdacontext.NewContext(ctx, &lambdacontext.LambdaContext{AwsRequestID: "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"})
}

// invoke calls a function and splits its answer.
func (w *world) invoke(f invoker, request any) ([]byte, *messages.InvokeResponse_Error) {
	w.t.Helper()
	payload, ok := request.(string)
	if !ok {
		data, err := json.Marshal(request)
		if err != nil {
			w.t.Fatal(err)
		}
		payload = string(data)
	}
	reply, err := f.Invoke(requested(w.t.Context()), []byte(payload))
	if err == nil {
		return reply, nil
	}
	refused, ok := err.(messages.InvokeResponse_Error) //nolint:errorlint // as the runtime looks at it
	if !ok {
		w.t.Fatalf("the error is a %T, which Lambda would name by its Go type", err)
	}
	return nil, &refused
}

func asking(slot string, token int64) protocol.AskRequest {
	return protocol.AskRequest{SchemaVersion: protocol.Version, Study: "small", Stage: protocol.StageA, Slot: slot, Token: token}
}

// trained is what a trainer tells of a work.
func trained(work protocol.Work, f1 float64) protocol.TellRequest {
	t := protocol.TellRequest{SchemaVersion: protocol.Version, Study: "small", Trial: work.Trial, Attempt: work.Attempt, Rung: work.Rung}
	t.Outcome.CostSeconds = 2
	for epoch := work.FromEpoch + 1; epoch <= work.ToEpoch; epoch++ {
		t.Outcome.Epochs = append(t.Outcome.Epochs, protocol.EpochMetrics{Seed: 1, Epoch: epoch, F1Macro: f1, ECE: 0.1, Accuracy: f1})
	}
	return t
}

// under asks for work and returns it.
func (w *world) under(slot string) protocol.Work {
	w.t.Helper()
	reply, err := w.service.Ask(w.t.Context(), asking(slot, 1))
	if err != nil || reply.Work == nil {
		w.t.Fatalf("Ask = %+v, %v", reply, err)
	}
	return *reply.Work
}
