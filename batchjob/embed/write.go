package embed

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/parquet-go/parquet-go"
)

// Formats of what is written.
const (
	JSONL   = "jsonl"
	Parquet = "parquet"
)

// A Pooled is a text's vector: a line of JSON, or a row of Parquet.
type Pooled struct {
	ID     string    `json:"id" parquet:"id"`
	Vector []float32 `json:"vector" parquet:"vector,list"`
}

// States are a text's hidden states: a line of JSON.
type States struct {
	ID     string      `json:"id"`
	IDs    []int32     `json:"ids"`    // of the tokens, special ones included
	States [][]float32 `json:"states"` // [tokens][hidden]
}

// A State is one token's hidden state: a row of Parquet.
type State struct {
	ID       string    `parquet:"id"`
	Position int32     `parquet:"position"` // in the text's tokens, from 0
	TokenID  int32     `parquet:"token_id"`
	State    []float32 `parquet:"state,list"`
}

// result is what became of one text.
type result struct {
	id     string
	ids    []int32
	vector []float32 // [hidden], or [tokens·hidden] without a pooling
	hidden int
}

func (r result) state(i int) []float32 { return r.vector[i*r.hidden:][:r.hidden] }

// writer writes results in their order.
type writer interface {
	write(result) error
	close() error
}

func newWriter(format string, pooled bool, out io.Writer) (writer, error) {
	switch {
	case format == JSONL:
		return &lineWriter{json.NewEncoder(out), pooled}, nil
	case format == Parquet && pooled:
		return &pooledWriter{parquet.NewGenericWriter[Pooled](out, parquet.Compression(&parquet.Zstd))}, nil
	case format == Parquet:
		return &stateWriter{parquet.NewGenericWriter[State](out, parquet.Compression(&parquet.Zstd))}, nil
	}
	return nil, fmt.Errorf("format %q is not allowed; allowed: %s, %s", format, JSONL, Parquet)
}

type lineWriter struct {
	lines  *json.Encoder
	pooled bool
}

func (w *lineWriter) write(r result) error {
	if w.pooled {
		return w.lines.Encode(Pooled{r.id, r.vector})
	}
	s := States{ID: r.id, IDs: r.ids}
	for i := range r.ids {
		s.States = append(s.States, r.state(i))
	}
	return w.lines.Encode(s)
}

func (w *lineWriter) close() error { return nil }

type pooledWriter struct{ *parquet.GenericWriter[Pooled] }

func (w *pooledWriter) write(r result) error {
	_, err := w.Write([]Pooled{{r.id, r.vector}})
	return err
}

func (w *pooledWriter) close() error { return w.Close() }

type stateWriter struct{ *parquet.GenericWriter[State] }

func (w *stateWriter) write(r result) error {
	rows := make([]State, len(r.ids))
	for i, id := range r.ids {
		rows[i] = State{r.id, int32(i), id, r.state(i)}
	}
	_, err := w.Write(rows)
	return err
}

func (w *stateWriter) close() error { return w.Close() }
