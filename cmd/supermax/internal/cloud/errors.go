package cloud

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"

	"github.com/aws/smithy-go"

	"github.com/supermax-hpo/supermax/cmd/supermax/internal/mistake"
)

// The codes by which AWS's services say that they do not know the caller, and that they do
// not let it.
var (
	unknownCaller = []string{"ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId", "UnrecognizedClientException",
		"SignatureDoesNotMatch", "InvalidAccessKeyId", "InvalidSignatureException", "IncompleteSignature", "AuthFailure"}
	notAllowed = []string{"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "NotAuthorized", "AllAccessDisabled",
		"AuthorizationErrorException", "403", "Forbidden"}
)

// explain says what a call was for, and turns what a person can mend into a mistake with a
// word on how.
func explain(doing string, err error) error {
	var api smithy.APIError
	var unreachable net.Error
	switch {
	case err == nil:
		return nil
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded), errors.Is(err, mistake.Err):
		return fmt.Errorf("%s: %w", doing, err)
	case errors.As(err, &api) && slices.Contains(unknownCaller, api.ErrorCode()):
		return mistake.Errorf("%s: AWS does not accept the credentials (%s): sign in again, or set AWS_PROFILE or the access keys anew", doing, api.ErrorCode())
	case errors.As(err, &api) && slices.Contains(notAllowed, api.ErrorCode()):
		return mistake.Errorf("%s: the credentials do not allow it (%s): %s", doing, api.ErrorCode(), oneLine(api.ErrorMessage()))
	case errors.As(err, &api):
		return fmt.Errorf("%s: %s: %s", doing, api.ErrorCode(), oneLine(api.ErrorMessage()))
	case errors.As(err, &unreachable):
		return mistake.Errorf("%s: AWS cannot be reached: %w", doing, last(err))
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// last unwraps an error to its first cause, whose words are the plainest.
func last(err error) error {
	for {
		next := errors.Unwrap(err)
		if next == nil {
			return err
		}
		err = next
	}
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
