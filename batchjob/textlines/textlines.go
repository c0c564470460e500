// Package textlines reads JSON Lines of texts, the input of the tools that work on a user's
// texts: {"text": …}, or {"a": …} and perhaps "b" for a pair, each with or without an "id".
// Other keys do not matter and blank lines are skipped.
package textlines

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"
)

const (
	bufferSize = 1 << 18  // bytes read at once
	maxLine    = 64 << 20 // bytes of a line
)

// A Line is one line that is not blank.
type Line struct {
	Number int    // from 1
	ID     string // a number as it is written; empty where there is none
	A      string // "text" or "a"
	B      string // "b"
	Pair   bool   // whether there is a "b"
	Text   bool   // whether A is "text"
}

// ErrLine marks what is wrong with a line: who wrote it can mend it.
var ErrLine = errors.New("a wrong line")

// An Error says what is wrong with a line, without its text.
type Error struct {
	Line int // from 1
	Err  error
}

// Error begins with the line's number.
func (e *Error) Error() string { return fmt.Sprintf("line %d %v", e.Line, e.Err) }

// Unwrap returns what is wrong.
func (e *Error) Unwrap() error { return e.Err }

// Is says that it is an [ErrLine].
func (e *Error) Is(target error) bool { return target == ErrLine }

// A Reader reads lines one after the other.
type Reader struct {
	in     *bufio.Reader
	number int
}

// NewReader reads in.
func NewReader(in io.Reader) *Reader { return &Reader{in: bufio.NewReaderSize(in, bufferSize)} }

// Next returns the next line that is not blank, or io.EOF. Other errors are an [*Error], or that
// in could not be read. After an error nothing more can be read.
func (r *Reader) Next() (Line, error) {
	for {
		data, err := r.line()
		if err != nil && !errors.Is(err, io.EOF) {
			return Line{}, err
		}
		if data = bytes.TrimSpace(data); len(data) == 0 {
			if err != nil {
				return Line{}, err
			}
			continue
		}
		l := Line{Number: r.number}
		if err := l.parse(data); err != nil {
			return Line{}, &Error{r.number, err}
		}
		return l, nil
	}
}

// Ready reports whether some of what follows is here, so that Next need not wait for in.
func (r *Reader) Ready() bool { return r.in.Buffered() > 0 }

// line returns the next line, with io.EOF the last one.
func (r *Reader) line() ([]byte, error) {
	r.number++
	var line []byte
	for {
		part, err := r.in.ReadSlice('\n')
		line = append(line, part...)
		switch {
		case len(line) > maxLine:
			return nil, &Error{r.number, fmt.Errorf("has more than the %d bytes that are allowed", maxLine)}
		case err == nil || errors.Is(err, io.EOF):
			return line, err
		case !errors.Is(err, bufio.ErrBufferFull):
			return nil, fmt.Errorf("read line %d: %w", r.number, err)
		}
	}
}

var errShape = errors.New(`is not an object with either "text", or "a" and perhaps "b"`)

// parse reads a line's object. What is wrong is said without the text, which the errors of
// encoding/json would hold.
func (l *Line) parse(data []byte) error {
	var fields struct {
		ID, Text, A, B *json.RawMessage
	}
	if !utf8.Valid(data) {
		return errors.New("is not UTF-8")
	}
	if err := json.Unmarshal(data, &fields); err != nil {
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) {
			return fmt.Errorf("is not JSON, at byte %d of %d", syntax.Offset, len(data))
		}
		return errShape
	}
	if err := l.readID(fields.ID); err != nil {
		return err
	}
	switch {
	case fields.Text != nil && fields.A == nil && fields.B == nil:
		l.Text = true
		return textOf(fields.Text, "text", &l.A)
	case fields.Text == nil && fields.A != nil:
		if err := textOf(fields.A, "a", &l.A); err != nil || fields.B == nil {
			return err
		}
		l.Pair = true
		return textOf(fields.B, "b", &l.B)
	}
	return errShape
}

func (l *Line) readID(value *json.RawMessage) error {
	if value == nil || json.Unmarshal(*value, &l.ID) == nil {
		return nil
	}
	var number json.Number
	if err := json.Unmarshal(*value, &number); err != nil {
		return errors.New(`has an "id" that is neither a string nor a number`)
	}
	l.ID = number.String()
	return nil
}

func textOf(value *json.RawMessage, name string, text *string) error {
	if err := json.Unmarshal(*value, text); err != nil {
		return fmt.Errorf("has a %q that is not a string", name)
	}
	return nil
}
