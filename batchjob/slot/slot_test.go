package slot

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/supermax-hpo/supermax/shared/protocol"
	"github.com/supermax-hpo/supermax/shared/results"
)

// world fakes everything around a slot. Each function may be replaced; calls are recorded
// in order.
type world struct {
	ask       func(protocol.AskRequest) (protocol.AskReply, error)
	tell      func(context.Context, protocol.TellRequest) (protocol.TellReply, error)
	heartbeat func(context.Context, protocol.HeartbeatRequest) (protocol.HeartbeatReply, error)
	run       func(context.Context, protocol.Work) (Result, error)
	write     func(key string) error
	deleteErr error

	calls []string // "ask 1", "run 0-2", "write KEY", "tell", "delete KEY", "release"
	tells []protocol.TellRequest
	beats int
}

func (w *world) Ask(ctx context.Context, r protocol.AskRequest) (protocol.AskReply, error) {
	w.calls = append(w.calls, "ask")
	reply, err := w.ask(r)
	if ctx.Err() != nil { // the answer comes too late to be heard
		return protocol.AskReply{}, ctx.Err()
	}
	return reply, err
}

func (w *world) Tell(ctx context.Context, r protocol.TellRequest) (protocol.TellReply, error) {
	w.calls = append(w.calls, "tell")
	w.tells = append(w.tells, r)
	if err := ctx.Err(); err != nil {
		return protocol.TellReply{}, err
	}
	return w.tell(ctx, r)
}

func (w *world) Heartbeat(ctx context.Context, r protocol.HeartbeatRequest) (protocol.HeartbeatReply, error) {
	w.beats++
	if w.heartbeat == nil {
		return protocol.HeartbeatReply{}, nil
	}
	return w.heartbeat(ctx, r)
}

func (w *world) Run(ctx context.Context, work protocol.Work) (Result, error) {
	w.calls = append(w.calls, "run")
	return w.run(ctx, work)
}
func (w *world) Release() { w.calls = append(w.calls, "release") }

func (w *world) Write(_ context.Context, key string, _ []results.Row) error {
	w.calls = append(w.calls, "write "+key)
	if w.write == nil {
		return nil
	}
	return w.write(key)
}

func (w *world) Delete(_ context.Context, key string) error {
	w.calls = append(w.calls, "delete "+key)
	return w.deleteErr
}

func (w *world) slot() *Slot {
	return &Slot{
		Study: w, Runner: w, Metrics: w, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
		Name: "slot-1-x", StudyName: "s", Stage: protocol.StageA, Device: protocol.Device{Name: "cpu"},
	}
}

// answers returns an ask that gives these replies in turn, then done.
func answers(replies ...protocol.AskReply) func(protocol.AskRequest) (protocol.AskReply, error) {
	return func(protocol.AskRequest) (protocol.AskReply, error) {
		if len(replies) == 0 {
			return protocol.AskReply{Kind: protocol.AskDone}, nil
		}
		r := replies[0]
		replies = replies[1:]
		return r, nil
	}
}

func work(trial int) protocol.AskReply {
	return protocol.AskReply{Kind: protocol.AskWork, Work: &protocol.Work{
		Trial: trial, Attempt: 2, ToEpoch: 2, Seeds: []int64{1}, HeartbeatEverySeconds: 10,
	}}
}

func release(context.Context, protocol.TellRequest) (protocol.TellReply, error) {
	return protocol.TellReply{Kind: protocol.TellRelease}, nil
}

// trained takes a minute and reports one epoch.
func trained(context.Context, protocol.Work) (Result, error) {
	time.Sleep(time.Minute)
	return Result{Epochs: []protocol.EpochMetrics{{Seed: 1, Epoch: 2, F1Macro: 0.5}}, PeakMemoryBytes: 7}, nil
}

func key(trial, rung int) string { return results.Key("s", protocol.StageA, trial, rung, 2) }

func TestTrainsUntilDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{run: trained}
		var tokens []int64
		next := answers(work(3), protocol.AskReply{Kind: protocol.AskWait, RetryAfterSeconds: 5}, work(4))
		w.ask = func(r protocol.AskRequest) (protocol.AskReply, error) {
			tokens = append(tokens, r.Token)
			return next(r)
		}
		// Trial 3 is promoted on the spot once.
		w.tell = func(ctx context.Context, r protocol.TellRequest) (protocol.TellReply, error) {
			if r.Trial == 3 && r.Rung == 0 {
				return protocol.TellReply{Kind: protocol.TellContinue, Rung: 1, FromEpoch: 2, ToEpoch: 6}, nil
			}
			return release(ctx, r)
		}
		start := time.Now()
		if err := w.slot().Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		want := []string{
			"ask", "run", "write " + key(3, 0), "tell", "run", "write " + key(3, 1), "tell", "release",
			"ask", "ask", "run", "write " + key(4, 0), "tell", "release", "ask",
		}
		if diff := cmp.Diff(want, w.calls); diff != "" {
			t.Errorf("calls (-want +got):\n%s", diff)
		}
		if !slices.Equal(tokens, []int64{1, 2, 3, 4}) {
			t.Errorf("ask tokens %v, want 1 2 3 4", tokens)
		}
		if took := time.Since(start); took != 3*time.Minute+5*time.Second {
			t.Errorf("took %v, want three minutes of training and five seconds of waiting", took)
		}
		// A minute holds beats at 10, 20, … 50 s, and one at 60 s that may come first.
		if w.beats < 15 || w.beats > 18 {
			t.Errorf("%d heartbeats in three minutes at 10 s, want 15 to 18", w.beats)
		}
		told := w.tells[0].Outcome
		if told.CostSeconds != 60 || told.PeakMemoryBytes != 7 || len(told.Epochs) != 1 || w.tells[0].Attempt != 2 {
			t.Errorf("told %+v, want 60 s, 7 bytes and one epoch", told)
		}
	})
}

func TestStaleReportRemovesItsOwnFile(t *testing.T) {
	for name, deleteErr := range map[string]error{"removed": nil, "left to aggregate": io.ErrClosedPipe} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := &world{ask: answers(work(3)), run: trained, deleteErr: deleteErr}
				w.tell = func(context.Context, protocol.TellRequest) (protocol.TellReply, error) {
					return protocol.TellReply{Kind: protocol.TellStale}, nil
				}
				if err := w.slot().Run(t.Context()); err != nil {
					t.Fatal(err)
				}
				want := []string{"ask", "run", "write " + key(3, 0), "tell", "delete " + key(3, 0), "release", "ask"}
				if diff := cmp.Diff(want, w.calls); diff != "" {
					t.Errorf("calls (-want +got):\n%s", diff)
				}
			})
		})
	}
}

func TestLostLeaseStopsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{ask: answers(work(3))}
		w.heartbeat = func(context.Context, protocol.HeartbeatRequest) (protocol.HeartbeatReply, error) {
			switch w.beats {
			case 1:
				return protocol.HeartbeatReply{}, io.ErrUnexpectedEOF // not delivered: training goes on
			case 2:
				return protocol.HeartbeatReply{}, nil
			}
			return protocol.HeartbeatReply{Lost: true}, nil
		}
		w.run = func(ctx context.Context, _ protocol.Work) (Result, error) {
			<-ctx.Done()
			return Result{}, ctx.Err()
		}
		start := time.Now()
		if err := w.slot().Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"ask", "run", "release", "ask"}, w.calls); diff != "" {
			t.Errorf("calls (-want +got):\n%s", diff)
		}
		if took := time.Since(start); took != 30*time.Second {
			t.Errorf("stopped after %v, want the third heartbeat at 30 s", took)
		}
	})
}

func TestFailures(t *testing.T) {
	broken := errors.New("the disk that holds /objects is full")
	tests := []struct {
		name  string
		run   func(context.Context, protocol.Work) (Result, error)
		write func(string) error
		want  protocol.Failure
		fatal string // part of Run's error; empty: the slot goes on
	}{
		{"out of memory", func(context.Context, protocol.Work) (Result, error) {
			return Result{PeakMemoryBytes: 9}, &TrialError{protocol.FailedOOM, errors.New("allocate 5 GB: no memory")}
		}, nil, protocol.Failure{Kind: protocol.FailedOOM, Message: "allocate 5 GB: no memory"}, ""},
		{"data", func(context.Context, protocol.Work) (Result, error) {
			return Result{}, &TrialError{protocol.FailedData, errors.New("optim.name lion is not implemented")}
		}, nil, protocol.Failure{Kind: protocol.FailedData, Message: "optim.name lion is not implemented"}, ""},
		{"an operation", func(context.Context, protocol.Work) (Result, error) {
			return Result{}, &TrialError{protocol.FailedCrash, errors.New("matmul: shapes")}
		}, nil, protocol.Failure{Kind: protocol.FailedCrash, Message: "matmul: shapes"}, "matmul"},
		{"panic", func(context.Context, protocol.Work) (Result, error) { panic("a post's text") },
			nil, protocol.Failure{Kind: protocol.FailedCrash, Message: errPanicked.Error()}, "fault of its own"},
		{"environment", func(context.Context, protocol.Work) (Result, error) { return Result{}, broken },
			nil, protocol.Failure{Kind: protocol.FailedInterrupted, Message: broken.Error()}, "full"},
		{"metrics cannot be kept", trained, func(string) error { return broken },
			protocol.Failure{Kind: protocol.FailedInterrupted, Message: "keep the metrics of trial 3: " + broken.Error()}, "full"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := &world{ask: answers(work(3)), run: tt.run, write: tt.write, tell: release}
				var log strings.Builder
				s := w.slot()
				s.Log = slog.New(slog.NewJSONHandler(&log, nil))
				err := s.Run(t.Context())
				if tt.fatal == "" && err != nil || tt.fatal != "" && (err == nil || !strings.Contains(err.Error(), tt.fatal)) {
					t.Errorf("slot ended with %v, want %q", err, tt.fatal)
				}
				if len(w.tells) != 1 || w.tells[0].Outcome.Failed == nil {
					t.Fatalf("told %+v, want one failure", w.tells)
				}
				got := w.tells[0].Outcome
				if diff := cmp.Diff(tt.want, *got.Failed); diff != "" {
					t.Errorf("told (-want +got):\n%s", diff)
				}
				if got.Epochs != nil {
					t.Errorf("epochs told with a failure: %v", got.Epochs)
				}
				if w.calls[len(w.calls)-1] != "release" && err != nil {
					t.Errorf("calls %v, want release last", w.calls)
				}
				if strings.Contains(log.String(), "post's text") {
					t.Error("the log repeats a panic's value")
				}
			})
		})
	}
}

func TestInterrupted(t *testing.T) {
	tests := []struct {
		name  string
		cause error
		told  bool
		tell  func(context.Context, protocol.TellRequest) (protocol.TellReply, error)
		took  time.Duration
	}{
		{"told", context.Canceled, true, release, 25 * time.Second},
		{"nobody answers", context.Canceled, true, func(ctx context.Context, _ protocol.TellRequest) (protocol.TellReply, error) {
			<-ctx.Done()
			return protocol.TellReply{}, ctx.Err()
		}, 35 * time.Second},
		{"orphaned", ErrOrphaned, false, release, 25 * time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancelCause(t.Context())
				time.AfterFunc(25*time.Second, func() { cancel(tt.cause) })
				w := &world{ask: answers(work(3)), tell: tt.tell}
				delivered := false
				w.tell = func(ctx context.Context, r protocol.TellRequest) (protocol.TellReply, error) {
					delivered = true
					return tt.tell(ctx, r)
				}
				w.run = func(ctx context.Context, _ protocol.Work) (Result, error) {
					<-ctx.Done()
					return Result{}, ctx.Err()
				}
				start := time.Now()
				if err := w.slot().Run(ctx); err != nil {
					t.Errorf("an interruption ended with %v", err)
				}
				if took := time.Since(start); took != tt.took {
					t.Errorf("took %v, want %v", took, tt.took)
				}
				if delivered != tt.told {
					t.Errorf("told %t, want %t", delivered, tt.told)
				}
				for _, r := range w.tells {
					if f := r.Outcome.Failed; f == nil || f.Kind != protocol.FailedInterrupted {
						t.Errorf("told %+v, want interrupted", f)
					}
				}
			})
		})
	}
}

// A run that ended just as the slot was stopped is still reported.
func TestFinishedWorkIsToldWhenStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		w := &world{ask: answers(work(3), work(4)), tell: release}
		w.run = func(ctx context.Context, x protocol.Work) (Result, error) {
			cancel()
			return trained(ctx, x)
		}
		if err := w.slot().Run(ctx); err != nil {
			t.Fatal(err)
		}
		if len(w.tells) != 1 || w.tells[0].Outcome.Failed != nil || len(w.tells[0].Outcome.Epochs) != 1 {
			t.Errorf("told %+v, want the one result", w.tells)
		}
	})
}

// Work that comes just as the slot is stopped is given back untrained; when whoever
// started the slot is gone, there is nobody to give it back to.
func TestWorkIsGivenBackWhenStopped(t *testing.T) {
	for name, tt := range map[string]struct {
		cause error
		want  []string
	}{
		"stopped":  {context.Canceled, []string{"ask", "tell", "release"}},
		"orphaned": {ErrOrphaned, []string{"ask"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancelCause(t.Context())
				w := &world{tell: release, run: trained}
				w.ask = func(protocol.AskRequest) (protocol.AskReply, error) {
					cancel(tt.cause)
					synctest.Wait()
					return work(3), nil
				}
				if err := w.slot().Run(ctx); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(tt.want, w.calls); diff != "" {
					t.Errorf("calls (-want +got):\n%s", diff)
				}
				for _, r := range w.tells {
					if f := r.Outcome.Failed; f == nil || f.Kind != protocol.FailedInterrupted || r.Trial != 3 || r.Attempt != 2 {
						t.Errorf("told %+v, want trial 3's second attempt as interrupted", r)
					}
				}
			})
		})
	}
}

func TestStudyRefuses(t *testing.T) {
	refused := errors.New("no such study")
	tests := []struct {
		name string
		ask  func(protocol.AskRequest) (protocol.AskReply, error)
		tell func(context.Context, protocol.TellRequest) (protocol.TellReply, error)
		want string
	}{
		{"ask", func(protocol.AskRequest) (protocol.AskReply, error) { return protocol.AskReply{}, refused }, release, "ask for work: no such study"},
		{"work without work", answers(protocol.AskReply{Kind: protocol.AskWork}), release, "without any"},
		{"unknown answer", answers(protocol.AskReply{Kind: "later"}), release, `"later"`},
		{"tell", answers(work(3)), func(context.Context, protocol.TellRequest) (protocol.TellReply, error) {
			return protocol.TellReply{}, refused
		}, "tell trial 3: no such study"},
		{"unknown answer to tell", answers(work(3)), func(context.Context, protocol.TellRequest) (protocol.TellReply, error) {
			return protocol.TellReply{Kind: "perhaps"}, nil
		}, `"perhaps"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := &world{ask: tt.ask, tell: tt.tell, run: trained}
				if err := w.slot().Run(t.Context()); err == nil || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("got %v, want %q", err, tt.want)
				}
			})
		})
	}
}

// Without a beat from the study, the slot has its own.
func TestDefaultHeartbeat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{run: trained, tell: release}
		reply := work(3)
		reply.Work.HeartbeatEverySeconds = 0
		w.ask = answers(reply)
		w.heartbeat = func(ctx context.Context, _ protocol.HeartbeatRequest) (protocol.HeartbeatReply, error) {
			<-ctx.Done() // hangs until its own time is over
			return protocol.HeartbeatReply{}, ctx.Err()
		}
		if err := w.slot().Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if w.beats != 1 {
			t.Errorf("%d heartbeats in a minute of which the first hung from 30 s to 60 s, want 1", w.beats)
		}
	})
}
