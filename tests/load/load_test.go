// Package load puts a study under more contention than any real one has, against DynamoDB
// or what stands in for it. The tests are slow; -short leaves them out.
package load

import (
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/supermax-hpo/supermax/lambdas/handler"
	"github.com/supermax-hpo/supermax/shared/config"
	"github.com/supermax-hpo/supermax/shared/objects"
	"github.com/supermax-hpo/supermax/shared/pause"
	"github.com/supermax-hpo/supermax/shared/protocol"
	"github.com/supermax-hpo/supermax/shared/store/dynamo"
	"github.com/supermax-hpo/supermax/shared/study"
	"github.com/supermax-hpo/supermax/tests/emulator"
)

var (
	trials = flag.Int("trials", 80, "how many trials the study has; `make test-load` has 5,000")
	slots  = flag.Int("slots", 16, "how many slots ask and tell at once, each at a process of its own")
)

// Every slot asks and tells at a process of its own, all of them at once: each trial and
// rung is trained once, each result is there, each promotion happened once, and no call
// lost more appends than the bound in the comment of handler's do.
func TestContention(t *testing.T) { run(t, nil) }

// The same when one call to DynamoDB in ten fails before or after it was carried out, is
// sent twice, comes late, or comes a second time later.
func TestContentionWithFaults(t *testing.T) { run(t, &faults{share: 0.1, seed: 7}) }

func run(t *testing.T, f *faults) {
	if testing.Short() {
		t.Skip("takes minutes")
	}
	w := newWorld(t, f)
	began := time.Now()
	var working sync.WaitGroup
	for i := range *slots {
		s := slot{world: w, service: w.process(), name: fmt.Sprintf("slot-%03d", i)}
		working.Go(func() {
			if err := s.live(t.Context()); err != nil {
				t.Errorf("%s: %v", s.name, err)
			}
		})
	}
	done := make(chan struct{})
	go w.progress(done)
	working.Wait()
	close(done)
	took := time.Since(began)
	w.settle()
	w.report(took)
	if !t.Failed() {
		w.check()
	}
}

// world is a study in a table of its own, and what is known of it from outside.
type world struct {
	t      *testing.T
	table  string
	aws    aws.Config
	http   *http.Client
	faults *faults
	bucket *objects.Bucket
	log    *ledger

	mu       sync.Mutex
	told     map[work]float64 // F1-macro of what was trained and accepted
	handed   map[work]string  // to which slot
	lost     map[int]int      // calls by how many appends they lost
	repeated int              // calls that ended as unavailable and were repeated
	waits    int
}

// work is a trial's training at a rung.
type work struct{ trial, rung int }

func newWorld(t *testing.T, f *faults) *world {
	t.Helper()
	c, err := config.Parse("load.yaml", fmt.Appendf(nil, `version: 1
name: load
agent: criteria
corpus: {dir: data, layout: groundtruth}
lease_seconds: 86400
stages:
  a: {trials: %d, epochs: 9, rungs: {min: 1, max: 9, factor: 3}, seeds: [1], patience: 0, sampler: random}
`, *trials))
	if err != nil {
		t.Fatal(err)
	}
	return newWorldOf(t, c, f)
}

// newWorldOf makes a study from its file and opens its stage A.
func newWorldOf(t *testing.T, c *config.Study, f *faults) *world {
	t.Helper()
	w := &world{t: t, aws: emulator.Config(t), faults: f, log: newLedger(),
		table: "load-" + rand.Text()[:10], told: map[work]float64{}, handed: map[work]string{}, lost: map[int]int{}}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConns, transport.MaxIdleConnsPerHost = 0, 2**slots
	plain := dynamodb.NewFromConfig(w.aws)
	if _, err := plain.CreateTable(t.Context(), dynamo.TableInput(w.table)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if _, err := plain.DeleteTable(ctx, &dynamodb.DeleteTableInput{TableName: &w.table}); err != nil {
			t.Errorf("delete table %s: %v", w.table, err)
		}
	})
	wait := dynamodb.NewTableExistsWaiter(plain, func(o *dynamodb.TableExistsWaiterOptions) { o.MinDelay = 10 * time.Millisecond })
	if err := wait.Wait(t.Context(), &dynamodb.DescribeTableInput{TableName: &w.table}, time.Minute); err != nil {
		t.Fatal(err)
	}
	bucket, err := objects.Open(t.Context(), "mem://")
	if err != nil {
		t.Fatal(err)
	}
	w.bucket = bucket
	w.http = &http.Client{Transport: transport}
	s := w.process()
	if err := s.Create(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Plan(t.Context(), protocol.StageRequest{SchemaVersion: 1, Study: "load", Stage: protocol.StageA}); err != nil {
		t.Fatal(err)
	}
	if f != nil {
		f.next = transport
		w.http = &http.Client{Transport: f}
	}
	return w
}

// process is a service as a Lambda container has it: its own client, log and cache.
func (w *world) process() *handler.Service {
	client := dynamodb.NewFromConfig(w.aws, func(o *dynamodb.Options) { o.HTTPClient = w.http })
	s := &handler.Service{Log: &recorded{Mailbox: dynamo.Open(client, w.table), to: w.log}, Objects: w.bucket, Clock: time.Now}
	s.Observe = func(_ context.Context, o handler.Observation) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.lost[o.Lost]++
	}
	return s
}

// slot is a trainer that measures what a formula says.
type slot struct {
	*world
	service *handler.Service
	name    string
}

func (s *slot) live(ctx context.Context) error {
	for token := int64(1); ; token++ {
		reply, err := again(ctx, s.world, s.service.Ask, protocol.AskRequest{SchemaVersion: 1, Study: "load",
			Stage: protocol.StageA, Slot: s.name, Token: token})
		if err != nil {
			return err
		}
		switch reply.Kind {
		case protocol.AskDone:
			return nil
		case protocol.AskWait:
			s.mu.Lock()
			s.waits++
			s.mu.Unlock()
			if err := pause.For(ctx, time.Duration(reply.RetryAfterSeconds*float64(time.Second))); err != nil {
				return err
			}
			continue
		}
		if err := s.train(ctx, *reply.Work); err != nil {
			return err
		}
	}
}

func (s *slot) train(ctx context.Context, w protocol.Work) error {
	for {
		s.take(work{w.Trial, w.Rung})
		req := protocol.TellRequest{SchemaVersion: 1, Study: "load", Trial: w.Trial, Attempt: w.Attempt, Rung: w.Rung,
			Outcome: protocol.Outcome{CostSeconds: 1}}
		for epoch := w.FromEpoch + 1; epoch <= w.ToEpoch; epoch++ {
			f1 := measured(w.Trial, epoch)
			req.Outcome.Epochs = append(req.Outcome.Epochs, protocol.EpochMetrics{Seed: 1, Epoch: epoch, Loss: 1 - f1, F1Macro: f1, ECE: 0.1, Accuracy: f1, NLL: 1, Brier: 0.2})
		}
		told, err := again(ctx, s.world, s.service.Tell, req)
		if err != nil {
			return err
		}
		s.mu.Lock()
		s.told[work{w.Trial, w.Rung}] = measured(w.Trial, w.ToEpoch)
		s.mu.Unlock()
		switch told.Kind {
		case protocol.TellRelease:
			return nil
		case protocol.TellContinue:
			w.Rung, w.FromEpoch, w.ToEpoch = told.Rung, told.FromEpoch, told.ToEpoch
		default:
			return fmt.Errorf("trial %d, rung %d: the tell of the lease's holder was called %s", w.Trial, w.Rung, told.Kind)
		}
	}
}

// take notes that the slot trains something, which nobody did before.
func (s *slot) take(w work) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if other, taken := s.handed[w]; taken {
		s.t.Errorf("trial %d, rung %d was given to %s and to %s", w.trial, w.rung, other, s.name)
	}
	s.handed[w] = s.name
}

// measured grows with the epochs, at a trial's own pace.
func measured(trial, epoch int) float64 {
	return (0.3 + 0.6*float64(trial*7919%10007)/10007) * (1 - 1/float64(epoch+1))
}

// again repeats a call that ended as unavailable, as a slot's client does.
func again[Req, Reply any](ctx context.Context, w *world, call func(context.Context, Req) (Reply, error), req Req) (Reply, error) {
	for try := 1; ; try++ {
		reply, err := call(ctx, req)
		if err == nil || handler.Code(err) != protocol.CodeUnavailable || try == 20 || ctx.Err() != nil {
			return reply, err
		}
		w.mu.Lock()
		w.repeated++
		w.mu.Unlock()
	}
}

// progress logs how far the study is, so that a slow emulator is not taken for a dead one.
func (w *world) progress(done chan struct{}) {
	tick := time.NewTicker(20 * time.Second)
	defer tick.Stop()
	for {
		select {
		case <-done:
			return
		case <-tick.C:
			w.mu.Lock()
			w.t.Logf("%d works given, %d told", len(w.handed), len(w.told))
			w.mu.Unlock()
		}
	}
}

// settle waits for the second comings of calls that are still under way.
func (w *world) settle() {
	if w.faults != nil {
		w.faults.late.Wait()
	}
}

func (w *world) report(took time.Duration) {
	calls, most := 0, 0
	for n, count := range w.lost {
		calls, most = calls+count, max(most, n)
	}
	w.t.Logf("%d slots, %d trials: %d commands in %v (%.0f a second), %d waits, %d repeated", *slots, *trials, calls,
		took.Round(time.Second), float64(calls)/took.Seconds(), w.waits, w.repeated)
	for _, n := range slices.Sorted(maps.Keys(w.lost)) {
		w.t.Logf("  %6d commands lost %d appends", w.lost[n], n)
	}
	w.t.Logf("the log has %d events in %d appends", len(w.log.events), w.log.appends)
	if w.faults != nil {
		w.t.Log(w.faults)
	}
	// Two for each compaction that falls into a call, of which there is at most one.
	if bound := 2 + (*slots+99)/100 + 2; most > bound {
		w.t.Errorf("a command lost %d appends; the bound is %d", most, bound)
	}
}

// check compares the study, as a process sees it that starts now, with what the slots saw.
func (w *world) check() {
	t := w.t
	st, err := w.process().State(t.Context(), "load")
	if err != nil {
		t.Fatal(err)
	}
	w.log.check(t)
	all := st.Trials(protocol.StageA)
	if len(all) != *trials {
		t.Errorf("the study has %d trials, want %d", len(all), *trials)
	}
	reports := 0
	for _, trial := range all {
		if trial.State != study.Completed && trial.State != study.Paused {
			t.Errorf("trial %d is %s", trial.Number, trial.State)
		}
		for _, r := range trial.Reports {
			reports++
			if f1, ok := w.told[work{trial.Number, r.Rung}]; !ok || f1 != r.Value.F1Macro {
				t.Errorf("trial %d, rung %d has F1-macro %v; told was %v (%v)", trial.Number, r.Rung, r.Value.F1Macro, f1, ok)
			}
			if n := w.log.count(study.EventReported, trial.Number, r.Rung); n != 1 {
				t.Errorf("trial %d, rung %d was reported %d times", trial.Number, r.Rung, n)
			}
			if n := w.log.count(study.EventPromoted, trial.Number, r.Rung); r.Rung > 0 && n != 1 {
				t.Errorf("trial %d was promoted to rung %d %d times", trial.Number, r.Rung, n)
			}
		}
		if n := w.log.count(study.EventTrialCreated, trial.Number, 0); n != 1 {
			t.Errorf("trial %d was made %d times", trial.Number, n)
		}
	}
	if reports != len(w.told) || len(w.told) != len(w.handed) {
		t.Errorf("%d works were given, %d were told, %d stand in the study", len(w.handed), len(w.told), reports)
	}
	if _, err := w.process().Promote(t.Context(), protocol.StageRequest{SchemaVersion: 1, Study: "load", Stage: protocol.StageA}); err != nil {
		t.Error(errors.Unwrap(err), err)
	}
}
