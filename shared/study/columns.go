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

var null = []byte("null")

func appendNumber(data []byte, x float64) []byte {
	switch {
	case math.IsNaN(x):
		return append(data, null...)
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
		x, length, ok := readNumber(inner[1:])
		if inner[0] != ',' || !ok {
			return "", nil, fmt.Errorf("column %s, row %d: %.20q is no number", name, len(numbers), inner[:1+length])
		}
		numbers = append(numbers, x)
		inner = inner[1+length:]
	}
	return name, numbers, nil
}

// readNumber reads a number, or null as NaN, that ends at a comma or with the text, and
// returns its length as well.
func readNumber(text []byte) (x float64, length int, ok bool) {
	if x, length, ok = readDecimal(text); ok {
		return x, length, true
	}
	if bytes.HasPrefix(text, null) && (len(text) == len(null) || text[len(null)] == ',') {
		return math.NaN(), len(null), true
	}
	if length = bytes.IndexByte(text, ','); length < 0 {
		length = len(text)
	}
	x, err := strconv.ParseFloat(string(text[:length]), 64)
	return x, length, err == nil && !math.IsNaN(x) && !math.IsInf(x, 0)
}

// readDecimal reads a number of up to 15 digits without an exponent, which is what most are:
// a whole number and a power of ten below 2^53, whose quotient is rounded once and so
// exactly.
func readDecimal(text []byte) (x float64, length int, ok bool) {
	digits, whole, point := 0, int64(0), -1
	i := 0
	if len(text) > 0 && text[0] == '-' {
		i++
	}
	for ; i < len(text) && text[i] != ','; i++ {
		switch b := text[i]; {
		case b >= '0' && b <= '9':
			whole = 10*whole + int64(b-'0')
			if digits++; digits > 15 {
				return 0, 0, false
			}
		case b == '.' && point < 0 && digits > 0:
			point = digits
		default:
			return 0, 0, false
		}
	}
	if digits == 0 || point == digits {
		return 0, 0, false
	}
	x = float64(whole)
	if point >= 0 {
		x /= powersOfTen[digits-point]
	}
	if text[0] == '-' {
		x = -x
	}
	return x, i, true
}

var powersOfTen = [...]float64{1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15}
