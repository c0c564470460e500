package study

import (
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
// or, where they have many digits, packed: the line says how many, and after the last line
// stand the packed columns' bytes in the same order.
//
//	["seed.f1","packed",4476]
//
// A thousand trials are read from columns in a few milliseconds, which encoding/json does not
// achieve, and like numbers side by side compress well.
type columns map[string][]float64

// put adds a column, unless it holds nothing but the value that [columnLines.take] puts in the
// place of a missing one.
func (c columns) put(name string, missing float64, numbers []float64) {
	if slices.ContainsFunc(numbers, func(x float64) bool { return math.Float64bits(x) != math.Float64bits(missing) }) {
		c[name] = numbers
	}
}

// appendTo writes the columns in the order of their names, each after a newline, and what is
// packed after another one.
func (c columns) appendTo(data []byte) []byte {
	var packed []byte
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
			data = strconv.AppendInt(append(data[:start], packedMark...), int64(len(c[name])), 10)
			packed = pack(packed, c[name])
		}
		data = append(data, ']')
	}
	if len(packed) > 0 {
		data = append(append(data, '\n'), packed...)
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
