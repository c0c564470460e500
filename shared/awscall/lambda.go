package awscall

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/supermax-hpo/supermax/shared/protocol"
)

const (
	// callTimeout ends an attempt that nobody answers. A function of ours has 30 s.
	callTimeout = 45 * time.Second
	// faultsInARow is how many faults of the functions themselves, without an answer
	// between them, are repeated: with the client's pauses some four minutes. A function
	// that always fails would otherwise hold a paid machine for ever.
	faultsInARow = 50
)

// Invoker is the one call of [lambda.Client] that a slot makes.
type Invoker interface {
	Invoke(ctx context.Context, in *lambda.InvokeInput, opts ...func(*lambda.Options)) (*lambda.InvokeOutput, error)
}

// Lambda carries a slot's calls by invoking the study's functions. Its methods may be
// called from many goroutines at once.
type Lambda struct {
	Client    Invoker
	Functions map[string]string // call (ask, tell, heartbeat) → function name or ARN

	faults atomic.Int64 // of functions, in a row
}

var _ protocol.Transport = (*Lambda)(nil)

// codes are what the functions' errors are named, and what they mean here.
var codes = map[string]protocol.ErrorCode{
	"Invalid":      protocol.CodeInvalid,
	"Unauthorized": protocol.CodeUnauthorized,
	"NotFound":     protocol.CodeNotFound,
	"Conflict":     protocol.CodeConflict,
	"Unavailable":  protocol.CodeUnavailable,
}

// Call implements [protocol.Transport]. A function's own refusal is a [*protocol.Error]. To
// be repeated are attempts that were throttled, that broke on the way, that the function
// said are, and those in which the function ended without an answer, as far as these are
// not too many in a row.
func (l *Lambda) Call(ctx context.Context, name string, body []byte) (reply []byte, retry bool, err error) {
	function, ok := l.Functions[name]
	if !ok {
		return nil, false, fmt.Errorf("no function is known for the call %q", name)
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	out, err := l.Client.Invoke(ctx, &lambda.InvokeInput{FunctionName: &function, Payload: body},
		func(o *lambda.Options) { o.Retryer = aws.NopRetryer{} }) // the caller repeats
	if err != nil {
		return nil, repeatable(err), invokeError(function, err)
	}
	if out.FunctionError == nil {
		l.faults.Store(0)
		return out.Payload, false, nil
	}
	var fault struct {
		Type    string `json:"errorType"`
		Message string `json:"errorMessage"`
	}
	err = json.Unmarshal(out.Payload, &fault)
	if code, ok := codes[fault.Type]; ok && err == nil {
		l.faults.Store(0)
		return nil, code == protocol.CodeUnavailable, &protocol.Error{Code: code, Message: fault.Message}
	}
	// It timed out, was killed or panicked. What it said of that is not repeated here: it
	// is in the function's own log, and may hold what the request held.
	n := l.faults.Add(1)
	return nil, n < faultsInARow, fmt.Errorf("function %s ended without an answer (%s, %d in a row)", function, kind(fault.Type), n)
}

// kind is a name for a fault that a log may show, whatever the payload held.
func kind(errorType string) string {
	const longest = 64
	if errorType == "" || len(errorType) > longest {
		return "Unhandled"
	}
	for _, c := range errorType {
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '.' || c == '_' || c == '*') {
			return "Unhandled"
		}
	}
	return errorType
}

// repeatable reports whether another attempt may go better than one that err ended:
// unless the service refused it.
func repeatable(err error) bool {
	var answered interface{ HTTPStatusCode() int }
	if !errors.As(err, &answered) {
		return true // it was never sent
	}
	status := answered.HTTPStatusCode() // 0: it broke on the way
	// A function that is being updated answers with a conflict.
	return status == 0 || status == 429 || status >= 500 || apiCode(err) == "ResourceConflictException"
}

// invokeError is what the service said, without the SDK's words around it.
func invokeError(function string, err error) error {
	if code := apiCode(err); code != "" {
		var api interface{ ErrorMessage() string }
		if errors.As(err, &api) && api.ErrorMessage() != "" {
			return fmt.Errorf("invoke function %s: %s: %s", function, code, api.ErrorMessage())
		}
		return fmt.Errorf("invoke function %s: %s", function, code)
	}
	return fmt.Errorf("invoke function %s: %w", function, err)
}

// apiCode returns the service's name of an error, or "".
func apiCode(err error) string {
	var coded interface{ ErrorCode() string }
	if errors.As(err, &coded) {
		return coded.ErrorCode()
	}
	return ""
}
