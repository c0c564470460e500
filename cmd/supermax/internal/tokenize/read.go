package tokenize

import (
	"context"
	"io"

	"github.com/supermax-hpo/supermax/batchjob/textlines"
	"github.com/supermax-hpo/supermax/batchjob/tokenizer"
)

const batchLines = 1024 // most lines of a batch

// batch is some lines that follow each other, and then what came: io.EOF or an error, nil
// when there is more.
type batch struct {
	inputs []tokenizer.Input
	lines  []int // their numbers, from 1
	err    error
}

// read sends the lines of in until there are no more, one is wrong, or ctx ends.
func read(ctx context.Context, in io.Reader, to chan<- batch) {
	lines := textlines.NewReader(in)
	for {
		var b batch
		// A batch ends where more would have to be waited for.
		for b.err == nil && (len(b.inputs) == 0 || len(b.inputs) < batchLines && lines.Ready()) {
			var l textlines.Line
			if l, b.err = lines.Next(); b.err == nil {
				b.inputs, b.lines = append(b.inputs, tokenizer.Input{A: l.A, B: l.B}), append(b.lines, l.Number)
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
