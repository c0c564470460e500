// Package tokenize turns lines of JSON with texts into lines of JSON with token ids.
package tokenize

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/supermax-hpo/supermax/batchjob/textlines"
	"github.com/supermax-hpo/supermax/batchjob/tokenizer"
)

// Options says what a line of the outcome holds beside "ids", and how long it may be.
type Options struct {
	Encode  tokenizer.Options // IDsOnly is set by what is asked for below
	TypeIDs bool
	Mask    bool
	Offsets bool
	Tokens  bool
}

// Run encodes the lines of in with t on all cores and writes to out, a line for each line
// that is not blank, in their order, as soon as in has no more to give at once. It stops at the
// first line that cannot be encoded ([textlines.ErrLine]), after writing those before it, and when
// ctx ends, even while it waits for in.
func Run(ctx context.Context, t *tokenizer.Tokenizer, in io.Reader, out io.Writer, o Options) error {
	o.Encode.IDsOnly = !o.Offsets && !o.Tokens
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	batches := make(chan batch)
	go read(ctx, in, batches)
	w := bufio.NewWriter(out)
	for {
		var b batch
		select {
		case <-ctx.Done():
			return ctx.Err()
		case b = <-batches:
		}
		if err := ctx.Err(); err != nil { // both were ready
			return err
		}
		err := write(w, t, b, o)
		if err == nil {
			err = b.err
		}
		if e := w.Flush(); e != nil {
			return fmt.Errorf("write token ids: %w", e)
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// write encodes a batch. When an input fails, those before it are written.
func write(w *bufio.Writer, t *tokenizer.Tokenizer, b batch, o Options) error {
	encodings, err := t.EncodeBatch(b.inputs, o.Encode)
	var failed *tokenizer.InputError
	if errors.As(err, &failed) {
		line := &textlines.Error{Line: b.lines[failed.Input], Err: fmt.Errorf("cannot be encoded: %w", failed.Err)}
		b.inputs = b.inputs[:failed.Input]
		if e := write(w, t, b, o); e != nil {
			return e
		}
		return line
	}
	if err != nil {
		return err
	}
	var line []byte
	for _, e := range encodings {
		if line, err = appendEncoding(line[:0], e, o); err != nil {
			return err
		}
		_, _ = w.Write(line) // Flush tells
	}
	return nil
}
