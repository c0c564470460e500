package protocol

import "fmt"

// An Error is a refusal that came over the wire. Callers branch on its code.
type Error struct {
	Status  int // HTTP; 0 where the call went another way
	Code    ErrorCode
	Message string
}

// Error returns the sentence that was sent.
func (e *Error) Error() string {
	if e.Message == "" && e.Status == 0 {
		return "the study refused the call without a reason"
	}
	if e.Message == "" {
		return fmt.Sprintf("the study answered with HTTP status %d", e.Status)
	}
	return e.Message
}
