package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"github.com/supermax-hpo/supermax/batchjob/tensor"
	"github.com/supermax-hpo/supermax/batchjob/train"
	"github.com/supermax-hpo/supermax/shared/exports"
	"github.com/supermax-hpo/supermax/shared/objects"
)

// tool runs the program as what its argument names:
//
//	predict  answers the posts at standard input, JSON Lines, with the models that the study
//	         chose, to standard output (see [train.Predict])
//
// It reads SUPERMAX_STUDY, SUPERMAX_OBJECTS, SUPERMAX_MODELS (how many models; absent: all),
// SUPERMAX_DEVICE and SUPERMAX_THREADS. Nothing is written before all is read and computed.
func tool(ctx context.Context, args []string, getenv func(string) string, stdin io.Reader, stdout io.Writer, log *slog.Logger) error {
	if len(args) != 1 || args[0] != "predict" {
		return &toldWrong{fmt.Errorf("arguments %.100q are not allowed; allowed: none, or predict", args)}
	}
	c := &checks{getenv: getenv}
	study, place, models := c.need("SUPERMAX_STUDY"), c.need("SUPERMAX_OBJECTS"), 0
	if getenv("SUPERMAX_MODELS") != "" {
		models = c.number("SUPERMAX_MODELS", 10_000)
	}
	device, threads := c.compute()
	if err := errors.Join(c.errs...); err != nil {
		return &toldWrong{err}
	}
	bucket, err := objects.Open(ctx, place)
	if err != nil {
		return &toldWrong{err}
	}
	o := train.PredictOptions{Objects: bucket, Models: models, Log: log}
	err = predict(ctx, o, study, tensor.Options{Device: device, Threads: threads}, stdin, stdout)
	return errors.Join(err, bucket.Close())
}

// predict reads the study and what it chose, and answers.
func predict(ctx context.Context, o train.PredictOptions, name string, compute tensor.Options, in io.Reader, out io.Writer) (err error) {
	if o.Study, err = readStudy(ctx, o.Objects, name); err != nil {
		return err
	}
	best, err := o.Objects.Read(ctx, exports.BestKey(name)+".json")
	if errors.Is(err, objects.ErrNotFound) {
		return &toldWrong{fmt.Errorf("study %s has chosen no configuration yet", name)}
	}
	if err != nil {
		return err
	}
	if err := json.Unmarshal(best, &o.Best); err != nil {
		return &toldWrong{fmt.Errorf("read what study %s chose: %w", name, err)}
	}
	if o.Worker, err = tensor.Start(compute); err != nil {
		return &toldWrong{err}
	}
	defer o.Worker.Close()
	buffered := bufio.NewWriter(out)
	err = train.Predict(ctx, o, in, buffered)
	var op *tensor.OpError
	switch {
	case err == nil:
		return buffered.Flush()
	case ctx.Err() != nil || errors.Is(err, tensor.ErrOutOfMemory) || errors.As(err, &op):
		return err
	}
	return &toldWrong{err} // a file that is not as it should be
}
