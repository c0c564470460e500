package embed

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/supermax-hpo/supermax/batchjob/tokenizer"
)

// ErrInput is what is wrong with the texts: the user can mend it.
var ErrInput = errors.New("wrong text")

// maxLine bounds a line in bytes.
const maxLine = 16 << 20

// item is one line: a text, or a pair of texts.
type item struct {
	id    string
	input tokenizer.Input
}

// reader reads JSON Lines: {"text": …}, or {"a": …, "b": …} for a pair, each with an id or
// else the line's number, from 1, as its id. Other fields are ignored and blank lines passed
// over. Errors name the line and hold no text.
type reader struct {
	lines *bufio.Scanner
	line  int
}

func newReader(in io.Reader) *reader {
	lines := bufio.NewScanner(in)
	lines.Buffer(make([]byte, 0, 64<<10), maxLine)
	return &reader{lines: lines}
}

// next returns up to n items; none at the end.
func (r *reader) next(n int) ([]item, error) {
	var items []item
	for len(items) < n && r.lines.Scan() {
		r.line++
		line := bytes.TrimSpace(r.lines.Bytes())
		if len(line) == 0 {
			continue
		}
		it, err := parse(line)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w: %w", r.line, ErrInput, err)
		}
		if it.id == "" {
			it.id = strconv.Itoa(r.line)
		}
		items = append(items, it)
	}
	switch err := r.lines.Err(); {
	case errors.Is(err, bufio.ErrTooLong):
		return nil, fmt.Errorf("line %d: %w: it is longer than %d bytes", r.line+1, ErrInput, maxLine)
	case err != nil:
		return nil, fmt.Errorf("read the texts: %w", err)
	}
	return items, nil
}

func parse(line []byte) (item, error) {
	var fields struct {
		ID         any     `json:"id"`
		Text, A, B *string // JSON keys are met in any case
	}
	if !utf8.Valid(line) {
		return item{}, errors.New("it is not UTF-8")
	}
	decoder := json.NewDecoder(bytes.NewReader(line))
	decoder.UseNumber()
	if err := decoder.Decode(&fields); err != nil {
		return item{}, errors.New(`it is no object with the text "text", or the texts "a" and "b"`)
	}
	var it item
	switch {
	case fields.Text != nil && fields.A == nil && fields.B == nil:
		it.input.A = *fields.Text
	case fields.Text == nil && fields.A != nil && fields.B != nil:
		it.input = tokenizer.Input{A: *fields.A, B: *fields.B}
	default:
		return item{}, errors.New(`it has neither "text" alone nor "a" with "b"`)
	}
	if strings.TrimSpace(it.input.A) == "" || fields.B != nil && strings.TrimSpace(it.input.B) == "" {
		return item{}, errors.New("a text is empty")
	}
	switch id := fields.ID.(type) {
	case nil:
	case string:
		it.id = id
	case json.Number:
		it.id = id.String()
	default:
		return item{}, errors.New("its id is neither a text nor a number")
	}
	return it, nil
}
