// Command trainer is the training container's program, and the only one that links the
// tensor library. It is one slot: it asks a study for work, over HTTP or by invoking
// Lambda functions, trains, tells, and ends when the stage has no more. See [environment]
// for what it needs to be told. With an argument it is no slot but one of the tools that use
// what was trained (see [tool]).
//
// Exit status: 0 when there is no more work, or when it was stopped (SIGTERM, SIGINT, end
// of standard input, a Spot notice) and gave its trial back; 2 when it cannot work with
// what it was told (environment, study, corpus); 1 otherwise. It logs JSON lines to
// standard error and, on AWS, metrics to standard output; never a post's text.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/supermax-hpo/supermax/batchjob/slot"
	"github.com/supermax-hpo/supermax/batchjob/tensor"
	"github.com/supermax-hpo/supermax/batchjob/train"
	"github.com/supermax-hpo/supermax/shared/config"
	"github.com/supermax-hpo/supermax/shared/objects"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	log := slog.New(slog.NewJSONHandler(os.Stderr, nil))
	var err error
	if len(os.Args) > 1 {
		err = tool(ctx, os.Args[1:], os.Getenv, os.Stdin, os.Stdout, log)
	} else {
		err = run(ctx, os.Getenv, os.Stdin, os.Stdout, log)
	}
	stop()
	if err == nil {
		return
	}
	log.Error("trainer ends", "error", err.Error())
	var told *toldWrong
	if errors.As(err, &told) {
		os.Exit(2)
	}
	os.Exit(1)
}

// run is the whole program but for its exit status. Being stopped is no error.
func run(ctx context.Context, getenv func(string) string, stdin io.Reader, stdout io.Writer, log *slog.Logger) error {
	env, err := readEnvironment(getenv)
	if err != nil {
		return &toldWrong{err}
	}
	log = log.With("slot", env.slot, "stage", env.stage)
	if env.parent {
		var orphan context.CancelCauseFunc
		ctx, orphan = context.WithCancelCause(ctx)
		defer orphan(nil)
		go func() {
			_, _ = io.Copy(io.Discard, stdin) // ends with the parent, in whatever way
			orphan(slot.ErrOrphaned)
		}()
	}
	metrics := newMeasures(env, stdout, log)
	if env.functions != nil {
		var done func()
		ctx, done = watchSpot(ctx, metrics, log)
		defer done()
	}
	if err := work(ctx, env, metrics, log); err != nil && ctx.Err() == nil {
		return err
	}
	return nil
}

// work puts the parts together and runs the slot.
func work(ctx context.Context, env environment, metrics *measures, log *slog.Logger) (err error) {
	bucket, err := objects.Open(ctx, env.objects)
	if err != nil {
		return &toldWrong{err}
	}
	defer func() { err = errors.Join(err, bucket.Close()) }()
	study, err := readStudy(ctx, bucket, env.study)
	if err != nil {
		return err
	}
	client, err := connect(ctx, env)
	if err != nil {
		return &toldWrong{err}
	}
	worker, err := tensor.Start(tensor.Options{Device: env.device, Threads: env.threads})
	if err != nil {
		return &toldWrong{err}
	}
	defer worker.Close()
	device, err := describe(worker.Device())
	if err != nil {
		return err
	}
	defer metrics.watchGPU(ctx, env)()
	trainer, err := train.New(ctx, train.Options{
		Study: study, Stage: env.stage, Objects: bucket, Worker: worker, Device: device.Name, Log: log,
		Folder: fetcher(env, log),
	})
	var machine *fetchError
	if errors.As(err, &machine) {
		return err
	}
	if err != nil {
		return &toldWrong{err}
	}
	s := &slot.Slot{
		Study: client, Runner: trainer, Metrics: slot.Files{Bucket: bucket, Whole: study.Whole}, Log: log,
		Name: env.slot, StudyName: study.Name, Stage: env.stage, Device: device, Observe: metrics.rung,
	}
	return s.Run(ctx)
}

// readStudy reads the study's file, as the handlers wrote it.
func readStudy(ctx context.Context, bucket *objects.Bucket, name string) (*config.Study, error) {
	data, err := bucket.Read(ctx, config.Key(name))
	if err != nil {
		return nil, &toldWrong{fmt.Errorf("read the study: %w", err)}
	}
	study, err := config.FromJSON(data)
	if err != nil {
		return nil, &toldWrong{err}
	}
	if study.Name != name {
		return nil, &toldWrong{fmt.Errorf("%s is of study %q, SUPERMAX_STUDY is %q", config.Key(name), study.Name, name)}
	}
	return study, nil
}
