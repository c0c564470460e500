package dataset

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"
)

// maxRecord bounds one row of a text table, and one cell of any table, in bytes. It is far
// above any post and keeps an unclosed quote from swallowing a file.
const maxRecord = 1 << 20

// A table is the needed part of one file: for every row the required columns' cells.
type table struct {
	file    string
	columns []string
	rows    []row
}

type row struct {
	place
	cells []string
}

// A decoder parses data and adds its rows to t.
type decoder func(ctx context.Context, t *table, data []byte) error

// decoderFor returns the decoder for a file's extension, or nil.
func decoderFor(file string) decoder {
	switch strings.ToLower(filepath.Ext(file)) {
	case ".csv":
		return decodeCSV
	case ".jsonl":
		return decodeJSONL
	case ".parquet":
		return decodeParquet
	}
	return nil
}

func (t *table) errorf(at place, column, format string, args ...any) error {
	return &InputError{File: t.file, Row: at.row, Line: at.line, Column: column, Problem: fmt.Sprintf(format, args...)}
}

// column returns the position of a required column in each row's cells.
func (t *table) column(name string) int { return slices.Index(t.columns, name) }

// missing is the error for required columns that the file lacks.
func (t *table) missing(at place, names []string) error {
	what := "the columns %s are missing; needed: %s"
	if len(names) == 1 {
		what = "the column %s is missing; needed: %s"
	}
	return t.errorf(at, "", what, strings.Join(names, ", "), strings.Join(t.columns, ", "))
}

// checkCell refuses what no cell may hold.
func (t *table) checkCell(at place, column, v string) error {
	switch {
	case len(v) > maxRecord:
		return t.errorf(at, column, "it has %d bytes; at most %d are allowed", len(v), maxRecord)
	case !utf8.ValidString(v):
		return t.errorf(at, column, "it is not UTF-8; save the file in UTF-8")
	case strings.IndexByte(v, 0) >= 0:
		return t.errorf(at, column, "it holds a NUL character; only text is allowed")
	}
	return nil
}

// add appends a row after checking the cells of the required columns. Ids must not be
// empty: every column that ends in _id names something.
func (t *table) add(at place, cells []string) error {
	for i, v := range cells {
		if err := t.checkCell(at, t.columns[i], v); err != nil {
			return err
		}
		if v == "" && strings.HasSuffix(t.columns[i], "_id") {
			return t.errorf(at, t.columns[i], "it is empty; every row needs one")
		}
	}
	t.rows = append(t.rows, row{at, cells})
	return nil
}
