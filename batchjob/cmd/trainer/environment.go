package main

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/supermax-hpo/supermax/shared/protocol"
)

// environment is everything that a trainer is told when it starts.
type environment struct {
	endpoint string // of the study's handlers
	token    string // bearer token
	study    string
	stage    protocol.Stage
	slot     string // names this life of the process, never reused
	objects  string // URL of the bucket
	device   string // cpu or cuda:N
	threads  int    // of the tensor library
	parent   bool   // end when standard input ends
}

// toldWrong is an error that starting the trainer again does not mend.
type toldWrong struct{ error }

// Unwrap returns the cause.
func (e *toldWrong) Unwrap() error { return e.error }

var deviceForm = regexp.MustCompile(`^(cpu|cuda:\d{1,3})$`)

// readEnvironment checks the variables that getenv returns and reports every one that is
// missing or not allowed. It repeats no token.
func readEnvironment(getenv func(string) string) (environment, error) {
	var errs []error
	bad := func(name, allowed string) {
		errs = append(errs, fmt.Errorf("%s is %q, it must be %s", name, getenv(name), allowed))
	}
	need := func(name string) string {
		v := getenv(name)
		if v == "" {
			errs = append(errs, fmt.Errorf("%s is missing", name))
		}
		return v
	}
	e := environment{
		endpoint: need("SUPERMAX_ENDPOINT"), token: need("SUPERMAX_TOKEN"), study: need("SUPERMAX_STUDY"),
		stage: protocol.Stage(need("SUPERMAX_STAGE")), slot: need("SUPERMAX_SLOT"), objects: need("SUPERMAX_OBJECTS"),
		device: "cpu", threads: 1,
	}
	if e.stage != "" && !slices.Contains(protocol.Stages(), e.stage) {
		bad("SUPERMAX_STAGE", "A, B or C")
	}
	if v := getenv("SUPERMAX_DEVICE"); v != "" {
		if e.device = v; !deviceForm.MatchString(v) {
			bad("SUPERMAX_DEVICE", "cpu or cuda:N")
		}
	}
	if v := getenv("SUPERMAX_THREADS"); v != "" {
		var err error
		if e.threads, err = strconv.Atoi(v); err != nil || e.threads < 1 || e.threads > 1024 {
			bad("SUPERMAX_THREADS", "a number of 1 to 1024")
		}
	}
	switch v := getenv("SUPERMAX_PARENT"); v {
	case "":
	case "stdin":
		e.parent = true
	default:
		bad("SUPERMAX_PARENT", "stdin or absent")
	}
	if err := errors.Join(errs...); err != nil {
		return environment{}, errors.New("read environment: " + strings.ReplaceAll(err.Error(), "\n", "; "))
	}
	return e, nil
}
