// Package function makes Lambda functions of the handlers: it reads the environment, opens
// what a function needs, reads requests strictly, and answers with a reply or with an error
// whose type a state machine and a slot can branch on.
package function

import (
	"context"
	"log/slog"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/supermax-hpo/supermax/lambdas/handler"
	"github.com/supermax-hpo/supermax/shared/awscall"
	"github.com/supermax-hpo/supermax/shared/emf"
	"github.com/supermax-hpo/supermax/shared/store/dynamo"
)

// Main serves a call as the function of that name until its container ends. Every function
// has the table of studies; needs are what it has beside it. An environment that is not as
// it should be ends the process with a sentence in the log.
func Main[Req, Reply any](name string, call func(*handler.Service, context.Context, Req) (Reply, error), needs ...Need) {
	serve(name, needs, func(s *handler.Service, _ *slog.Logger) calling { return decoding(s, call) })
}

// MainJobEvents serves the events of Batch as the function of that name, like [Main].
func MainJobEvents(name string) { serve(name, nil, jobEvents) }

func serve(name string, needs []Need, call func(*handler.Service, *slog.Logger) calling) {
	logger := newLogger(os.Stderr, name)
	service, err := open(context.Background(), os.Getenv, logger, needs)
	if err != nil {
		logger.Error("the function cannot start", "error", err)
		os.Exit(1)
	}
	lambda.Start(newInvoker(name, service, logger, emf.Writer{W: os.Stdout, Now: time.Now}, call))
}

// newInvoker returns what Lambda calls. It measures the service's commands from now on, so a
// service has one.
func newInvoker(name string, s *handler.Service, logger *slog.Logger, metrics emf.Writer, call func(*handler.Service, *slog.Logger) calling) invoker {
	return invoker{name: name, logger: logger, meter: newMeter(s, metrics, logger), call: call(s, logger)}
}

// open makes the service. Nothing is called before the first request.
func open(ctx context.Context, getenv func(string) string, logger *slog.Logger, needs []Need) (*handler.Service, error) {
	table, err := variable(getenv, tableVariable, tableForm, "a table's name")
	if err != nil {
		return nil, err
	}
	cfg, err := awscall.Config(ctx)
	if err != nil {
		return nil, err
	}
	log := dynamo.Open(dynamodb.NewFromConfig(cfg), table)
	log.Logger = logger
	service := &handler.Service{Log: log, Clock: time.Now, Logger: logger}
	for _, need := range needs {
		if err := need(ctx, getenv, service); err != nil {
			return nil, err
		}
	}
	return service, nil
}
