// Package trainertest is a trainer for tests. It speaks the protocol and leaves the files
// that the real one does, but needs no tensor library: what it measures is a formula. A
// test binary becomes that trainer when it is started with [Env] set.
package trainertest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"math"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/supermax-hpo/supermax/shared/config"
	"github.com/supermax-hpo/supermax/shared/exports"
	"github.com/supermax-hpo/supermax/shared/objects"
	"github.com/supermax-hpo/supermax/shared/pause"
	"github.com/supermax-hpo/supermax/shared/protocol"
	"github.com/supermax-hpo/supermax/shared/results"
	state "github.com/supermax-hpo/supermax/shared/study"
)

// Env names the variable that makes a test binary a trainer; its value is how it behaves.
const Env = "SUPERMAX_TEST_TRAINER"

// The behaviours. Those after Dying never get to work.
const (
	Working  = "working"
	Slow     = "slow"     // a tenth of a second a work
	Dying    = "dying"    // kills itself in the first attempt at every third trial
	Failing  = "failing"  // tells that each trial met NaN
	Stubborn = "stubborn" // takes work and ignores SIGTERM
	Wrong    = "wrong"    // ends with status 2 and a sentence
	Panicked = "panicked" // ends with status 2 and a stack
	Full     = "full"     // ends because no disk space is left
	Broken   = "broken"   // ends with status 1 at once
	Idle     = "idle"     // ends as if there were no work
	Burning  = "burning"  // takes work, gives it back uncounted and ends with status 1
)

// Main is the trainer's process when [Env] is set; it does not return then.
func Main() {
	switch mode := os.Getenv(Env); mode {
	case "":
		return
	case Wrong:
		fmt.Fprintln(os.Stderr, `{"level":"ERROR","msg":"trainer ends","error":"open corpus: it is gone"}`)
		os.Exit(2)
	case Panicked:
		fmt.Fprintln(os.Stderr, "panic: a fault\n\ngoroutine 1 [running]:\nmain.main()")
		os.Exit(2)
	case Full:
		fmt.Fprintln(os.Stderr, `{"level":"ERROR","msg":"trainer ends","error":"keep the metrics of trial 3: no space left on device"}`)
		os.Exit(1)
	case Broken:
		fmt.Fprintln(os.Stderr, "libtorch.so: cannot open shared object file")
		os.Exit(1)
	case Idle:
		os.Exit(0)
	default:
		if err := process(mode); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
}

// process is a trainer's process, told by its environment as the real one.
func process(mode string) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	if mode == Stubborn {
		ctx = context.WithoutCancel(ctx)
	}
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	bucket, err := objects.Open(ctx, os.Getenv("SUPERMAX_OBJECTS"))
	if err != nil {
		return err
	}
	defer func() { _ = bucket.Close() }()
	data, err := bucket.Read(ctx, config.Key(os.Getenv("SUPERMAX_STUDY")))
	if err != nil {
		return err
	}
	study, err := config.FromJSON(data)
	if err != nil {
		return err
	}
	t := Trainer{
		Calls:   &protocol.Client{Transport: &protocol.HTTPTransport{Endpoint: os.Getenv("SUPERMAX_ENDPOINT"), Token: os.Getenv("SUPERMAX_TOKEN")}},
		Objects: bucket, Study: study, Mode: mode,
	}
	return t.Run(ctx, protocol.Stage(os.Getenv("SUPERMAX_STAGE")), os.Getenv("SUPERMAX_SLOT"))
}

// Calls are what a trainer says to a study, over HTTP or in the same process.
type Calls interface {
	Ask(ctx context.Context, req protocol.AskRequest) (protocol.AskReply, error)
	Tell(ctx context.Context, req protocol.TellRequest) (protocol.TellReply, error)
}

// Trainer works for one study.
type Trainer struct {
	Calls   Calls
	Objects *objects.Bucket
	Study   *config.Study
	Mode    string
}

// errBurnt ends a trainer that gave its work back.
var errBurnt = errors.New("this machine is on fire")

// Run works until the stage has no more work or ctx ends.
func (t *Trainer) Run(ctx context.Context, stage protocol.Stage, slot string) error {
	for token := int64(1); ctx.Err() == nil; token++ {
		reply, err := t.Calls.Ask(ctx, protocol.AskRequest{
			SchemaVersion: protocol.Version, Study: t.Study.Name, Stage: stage, Slot: slot,
			Device: protocol.Device{Name: "cpu"}, Token: token,
		})
		switch {
		case ctx.Err() != nil:
			return nil //nolint:nilerr // being stopped is no error
		case err != nil:
			return err
		case reply.Kind == protocol.AskDone:
			return nil
		case reply.Kind == protocol.AskWait:
			_ = pause.For(ctx, 20*time.Millisecond)
		default:
			if err := t.work(ctx, stage, *reply.Work); err != nil {
				return err
			}
		}
	}
	return nil
}

// work trains one work, and those after it to which it is promoted on the spot.
func (t *Trainer) work(ctx context.Context, stage protocol.Stage, work protocol.Work) error {
	for {
		switch {
		case t.Mode == Dying && work.Attempt == 0 && work.Trial%3 == 0:
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		case t.Mode == Stubborn:
			_ = pause.For(context.WithoutCancel(ctx), time.Hour)
		case t.Mode == Slow:
			_ = pause.For(ctx, 100*time.Millisecond)
		}
		outcome, err := t.outcome(ctx, stage, work)
		if err != nil {
			return err
		}
		late, cancel := afterwards(ctx)
		reply, err := t.Calls.Tell(late, protocol.TellRequest{
			SchemaVersion: protocol.Version, Study: t.Study.Name,
			Trial: work.Trial, Attempt: work.Attempt, Rung: work.Rung, Outcome: outcome,
		})
		cancel()
		if err != nil {
			return err
		}
		if t.Mode == Burning {
			return errBurnt
		}
		if reply.Kind != protocol.TellContinue {
			return nil
		}
		work.Rung, work.FromEpoch, work.ToEpoch = reply.Rung, reply.FromEpoch, reply.ToEpoch
	}
}

// afterwards returns a context for what must still be told when ctx ends.
func afterwards(ctx context.Context) (context.Context, context.CancelFunc) {
	late, cancel := context.WithCancel(context.WithoutCancel(ctx))
	context.AfterFunc(ctx, func() { time.AfterFunc(300*time.Millisecond, cancel) })
	return late, cancel
}

// outcome measures a work and keeps its rows, and in stage C its models.
func (t *Trainer) outcome(ctx context.Context, stage protocol.Stage, work protocol.Work) (protocol.Outcome, error) {
	o := protocol.Outcome{CostSeconds: 36, PeakMemoryBytes: 100 << 20}
	switch {
	case t.Mode == Failing:
		o.Failed = &protocol.Failure{Kind: protocol.FailedNaN, Message: "the loss is no number <b>&"}
		return o, nil
	case t.Mode == Burning || ctx.Err() != nil:
		o.Failed = &protocol.Failure{Kind: protocol.FailedInterrupted, Message: "stopped"}
		return o, nil //nolint:nilerr // told as the interruption that it is
	}
	var rows []results.Row
	for _, seed := range work.Seeds {
		from := work.FromEpoch + 1
		if stage == protocol.StageC {
			o.Baseline = &protocol.Baseline{MajorityF1Macro: 0.4, UntrainedF1Macro: 0.35}
			from = 0
		}
		best := state.SeedBest{}
		for epoch := from; epoch <= work.ToEpoch; epoch++ {
			m := measure(work.Trial, seed, epoch)
			if epoch > 0 {
				o.Epochs = append(o.Epochs, m)
				best = best.Seen(epoch, m.F1Macro, m.ECE)
			}
			rows = append(rows, results.Row{
				Study: t.Study.Name, Stage: stage, Agent: t.Study.Agent, Trial: work.Trial, Attempt: work.Attempt,
				Rung: work.Rung, Seed: seed, Fold: work.Fold, Epoch: epoch, Params: work.Params, Device: "cpu",
				Loss: m.Loss, F1Macro: m.F1Macro, ECE: m.ECE, Accuracy: m.Accuracy, NLL: m.NLL, Brier: m.Brier,
			})
		}
		if stage != protocol.StageC {
			continue
		}
		if err := t.Objects.Write(ctx, exports.ModelFile(t.Study.Name, work.Trial, seed, best.Epoch), []byte("weights")); err != nil {
			return o, err
		}
	}
	key := results.Key(t.Study.Name, stage, work.Trial, work.Rung, work.Attempt)
	return o, results.Write(ctx, t.Objects, key, t.Study.Whole, rows)
}

// measure is a learning curve that depends on trial, seed and epoch alone.
func measure(trial int, seed int64, epoch int) protocol.EpochMetrics {
	h := fnv.New64a()
	_ = json.NewEncoder(h).Encode([]any{trial, seed, epoch}) // a hash takes everything
	noise := float64(h.Sum64()%1000) / 1000
	f1 := 0.3 + 0.5*(1-math.Exp(-(0.2+0.1*float64(trial%7))*float64(epoch))) + 0.1*noise
	return protocol.EpochMetrics{Seed: seed, Epoch: epoch, Loss: 1 - f1, F1Macro: f1, ECE: 0.5 - 0.4*noise, Accuracy: f1, NLL: 1, Brier: 0.2}
}
