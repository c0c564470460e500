package dataset

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"io"
	"slices"
)

// decodeCSV reads RFC 4180 CSV with a header line; a byte-order mark is skipped. Quotes
// must be balanced and every record as long as the header.
func decodeCSV(ctx context.Context, t *table, data []byte) error {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	limited := &recordLimiter{r: bytes.NewReader(data)}
	r := csv.NewReader(limited)
	limited.next()
	header, err := r.Read()
	switch {
	case err == io.EOF:
		return t.errorf(place{}, "", "the file is empty; it needs a header line")
	case err != nil:
		return t.csvError(place{}, err)
	}
	header = slices.Clone(header)
	at := make([]int, len(t.columns))
	var missing []string
	for i, name := range t.columns {
		if at[i] = slices.Index(header, name); at[i] < 0 {
			missing = append(missing, name)
		} else if slices.Contains(header[at[i]+1:], name) {
			return t.errorf(place{}, name, "it is there twice; every column must be unique")
		}
	}
	if len(missing) > 0 {
		return t.missing(place{}, missing)
	}
	for n := 1; ; n++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		limited.next()
		record, err := r.Read()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return t.csvError(place{row: n}, err)
		}
		line, _ := r.FieldPos(0)
		here := place{n, line}
		cells := make([]string, len(at))
		for i, name := range header {
			if err := t.checkCell(here, name, record[i]); err != nil {
				return err
			}
		}
		for i, j := range at {
			cells[i] = record[j]
		}
		if err := t.add(here, cells); err != nil {
			return err
		}
	}
}

// csvError words the csv package's error; that never holds the record's text.
func (t *table) csvError(at place, err error) error {
	var parse *csv.ParseError
	if errors.As(err, &parse) {
		at.line = parse.StartLine
	}
	switch {
	case errors.Is(err, errRecordTooLong):
		return t.errorf(at, "", "it is longer than %d bytes; is a quote left open?", maxRecord)
	case errors.Is(err, csv.ErrFieldCount):
		return t.errorf(at, "", "it has another number of fields than the header; quote fields that hold commas")
	case errors.Is(err, csv.ErrQuote):
		return t.errorf(at, "", "a quote is open or stands in an unquoted field; quote the field and write quotes in it twice")
	case errors.Is(err, csv.ErrBareQuote):
		return t.errorf(at, "", "a quote stands in an unquoted field; quote the field and write quotes in it twice")
	}
	return t.errorf(at, "", "it cannot be read as CSV: %v", err)
}

var errRecordTooLong = errors.New("record too long")

// A recordLimiter fails a record that needs more than maxRecord bytes. The csv reader
// buffers ahead by a few kilobytes, hence the limit is approximate.
type recordLimiter struct {
	r    io.Reader
	left int
}

func (l *recordLimiter) next() { l.left = maxRecord + 4096 }

func (l *recordLimiter) Read(p []byte) (int, error) {
	n, err := l.r.Read(p)
	if l.left -= n; l.left < 0 {
		return 0, errRecordTooLong
	}
	return n, err
}
