package slot

import (
	"bytes"
	"context"
	"log/slog"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/supermax-hpo/supermax/shared/protocol"
)

// A slot says how it spent its time: what it waited for on the study's word is neither
// idle nor busy, and a rung in which nothing was left to compute counts with the next.
func TestTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{ask: answers(work(3), protocol.AskReply{Kind: protocol.AskWait, RetryAfterSeconds: 5}, work(4), work(5))}
		w.run = func(_ context.Context, x protocol.Work) (Result, error) {
			time.Sleep(2 * time.Second) // reads a checkpoint
			r := Result{Began: time.Now()}
			if x.Trial == 4 { // all of its epochs were there
				r.Began = time.Time{}
				return r, nil
			}
			time.Sleep(8 * time.Second)
			return r, nil
		}
		w.write = func(string) error { time.Sleep(time.Second); return nil }
		w.tell = func(context.Context, protocol.TellRequest) (protocol.TellReply, error) {
			time.Sleep(time.Second / 2)
			if w.tells[len(w.tells)-1].Rung == 0 && w.tells[len(w.tells)-1].Trial == 3 {
				return protocol.TellReply{Kind: protocol.TellContinue, Rung: 1}, nil
			}
			return protocol.TellReply{Kind: protocol.TellRelease}, nil
		}
		var got []Times
		var log bytes.Buffer
		s := w.slot()
		s.Log = slog.New(slog.NewJSONHandler(&log, nil))
		s.Observe = func(x Times) { got = append(got, x) }
		if err := s.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		want := []Times{
			{Busy: 8 * time.Second, Whole: 10 * time.Second},
			// The tell 0.5 s and the checkpoint 2 s; the file before the tell 1 s.
			{After: true, Idle: 2500 * time.Millisecond, Busy: 8 * time.Second, Whole: 11500 * time.Millisecond},
			// Since trial 3's end: file 1, tell 0.5, wait 5, trial 4's 2 + 1 + 0.5, trial 5's 2 + 8.
			// Since trial 4's tell: 0.5 + 2.
			{After: true, Idle: 2500 * time.Millisecond, Waited: 0, Busy: 8 * time.Second, Whole: 20 * time.Second},
		}
		want[2].Waited = 5 * time.Second
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("-want +got\n%s", d)
		}
		if n := strings.Count(log.String(), `"idle_seconds":2.5`); n != 2 {
			t.Errorf("logged the idle time %d times, want 2:\n%s", n, &log)
		}
	})
}

func TestBusyPercent(t *testing.T) {
	for want, x := range map[float64]Times{80: {Busy: 4, Whole: 5}, 0: {}, 100: {Busy: 3, Whole: 3}} {
		if got := x.BusyPercent(); math.Abs(got-want) > 1e-9 {
			t.Errorf("%+v is %v %% busy, want %v", x, got, want)
		}
	}
}
