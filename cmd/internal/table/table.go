// Package table is the answer to a query, from wherever it came, and how it is printed: the
// same rows look the same whether Athena or DuckDB found them.
package table

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// A Kind is what the values of a column are.
type Kind string

// The kinds of columns.
const (
	Integer Kind = "integer"
	Number  Kind = "number" // in floating point
	Boolean Kind = "boolean"
	Text    Kind = "text" // everything else
)

// KindOf returns the kind of an SQL type, as Trino or DuckDB name it.
func KindOf(sqlType string) Kind {
	name, _, _ := strings.Cut(strings.ToLower(sqlType), "(")
	switch strings.TrimSpace(name) {
	case "tinyint", "smallint", "int", "integer", "bigint", "hugeint", "utinyint", "usmallint", "uinteger", "ubigint", "uhugeint":
		return Integer
	case "real", "float", "double", "decimal":
		return Number
	case "boolean":
		return Boolean
	}
	return Text
}

// A Column is one column of a [Table].
type Column struct {
	Name string `json:"name"`
	Kind Kind   `json:"kind"`
}

// A Table is a query's answer. A cell is a value's text; nil is SQL's null. It travels as
// JSON between supermax-query and supermax.
type Table struct {
	Columns []Column    `json:"columns"`
	Rows    [][]*string `json:"rows"`
}

// Add appends a row whose cells it brings into the one form of their column's kind. A
// number is written with the fewest digits that read back as it.
func (t *Table) Add(cells []*string) error {
	if len(cells) != len(t.Columns) {
		return fmt.Errorf("row %d has %d cells for %d columns", len(t.Rows), len(cells), len(t.Columns))
	}
	row := make([]*string, len(cells))
	for i, cell := range cells {
		if cell == nil {
			continue
		}
		text, err := canonical(t.Columns[i].Kind, *cell)
		if err != nil {
			return fmt.Errorf("row %d: column %s: %w", len(t.Rows), t.Columns[i].Name, err)
		}
		row[i] = &text
	}
	t.Rows = append(t.Rows, row)
	return nil
}

func canonical(kind Kind, text string) (string, error) {
	switch kind {
	case Number:
		v, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return "", fmt.Errorf("%.40q is no number", text)
		}
		switch {
		case math.IsNaN(v):
			return "NaN", nil
		case math.IsInf(v, 0):
			return map[bool]string{true: "Infinity", false: "-Infinity"}[v > 0], nil
		case v == 0:
			return "0", nil // and not -0
		}
		return strconv.FormatFloat(v, 'g', -1, 64), nil
	case Boolean:
		v, err := strconv.ParseBool(text)
		if err != nil {
			return "", fmt.Errorf("%.40q is neither true nor false", text)
		}
		return strconv.FormatBool(v), nil
	}
	return text, nil
}
