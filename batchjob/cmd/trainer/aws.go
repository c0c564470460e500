package main

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/supermax-hpo/supermax/batchjob/spot"
	"github.com/supermax-hpo/supermax/shared/awscall"
	"github.com/supermax-hpo/supermax/shared/dataref"
	"github.com/supermax-hpo/supermax/shared/emf"
	"github.com/supermax-hpo/supermax/shared/protocol"
)

// connect returns the client by which the slot reaches its study.
func connect(ctx context.Context, env environment) (*protocol.Client, error) {
	if env.functions == nil {
		return &protocol.Client{Transport: &protocol.HTTPTransport{Endpoint: env.endpoint, Token: env.token}}, nil
	}
	cfg, err := awscall.Config(ctx)
	if err != nil {
		return nil, err
	}
	return &protocol.Client{Transport: &awscall.Lambda{Client: lambda.NewFromConfig(cfg), Functions: env.functions}}, nil
}

// watchSpot returns a context that ends, with [spot.ErrInterrupted], when the instance is
// being taken away. done ends the watch.
func watchSpot(ctx context.Context, metrics *measures, log *slog.Logger) (watched context.Context, done func()) {
	watched, interrupt := context.WithCancelCause(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		notice, err := spot.Watch(watched, imds.New(imds.Options{}), log)
		if err != nil {
			return // the slot has ended
		}
		log.Warn("Spot notice: the trial in hand is given back", "action", notice.Action, "at", notice.Time)
		metrics.put(emf.Metric{Name: emf.SpotNotices, Unit: emf.Count, Value: 1})
		interrupt(spot.ErrInterrupted)
	}()
	return watched, func() { interrupt(nil); <-ended }
}

// fetchError is data that could not be brought here, though it may be on another machine
// or later.
type fetchError struct{ error }

// Unwrap returns the cause.
func (e *fetchError) Unwrap() error { return e.error }

// fetcher returns how corpora and backbones are found: on this machine, or in a bucket and
// then in the machine's cache.
func fetcher(env environment, log *slog.Logger) func(ctx context.Context, place string) (string, error) {
	cache, here := &dataref.Cache{}, make(map[string]bool)
	return func(ctx context.Context, place string) (string, error) {
		if !dataref.IsURL(place) {
			return place, nil
		}
		if cache.Dir == "" {
			dir, err := env.cacheFolder()
			if err != nil {
				return "", &fetchError{err}
			}
			cache.Dir = dir
		}
		start := time.Now()
		dir, err := cache.Folder(ctx, place)
		switch {
		case errors.Is(err, dataref.ErrUnusable):
			return "", err
		case err != nil:
			return "", &fetchError{err}
		}
		if !here[place] { // every trial asks for it
			here[place] = true
			log.Info("data is here", "place", place, "seconds", time.Since(start).Seconds())
		}
		return dir, nil
	}
}
