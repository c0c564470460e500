package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"github.com/supermax-hpo/supermax/batchjob/embed"
	"github.com/supermax-hpo/supermax/batchjob/tensor"
	"github.com/supermax-hpo/supermax/batchjob/train"
	"github.com/supermax-hpo/supermax/shared/exports"
	"github.com/supermax-hpo/supermax/shared/objects"
)

// tool runs the program as what its argument names:
//
//	predict  answers the posts at standard input, JSON Lines, with the models that the study
//	         chose, to standard output (see [train.Predict]). It reads SUPERMAX_STUDY,
//	         SUPERMAX_OBJECTS and SUPERMAX_MODELS (how many models; absent: all). Nothing is
//	         written before all is read and computed.
//	embed    writes the hidden states or vectors of the texts at standard input (see
//	         [embed.Run]). It reads SUPERMAX_MODEL (the backbone's folder), SUPERMAX_POOLING,
//	         SUPERMAX_FORMAT and SUPERMAX_MAX_LENGTH (absent: the usual one).
//
// Both read SUPERMAX_DEVICE and SUPERMAX_THREADS.
func tool(ctx context.Context, args []string, getenv func(string) string, stdin io.Reader, stdout io.Writer, log *slog.Logger) error {
	c := &checks{getenv: getenv}
	compute := func() (o tensor.Options) { o.Device, o.Threads = c.compute(); return o }
	var err error
	out := bufio.NewWriter(stdout)
	switch {
	case len(args) == 1 && args[0] == "predict":
		err = predict(ctx, c, compute(), log, stdin, out)
	case len(args) == 1 && args[0] == "embed":
		err = embedTexts(ctx, c, compute(), stdin, out)
	default:
		return &toldWrong{fmt.Errorf("arguments %.100q are not allowed; allowed: none, predict or embed", args)}
	}
	var op *tensor.OpError
	var machine *fetchError
	switch {
	case err == nil:
		return out.Flush()
	case ctx.Err() != nil || errors.Is(err, tensor.ErrOutOfMemory) || errors.As(err, &op) || errors.As(err, &machine):
		return err
	}
	return &toldWrong{err} // a variable or a file that is not as it should be
}

// embedTexts reads the variables of the tool embed and runs it.
func embedTexts(ctx context.Context, c *checks, compute tensor.Options, in io.Reader, out io.Writer) (err error) {
	o := embed.Options{Folder: c.need("SUPERMAX_MODEL"), Pooling: c.need("SUPERMAX_POOLING"), Format: c.need("SUPERMAX_FORMAT")}
	if c.getenv("SUPERMAX_MAX_LENGTH") != "" {
		o.MaxLength = c.number("SUPERMAX_MAX_LENGTH", 1<<20)
	}
	if err := errors.Join(c.errs...); err != nil {
		return err
	}
	if o.Worker, err = tensor.Start(compute); err != nil {
		return err
	}
	defer o.Worker.Close()
	return embed.Run(ctx, o, in, out)
}

// predict reads the variables of the tool predict, the study and what it chose, and answers.
func predict(ctx context.Context, c *checks, compute tensor.Options, log *slog.Logger, in io.Reader, out io.Writer) (err error) {
	name, place := c.need("SUPERMAX_STUDY"), c.need("SUPERMAX_OBJECTS")
	o := train.PredictOptions{Log: log, Folder: fetcher(environment{cache: c.cache()}, log)}
	if c.getenv("SUPERMAX_MODELS") != "" {
		o.Models = c.number("SUPERMAX_MODELS", 10_000)
	}
	if err := errors.Join(c.errs...); err != nil {
		return err
	}
	if o.Objects, err = objects.Open(ctx, place); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, o.Objects.Close()) }()
	if o.Study, err = readStudy(ctx, o.Objects, name); err != nil {
		return err
	}
	best, err := o.Objects.Read(ctx, exports.BestKey(name)+".json")
	if errors.Is(err, objects.ErrNotFound) {
		return fmt.Errorf("study %s has chosen no configuration yet", name)
	}
	if err != nil {
		return err
	}
	if err := json.Unmarshal(best, &o.Best); err != nil {
		return fmt.Errorf("read what study %s chose: %w", name, err)
	}
	if o.Worker, err = tensor.Start(compute); err != nil {
		return err
	}
	defer o.Worker.Close()
	return train.Predict(ctx, o, in, out)
}
