package study

import (
	"bytes"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
)

// columns are a table's numbers by column, NaN where a row has none. A snapshot holds each
// column as one line with a JSON array, the column's name and then its numbers:
//
//	["rung",0,0,1,null]
//
// or, where they have many digits, with one string that holds them packed. A thousand trials
// are read from columns in a few milliseconds, which encoding/json does not achieve, and
// like numbers side by side compress well.
type columns map[string][]float64

// put adds a column, unless it holds nothing but the value that [columns.take] puts in the
// place of a missing one.
func (c columns) put(name string, missing float64, numbers []float64) {
	if slices.ContainsFunc(numbers, func(x float64) bool { return math.Float64bits(x) != math.Float64bits(missing) }) {
		c[name] = numbers
	}
}

// take removes and returns the column of so many rows.
func (c columns) take(name string, missing float64, rows int) ([]float64, error) {
	numbers, ok := c[name]
	delete(c, name)
	switch {
	case !ok:
		return slices.Repeat([]float64{missing}, rows), nil
	case len(numbers) != rows:
		return nil, fmt.Errorf("column %s has %d rows, not %d", name, len(numbers), rows)
	}
	return numbers, nil
}

// appendTo writes the columns in the order of their names, each after a newline.
func (c columns) appendTo(data []byte) []byte {
	for _, name := range slices.Sorted(maps.Keys(c)) {
		data = append(data, "\n[\""...)
		data = append(data, name...)
		data = append(data, '"')
		start := len(data)
		for _, x := range c[name] {
			data = append(data, ',')
			data = appendNumber(data, x)
		}
		if worthPacking(len(data)-start, len(c[name])) {
			data = append(data[:start], ",\""...)
			data = append(data, pack(c[name])...)
			data = append(data, '"')
		}
		data = append(data, ']')
	}
	return data
}

func appendNumber(data []byte, x float64) []byte {
	switch {
	case math.IsNaN(x):
		return append(data, "null"...)
	case x == math.Trunc(x) && math.Abs(x) < maxWhole && !(x == 0 && math.Signbit(x)):
		return strconv.AppendInt(data, int64(x), 10)
	}
	return strconv.AppendFloat(data, x, 'g', -1, 64)
}

// maxWhole bounds the whole numbers that a float64 holds one by one.
const maxWhole = 1 << 53

// readColumns reads lines that [columns.appendTo] wrote, without the first newline.
func readColumns(lines []byte) (columns, error) {
	c := make(columns)
	for line := range bytes.SplitSeq(lines, []byte("\n")) {
		name, numbers, err := readColumn(line)
		if err != nil {
			return nil, err
		}
		if _, twice := c[name]; twice {
			return nil, fmt.Errorf("column %s is there twice", name)
		}
		c[name] = numbers
	}
	return c, nil
}

func readColumn(line []byte) (name string, numbers []float64, err error) {
	inner, opened := bytes.CutPrefix(line, []byte(`["`))
	inner, closed := bytes.CutSuffix(inner, []byte("]"))
	before, inner, named := bytes.Cut(inner, []byte(`"`))
	if !opened || !closed || !named {
		return "", nil, fmt.Errorf("a column begins with %.20q: it is cut off or damaged", line)
	}
	name = string(before)
	if packed, ok := bytes.CutPrefix(inner, []byte(`,"`)); ok {
		packed, closed = bytes.CutSuffix(packed, []byte(`"`))
		if numbers, ok = unpack(packed); !ok || !closed {
			return "", nil, fmt.Errorf("column %s is packed and damaged", name)
		}
		return name, numbers, nil
	}
	numbers = make([]float64, 0, bytes.Count(inner, []byte(",")))
	for len(inner) > 0 {
		end := bytes.IndexByte(inner[1:], ',') + 1
		if end == 0 {
			end = len(inner)
		}
		x, ok := readNumber(inner[1:end])
		if inner[0] != ',' || !ok {
			return "", nil, fmt.Errorf("column %s, row %d: %.20q is no number", name, len(numbers), inner[:end])
		}
		numbers = append(numbers, x)
		inner = inner[end:]
	}
	return name, numbers, nil
}

// readNumber reads a number, or null as NaN.
func readNumber(text []byte) (float64, bool) {
	if n, ok := readWhole(text); ok {
		return n, true
	}
	if string(text) == "null" {
		return math.NaN(), true
	}
	x, err := strconv.ParseFloat(string(text), 64)
	return x, err == nil && !math.IsNaN(x) && !math.IsInf(x, 0)
}

// readWhole reads up to 15 digits, which is what most numbers are.
func readWhole(text []byte) (float64, bool) {
	if len(text) == 0 || len(text) > 15 {
		return 0, false
	}
	n := int64(0)
	for _, b := range text {
		if b < '0' || b > '9' {
			return 0, false
		}
		n = 10*n + int64(b-'0')
	}
	return float64(n), true
}
