package handler

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/supermax-hpo/supermax/shared/protocol"
	"github.com/supermax-hpo/supermax/shared/results"
	"github.com/supermax-hpo/supermax/shared/study"
)

// Many slots at three processes of the same study: they repeat requests, die at any
// moment, are released while they still train, and speak for attempts that they lost.
// Every trial and rung is counted exactly once, every epoch row is there exactly once.
func TestManySlots(t *testing.T) {
	w := newWorld(t)
	w.create()
	services := []*Service{w.Service, w.another(), w.another()}
	ctx := t.Context()
	var lives atomic.Int64
	for _, stage := range []protocol.Stage{"A", "B", "C"} {
		req := w.request(stage)
		if _, err := w.Plan(ctx, req); err != nil {
			t.Fatal(err)
		}
		for done := false; !done; {
			var slots sync.WaitGroup
			for range 9 {
				slots.Go(func() {
					n := lives.Add(1)
					u := unruly{world: w, stage: stage, name: fmt.Sprintf("slot-%d", n), rng: rand.New(rand.NewPCG(1, uint64(n)))}
					u.service = services[n%int64(len(services))]
					if err := u.live(ctx); err != nil {
						t.Error(err)
					}
				})
			}
			slots.Wait()
			if t.Failed() {
				return
			}
			check, err := services[1].Check(ctx, req)
			if err != nil {
				t.Fatal(err)
			}
			done = check.Done
		}
		if _, err := services[2].Aggregate(ctx, req); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Promote(ctx, req); err != nil {
			t.Fatal(err)
		}
	}
	reply, err := w.Finish(ctx, protocol.StudyRequest{SchemaVersion: 1, Study: "small"})
	if err != nil || len(reply.Exports) != 2 {
		t.Fatalf("Finish = %+v, %v", reply, err)
	}
	t.Logf("%d slots, %d events, %d appends lost a race", lives.Load(), len(w.log.events), w.log.lost)
	if w.log.lost == 0 {
		t.Error("no append ever lost a race: the test shows nothing")
	}
	w.wantOnce(services)
}

// unruly is a slot that does everything that a slot may do wrong.
type unruly struct {
	*world
	service *Service
	stage   protocol.Stage
	name    string
	rng     *rand.Rand
}

var errDied = errors.New("died")

func (u *unruly) live(ctx context.Context) error {
	for token := int64(1); ; token++ {
		ask := protocol.AskRequest{SchemaVersion: 1, Study: "small", Stage: u.stage, Slot: u.name, Token: token}
		reply, err := u.service.Ask(ctx, ask)
		if err != nil {
			return err
		}
		if u.chance(0.2) { // the answer was lost on the way: the same one comes again
			again, err := u.service.Ask(ctx, ask)
			if err != nil || reply.Kind == protocol.AskWork && !reflect.DeepEqual(again, reply) && again.Kind != protocol.AskDone {
				return fmt.Errorf("a repeated ask got %+v, %w; before it was %+v", again, err, reply)
			}
			if reply.Kind == protocol.AskWait { // there may be work by now
				reply = again
			}
		}
		if reply.Kind != protocol.AskWork {
			return nil
		}
		if err := u.trial(ctx, *reply.Work); err != nil {
			if errors.Is(err, errDied) {
				return nil
			}
			return err
		}
	}
}

func (u *unruly) trial(ctx context.Context, work protocol.Work) error {
	for {
		outcome, rows := u.train(u.stage, work)
		if u.chance(0.1) {
			return u.release(ctx)
		}
		if u.chance(0.3) {
			if _, err := u.service.Heartbeat(ctx, protocol.HeartbeatRequest{SchemaVersion: 1, Study: "small", Trial: work.Trial, Attempt: work.Attempt}); err != nil {
				return err
			}
		}
		if err := u.keep(ctx, u.stage, work, rows); err != nil {
			return err
		}
		lost := u.chance(0.1)
		if lost { // thought dead, but it speaks on
			if err := u.release(ctx); !errors.Is(err, errDied) {
				return err
			}
		}
		told, err := u.service.Tell(ctx, tell(work, outcome))
		if err != nil {
			return err
		}
		if lost {
			if told.Kind != protocol.TellStale {
				return fmt.Errorf("trial %d: a lost attempt was told %s", work.Trial, told.Kind)
			}
			return errDied // its metrics file stays behind
		}
		if u.chance(0.2) {
			if again, err := u.service.Tell(ctx, tell(work, outcome)); err != nil || again != told {
				return fmt.Errorf("a repeated tell got %+v, %w; before it was %+v", again, err, told)
			}
		}
		if told.Kind != protocol.TellContinue {
			return nil
		}
		work.Rung, work.FromEpoch, work.ToEpoch = told.Rung, told.FromEpoch, told.ToEpoch
	}
}

func (u *unruly) release(ctx context.Context) error {
	req := protocol.ReleaseSlotRequest{SchemaVersion: 1, Study: "small", Slot: u.name, Cause: protocol.FailedInterrupted}
	if u.chance(0.2) {
		req.Cause = protocol.FailedCrash
	}
	if _, err := u.service.ReleaseSlot(ctx, req); err != nil {
		return err
	}
	return errDied
}

func (u *unruly) chance(p float64) bool { return u.rng.Float64() < p }

// wantOnce checks the books: the log's events, every process's state, and the rows.
func (w *world) wantOnce(services []*Service) {
	t, ctx := w.t, w.t.Context()
	t.Helper()
	reported := map[[2]int]int{}
	for _, e := range w.log.events {
		if e.Type == study.EventReported {
			reported[[2]int{e.Trial, e.Rung}]++
		}
	}
	want, err := w.log.replayed(t).Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	services = append(services, w.another()) // one that starts from the log's last snapshot
	for i, s := range services {
		st, err := s.State(ctx, "small")
		if err != nil {
			t.Fatal(err)
		}
		got, err := st.Snapshot()
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != string(want) {
			t.Errorf("the state of process %d is not what all events lead to", i)
		}
	}
	st, err := w.State(ctx, "small")
	if err != nil {
		t.Fatal(err)
	}
	for stage, limit := range map[protocol.Stage]int{"A": 12, "B": 8, "C": 6} {
		if n := len(st.Trials(stage)); n != limit {
			t.Errorf("stage %s has %d trials, want %d", stage, n, limit)
		}
		rows, err := results.ReadAll(ctx, w.bucket, results.Prefix("small", stage))
		if err != nil {
			t.Fatal(err)
		}
		type place struct {
			trial int
			seed  int64
			epoch int
		}
		have := map[place]int{}
		for _, r := range rows {
			have[place{r.Trial, r.Seed, r.Epoch}]++
			if m := measured(protocol.Work{Trial: r.Trial}, r.Seed, r.Epoch); m.F1Macro != r.F1Macro {
				t.Errorf("trial %d, seed %d, epoch %d has F1-macro %v, measured was %v", r.Trial, r.Seed, r.Epoch, r.F1Macro, m.F1Macro)
			}
		}
		wanted := map[place]int{}
		for _, trial := range st.Trials(stage) {
			for _, b := range trial.Seeds {
				first := 1
				if stage == protocol.StageC {
					first = 0
				}
				for epoch := first; epoch <= b.Last; epoch++ {
					wanted[place{trial.Number, b.Seed, epoch}] = 1
				}
			}
		}
		if d := cmp.Diff(wanted, have, cmp.AllowUnexported(place{})); d != "" {
			t.Errorf("stage %s: rows -want +have\n%s", stage, d)
		}
		for _, r := range st.Accepted(stage) {
			if n := reported[[2]int{r.Trial, r.Rung}]; n != 1 {
				t.Errorf("trial %d, rung %d was counted %d times", r.Trial, r.Rung, n)
			}
			delete(reported, [2]int{r.Trial, r.Rung})
		}
	}
	if len(reported) > 0 {
		t.Errorf("reports that nobody accounts for: %v", reported)
	}
}
