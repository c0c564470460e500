package table

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"unicode"
)

// Formats are the formats that [Table.Write] knows.
func Formats() []string { return []string{"table", "csv", "json"} }

// Write prints the table: aligned for a person, as CSV with a header, or as JSON with one
// row a line, whose keys are the columns in order.
func (t *Table) Write(w io.Writer, format string) error {
	switch format {
	case "table":
		return t.writeText(w)
	case "csv":
		return t.writeCSV(w)
	case "json":
		return t.writeJSON(w)
	}
	return fmt.Errorf("format %q is not allowed; allowed: %s", format, strings.Join(Formats(), ", "))
}

func (t *Table) writeText(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	names := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		names[i] = oneLine(c.Name)
	}
	fmt.Fprintln(w, strings.Join(names, "\t"))
	for _, row := range t.Rows {
		cells := make([]string, len(row))
		for i, cell := range row {
			cells[i] = "-"
			if cell != nil {
				cells[i] = oneLine(*cell)
			}
		}
		fmt.Fprintln(w, strings.Join(cells, "\t"))
	}
	return w.Flush()
}

// oneLine keeps a value from breaking the table, and from writing to the terminal what
// moves its cursor.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, s)
}

func (t *Table) writeCSV(out io.Writer) error {
	w := csv.NewWriter(out)
	record := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		record[i] = c.Name
	}
	_ = w.Write(record) // Flush keeps the error
	for _, row := range t.Rows {
		for i, cell := range row {
			record[i] = ""
			if cell != nil {
				record[i] = *cell
			}
		}
		_ = w.Write(record)
	}
	w.Flush()
	return w.Error()
}

func (t *Table) writeJSON(out io.Writer) error {
	var b bytes.Buffer
	for _, row := range t.Rows {
		b.WriteByte('{')
		for i, cell := range row {
			if i > 0 {
				b.WriteByte(',')
			}
			b.Write(quoted(t.Columns[i].Name))
			b.WriteByte(':')
			b.Write(jsonValue(t.Columns[i].Kind, cell))
		}
		b.WriteString("}\n")
	}
	_, err := out.Write(b.Bytes())
	return err
}

// jsonValue writes a cell as JSON. What no JSON number is (NaN, infinities) is a string.
func jsonValue(kind Kind, cell *string) []byte {
	switch {
	case cell == nil:
		return []byte("null")
	case kind != Text && json.Valid([]byte(*cell)):
		return []byte(*cell)
	}
	return quoted(*cell)
}

func quoted(s string) []byte {
	data, _ := json.Marshal(s) // a string always has a form
	return data
}
