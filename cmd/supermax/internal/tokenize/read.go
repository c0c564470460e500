package tokenize

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/supermax-hpo/supermax/batchjob/tokenizer"
)

const (
	batchLines = 1024     // most lines of a batch
	bufferSize = 1 << 18  // bytes read at once
	maxLine    = 64 << 20 // bytes of a line
)

// batch is some lines that follow each other, and then what came: io.EOF or an error, nil
// when there is more.
type batch struct {
	inputs []tokenizer.Input
	lines  []int // their numbers, from 1
	err    error
}

// read sends the lines of in until there are no more, one is wrong, or ctx ends.
func read(ctx context.Context, in io.Reader, to chan<- batch) {
	r := bufio.NewReaderSize(in, bufferSize)
	number := 0
	for {
		var b batch
		// A batch ends where more would have to be waited for.
		for len(b.inputs) == 0 || len(b.inputs) < batchLines && r.Buffered() > 0 {
			var line []byte
			line, b.err = readLine(r)
			if b.err != nil && b.err != io.EOF {
				b.err = fmt.Errorf("read line %d: %w", number+1, b.err)
				break
			}
			number++
			if line = bytes.TrimSpace(line); len(line) > 0 {
				input, err := parse(line)
				if err != nil {
					b.err = &lineError{number, err}
					break
				}
				b.inputs, b.lines = append(b.inputs, input), append(b.lines, number)
			}
			if b.err != nil {
				break
			}
		}
		select {
		case <-ctx.Done():
			return
		case to <- b:
		}
		if b.err != nil {
			return
		}
	}
}

// readLine returns the next line, with io.EOF the last one.
func readLine(r *bufio.Reader) ([]byte, error) {
	var line []byte
	for {
		part, err := r.ReadSlice('\n')
		line = append(line, part...)
		if err != bufio.ErrBufferFull {
			return line, err
		}
		if len(line) > maxLine {
			return nil, fmt.Errorf("it has more than the %d bytes that are allowed", maxLine)
		}
	}
}

// parse reads {"text": …} or {"a": …, "b": …}. What is wrong is said without the text, which
// the errors of encoding/json would hold.
func parse(line []byte) (tokenizer.Input, error) {
	var fields struct {
		Text, A, B *json.RawMessage
	}
	var in tokenizer.Input
	if err := json.Unmarshal(line, &fields); err != nil {
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) {
			return in, fmt.Errorf("is not JSON, at byte %d of %d", syntax.Offset, len(line))
		}
		return in, errShape
	}
	switch {
	case fields.Text != nil && fields.A == nil && fields.B == nil:
		return in, textOf(fields.Text, "text", &in.A)
	case fields.Text == nil && fields.A != nil:
		if err := textOf(fields.A, "a", &in.A); err != nil || fields.B == nil {
			return in, err
		}
		return in, textOf(fields.B, "b", &in.B)
	}
	return in, errShape
}

var errShape = errors.New(`is not an object with either "text", or "a" and perhaps "b"`)

func textOf(value *json.RawMessage, name string, text *string) error {
	if err := json.Unmarshal(*value, text); err != nil {
		return fmt.Errorf("has a %q that is not a string", name)
	}
	return nil
}
