package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/supermax-hpo/supermax/shared/protocol"
)

// environment is everything that a trainer is told when it starts. A study is reached in one
// of two ways: over HTTP at an endpoint with a token (a laptop), or through three functions
// of AWS Lambda (a Batch job).
type environment struct {
	endpoint  string            // of the study's handlers; empty on AWS
	token     string            // bearer token
	functions map[string]string // call → function's name or ARN; nil on a laptop
	study     string
	stage     protocol.Stage
	slot      string // names this life of the process, never reused
	objects   string // URL of the bucket
	device    string // cpu or cuda:N
	visible   string // CUDA_VISIBLE_DEVICES
	threads   int    // of the tensor library
	cache     string // absolute folder of what is fetched; empty: the user's cache folder
	parent    bool   // end when standard input ends
}

// toldWrong is an error that starting the trainer again does not mend.
type toldWrong struct{ error }

// Unwrap returns the cause.
func (e *toldWrong) Unwrap() error { return e.error }

var (
	deviceForm   = regexp.MustCompile(`^(cpu|cuda:\d{1,3})$`)
	functionForm = regexp.MustCompile(`^[A-Za-z0-9:$_-]{1,256}$`)
	jobForm      = regexp.MustCompile(`^[A-Za-z0-9:_-]{1,128}$`)
)

// functionVariables name the functions of the calls.
var functionVariables = map[string]string{
	"ask": "SUPERMAX_ASK_FUNCTION", "tell": "SUPERMAX_TELL_FUNCTION", "heartbeat": "SUPERMAX_HEARTBEAT_FUNCTION",
}

const (
	httpVariables   = "SUPERMAX_ENDPOINT and SUPERMAX_TOKEN"
	lambdaVariables = "SUPERMAX_ASK_FUNCTION, SUPERMAX_TELL_FUNCTION and SUPERMAX_HEARTBEAT_FUNCTION"
)

// checks reads variables and remembers what is wrong with each.
type checks struct {
	getenv func(string) string
	errs   []error
}

func (c *checks) bad(name, allowed string) {
	c.errs = append(c.errs, fmt.Errorf("%s is %q, it must be %s", name, c.getenv(name), allowed))
}

func (c *checks) need(name string) string {
	v := c.getenv(name)
	if v == "" {
		c.errs = append(c.errs, fmt.Errorf("%s is missing", name))
	}
	return v
}

// formed is need for a value of a form.
func (c *checks) formed(name string, form *regexp.Regexp, allowed string) string {
	v := c.need(name)
	if v != "" && !form.MatchString(v) {
		c.bad(name, allowed)
	}
	return v
}

// number reads a whole number of 1 to most.
func (c *checks) number(name string, most int) int {
	n, err := strconv.Atoi(c.getenv(name))
	if err != nil || n < 1 || n > most {
		c.bad(name, fmt.Sprintf("a number of 1 to %d", most))
	}
	return n
}

// compute reads what the tensor library computes on: the CPU with one thread by default.
func (c *checks) compute() (device string, threads int) {
	device, threads = "cpu", 1
	if c.getenv("SUPERMAX_DEVICE") != "" {
		device = c.formed("SUPERMAX_DEVICE", deviceForm, "cpu or cuda:N")
	}
	if c.getenv("SUPERMAX_THREADS") != "" {
		threads = c.number("SUPERMAX_THREADS", 1024)
	}
	return device, threads
}

// cache reads where what is fetched is kept; empty: the usual place.
func (c *checks) cache() string {
	dir := c.getenv("SUPERMAX_CACHE")
	if dir != "" && !filepath.IsAbs(dir) {
		c.bad("SUPERMAX_CACHE", "an absolute folder")
	}
	return dir
}

// readEnvironment checks the variables that getenv returns and reports every one that is
// missing or not allowed. It repeats no token.
func readEnvironment(getenv func(string) string) (environment, error) {
	c := &checks{getenv: getenv}
	e := environment{
		study: c.need("SUPERMAX_STUDY"), stage: protocol.Stage(c.need("SUPERMAX_STAGE")), objects: c.need("SUPERMAX_OBJECTS"),
		visible: getenv("CUDA_VISIBLE_DEVICES"), cache: c.cache(),
	}
	if e.stage != "" && !slices.Contains(protocol.Stages(), e.stage) {
		c.bad("SUPERMAX_STAGE", "A, B or C")
	}
	e.reach(c)
	e.device, e.threads = c.compute()
	switch v := getenv("SUPERMAX_PARENT"); v {
	case "":
	case "stdin":
		e.parent = true
	default:
		c.bad("SUPERMAX_PARENT", "stdin or absent")
	}
	if err := errors.Join(c.errs...); err != nil {
		return environment{}, errors.New("read environment: " + strings.ReplaceAll(err.Error(), "\n", "; "))
	}
	return e, nil
}

// reach reads how the study is reached, and the slot's name: on Batch the attempt of the
// job that this process is.
func (e *environment) reach(c *checks) {
	set := func(name string) bool { return c.getenv(name) != "" }
	overHTTP := set("SUPERMAX_ENDPOINT") || set("SUPERMAX_TOKEN")
	onAWS := set(functionVariables["ask"]) || set(functionVariables["tell"]) || set(functionVariables["heartbeat"])
	switch {
	case overHTTP && onAWS:
		c.errs = append(c.errs, fmt.Errorf("both %s and %s are set, only one of the two must be", httpVariables, lambdaVariables))
	case onAWS:
		e.functions = map[string]string{}
		for _, call := range []string{"ask", "tell", "heartbeat"} {
			e.functions[call] = c.formed(functionVariables[call], functionForm, "the name or ARN of a Lambda function")
		}
		job := c.formed("AWS_BATCH_JOB_ID", jobForm, "the ID of a Batch job")
		if c.need("AWS_BATCH_JOB_ATTEMPT") != "" {
			e.slot = protocol.BatchSlot(job, c.number("AWS_BATCH_JOB_ATTEMPT", 1000))
		}
	case overHTTP:
		e.endpoint, e.token = c.need("SUPERMAX_ENDPOINT"), c.need("SUPERMAX_TOKEN")
		e.slot = c.need("SUPERMAX_SLOT")
	default:
		c.errs = append(c.errs, fmt.Errorf("%s are missing, or %s", httpVariables, lambdaVariables))
	}
}

// cacheFolder is where what is fetched from the bucket of data is kept.
func (e *environment) cacheFolder() (string, error) {
	if e.cache != "" {
		return e.cache, nil
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find a folder for what is fetched: %w; set SUPERMAX_CACHE", err)
	}
	return filepath.Join(dir, "supermax"), nil
}
