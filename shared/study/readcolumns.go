package study

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// columnLines are columns as a snapshot holds them. They are read one after the other, when
// they are taken, into memory that all of them use.
type columnLines struct {
	lines   map[string][]byte // by name, what follows it
	numbers []float64
	packed  []byte
}

// splitColumns takes the lines apart that [columns.appendTo] wrote, without the first newline.
func splitColumns(lines []byte) (*columnLines, error) {
	c := &columnLines{lines: make(map[string][]byte)}
	for line := range bytes.SplitSeq(lines, []byte("\n")) {
		inner, opened := bytes.CutPrefix(line, []byte(`["`))
		inner, closed := bytes.CutSuffix(inner, []byte("]"))
		name, inner, named := bytes.Cut(inner, []byte(`"`))
		if !opened || !closed || !named {
			return nil, fmt.Errorf("a column begins with %.20q: it is cut off or damaged", line)
		}
		if _, twice := c.lines[string(name)]; twice {
			return nil, fmt.Errorf("column %s is there twice", name)
		}
		c.lines[string(name)] = inner
	}
	return c, nil
}

// split removes the columns whose names begin so and returns them. They can be read at the same
// time as the others.
func (c *columnLines) split(prefix string) *columnLines {
	part := &columnLines{lines: make(map[string][]byte)}
	for name, line := range c.lines {
		if strings.HasPrefix(name, prefix) {
			part.lines[name] = line
			delete(c.lines, name)
		}
	}
	return part
}

// take removes the column of so many rows and returns its numbers, which are valid up to the
// next call.
func (c *columnLines) take(name string, missing float64, rows int) ([]float64, error) {
	if _, ok := c.lines[name]; !ok {
		c.numbers = slices.Grow(c.numbers[:0], rows)[:rows]
		for i := range c.numbers {
			c.numbers[i] = missing
		}
		return c.numbers, nil
	}
	numbers, err := c.all(name)
	if err == nil && len(numbers) != rows {
		err = fmt.Errorf("column %s has %d rows, not %d", name, len(numbers), rows)
	}
	return numbers, err
}

// all is [columnLines.take] of a column that says by itself how many rows there are: none
// without it.
func (c *columnLines) all(name string) ([]float64, error) {
	line := c.lines[name]
	delete(c.lines, name)
	c.numbers = c.numbers[:0]
	if packed, ok := bytes.CutPrefix(line, []byte(`,"`)); ok {
		packed, closed := bytes.CutSuffix(packed, []byte(`"`))
		if !closed || !c.unpack(packed) {
			return nil, fmt.Errorf("column %s is packed and damaged", name)
		}
		return c.numbers, nil
	}
	for len(line) > 0 {
		x, length, ok := readNumber(line[1:])
		if line[0] != ',' || !ok {
			return nil, fmt.Errorf("column %s, row %d: %.20q is no number", name, len(c.numbers), line[:1+length])
		}
		c.numbers = append(c.numbers, x)
		line = line[1+length:]
	}
	return c.numbers, nil
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
