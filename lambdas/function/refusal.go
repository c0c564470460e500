package function

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/aws/aws-lambda-go/lambda/messages"

	"github.com/supermax-hpo/supermax/lambdas/handler"
	"github.com/supermax-hpo/supermax/shared/protocol"
)

// The types of a function's errors. Whoever calls repeats a call that ended with a type
// that is not among these, and one that was unavailable; the other answers stay the same.
const (
	invalid      = "Invalid"
	unauthorized = "Unauthorized"
	notFound     = "NotFound"
	conflict     = "Conflict"
	unavailable  = "Unavailable"
	// crash is the type of a panic.
	crash = "Crashed"
)

var types = map[protocol.ErrorCode]string{
	protocol.CodeInvalid:      invalid,
	protocol.CodeUnauthorized: unauthorized,
	protocol.CodeNotFound:     notFound,
	protocol.CodeConflict:     conflict,
	protocol.CodeUnavailable:  unavailable,
}

// refusal is an error of a service as Lambda hands it to the caller.
func refusal(err error) messages.InvokeResponse_Error {
	return messages.InvokeResponse_Error{Type: types[handler.Code(err)], Message: sentence(err.Error())}
}

// crashed is what the caller learns of a panic, after which the process ends. What the
// panic says stays in the log: it may hold what the request held.
func crashed() messages.InvokeResponse_Error {
	return messages.InvokeResponse_Error{Type: crash, Message: "the function crashed; its log says why", ShouldExit: true}
}

// maxSentence is how many bytes of an error a caller gets.
const maxSentence = 500

// sentence returns a message as one line of bounded length. Where it is too long its
// middle is left out: the beginning says what failed, the end why.
func sentence(message string) string {
	line := strings.Join(strings.FieldsFunc(strings.ToValidUTF8(message, "\uFFFD"), func(r rune) bool {
		return r == '\n' || r == '\r'
	}), "; ")
	line = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, line)
	if len(line) <= maxSentence {
		return line
	}
	const gap = " … "
	head, tail := (maxSentence-len(gap))*3/4, (maxSentence-len(gap))/4
	return cut(line, head) + gap + cutLeft(line, tail)
}

// cut returns at most the first n bytes, without half a character.
func cut(s string, n int) string {
	for !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// cutLeft returns at most the last n bytes, without half a character.
func cutLeft(s string, n int) string {
	at := len(s) - n
	for !utf8.RuneStart(s[at]) {
		at++
	}
	return s[at:]
}
