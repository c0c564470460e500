package dataset

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// decodeJSONL reads one JSON object a line; blank lines are skipped, a byte-order mark too.
// The required keys must be strings or numbers.
func decodeJSONL(ctx context.Context, t *table, data []byte) error {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	for n, line := 1, 1; len(data) > 0; line++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		var text []byte
		text, data, _ = bytes.Cut(data, []byte("\n"))
		if len(bytes.TrimSpace(text)) == 0 {
			continue
		}
		at := place{n, line}
		n++
		switch {
		case len(text) > maxRecord:
			return t.errorf(at, "", "it has %d bytes; at most %d are allowed", len(text), maxRecord)
		case !utf8.Valid(text):
			return t.errorf(at, "", "it is not UTF-8; save the file in UTF-8")
		case bytes.IndexByte(text, 0) >= 0:
			return t.errorf(at, "", "it holds a NUL character; only text is allowed")
		}
		cells, err := t.object(at, text)
		if err != nil {
			return err
		}
		if err := t.add(at, cells); err != nil {
			return err
		}
	}
	return nil
}

// object reads the required keys of one line.
func (t *table) object(at place, text []byte) ([]string, error) {
	broken := t.errorf(at, "", "it is not one JSON object; every line must be {\"%s\": …}", strings.Join(t.columns, "\": …, \""))
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return nil, broken
	}
	cells := make([]string, len(t.columns))
	seen := make([]bool, len(t.columns))
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, broken
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return nil, broken
		}
		name, _ := key.(string)
		i := slices.Index(t.columns, name)
		if i < 0 {
			continue
		}
		if seen[i] {
			return nil, t.errorf(at, name, "it is there twice; every key must be unique")
		}
		seen[i] = true
		if cells[i], err = scalar(value); err != nil {
			return nil, t.errorf(at, name, "%v", err)
		}
	}
	if _, err := d.Token(); err != nil {
		return nil, broken
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, broken
	}
	var missing []string
	for i, ok := range seen {
		if !ok {
			missing = append(missing, t.columns[i])
		}
	}
	if len(missing) > 0 {
		return nil, t.missing(at, missing)
	}
	return cells, nil
}

// scalar turns a JSON string or number into a cell.
func scalar(value json.RawMessage) (string, error) {
	switch c := value[0]; {
	case c == '"':
		var s string
		if err := json.Unmarshal(value, &s); err != nil {
			return "", fmt.Errorf("it is not a JSON string")
		}
		// The decoder replaces half a surrogate pair; what was not in the file must not
		// come out of it.
		if strings.ContainsRune(s, utf8.RuneError) && !bytes.ContainsRune(value, utf8.RuneError) &&
			!bytes.Contains(bytes.ToLower(value), []byte(`\ufffd`)) {
			return "", fmt.Errorf("it holds half of a surrogate pair (\\ud800–\\udfff); only whole characters are allowed")
		}
		return s, nil
	case c == '-' || c >= '0' && c <= '9':
		return string(value), nil
	}
	return "", fmt.Errorf("it is neither a string nor a number")
}
