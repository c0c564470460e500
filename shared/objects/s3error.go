package objects

import (
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// failed says in one sentence what S3 answered: the SDK's own words repeat the operation,
// the library and request numbers before they come to it. A fault that carries no answer
// is left as it is.
func (b *s3Bucket) failed(verb, key string, err error) error {
	noun := " object "
	switch {
	case key == "":
		noun = " objects of "
	case verb == "list":
		noun = " objects "
	}
	what := verb + noun + "s3://" + b.name + "/" + b.prefix + key
	attempts := ""
	var tried *retry.MaxAttemptsError
	if errors.As(err, &tried) {
		attempts = fmt.Sprintf(", %d times", tried.Attempt)
	}
	var answer *s3Error
	var api smithy.APIError
	var response *smithyhttp.ResponseError
	switch {
	case errors.As(err, &answer): // told already
		return err
	case errors.As(err, &api):
		answer = &s3Error{code: api.ErrorCode(), cause: err}
		answer.sentence = fmt.Sprintf("%s: S3 answered%s: %s", what, attempts, api.ErrorCode())
		if api.ErrorMessage() != "" && api.ErrorMessage() != api.ErrorCode() {
			answer.sentence += ": " + api.ErrorMessage()
		}
		return answer
	case errors.As(err, &response):
		return &s3Error{cause: err, sentence: fmt.Sprintf("%s: S3 answered%s with HTTP status %d", what, attempts, response.HTTPStatusCode())}
	}
	return fmt.Errorf("%s%s: %w", what, attempts, err)
}

// s3Error is an answer of S3 in words that a person understands.
type s3Error struct {
	code     string
	sentence string
	cause    error
}

// Error returns the sentence.
func (e *s3Error) Error() string { return e.sentence }

// Unwrap returns what the SDK said.
func (e *s3Error) Unwrap() error { return e.cause }
