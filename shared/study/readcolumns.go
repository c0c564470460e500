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
	lines   map[string]columnLine // by name
	numbers []float64
	decoded []byte // see [columnLines.unpackText]
}

// A columnLine is what follows a column's name or, where it is packed, its bytes.
type columnLine struct {
	text   []byte
	packed bool
}

// splitColumns takes so many columns apart that [columns.appendTo] wrote, without the first
// newline.
func splitColumns(data []byte, count int) (*columnLines, error) {
	c := &columnLines{lines: make(map[string]columnLine)}
	var packed []string // the names of those that are
	for n := range count {
		if len(data) == 0 {
			return nil, fmt.Errorf("it has %d columns, not %d: it is cut off", n, count)
		}
		line, rest, _ := bytes.Cut(data, []byte("\n"))
		data = rest
		inner, opened := bytes.CutPrefix(line, []byte(`["`))
		inner, closed := bytes.CutSuffix(inner, []byte("]"))
		name, text, named := bytes.Cut(inner, []byte(`"`))
		if !opened || !closed || !named {
			return nil, fmt.Errorf("a column begins with %.20q: it is cut off or damaged", line)
		}
		if _, twice := c.lines[string(name)]; twice {
			return nil, fmt.Errorf("column %s is there twice", name)
		}
		count, isPacked := bytes.CutPrefix(text, []byte(packedMark))
		if isPacked {
			text, packed = count, append(packed, string(name))
		}
		c.lines[string(name)] = columnLine{text, isPacked}
	}
	for _, name := range packed {
		own, rest, ok := cutPacked(c.lines[name].text, data)
		if !ok {
			return nil, fmt.Errorf("column %s is packed and cut off or damaged", name)
		}
		c.lines[name], data = columnLine{own, true}, rest
	}
	if len(data) > 0 {
		return nil, fmt.Errorf("%d bytes follow its %d columns", len(data), count)
	}
	return c, nil
}

// split removes the columns whose names begin so and returns them. They can be read at the same
// time as the others.
func (c *columnLines) split(prefix string) *columnLines {
	part := &columnLines{lines: make(map[string]columnLine)}
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
	column := c.lines[name]
	delete(c.lines, name)
	c.numbers = c.numbers[:0]
	text, isText := bytes.CutPrefix(column.text, []byte(`,"`))
	switch {
	case column.packed && c.unpack(column.text), !column.packed && isText && c.unpackText(text):
		return c.numbers, nil
	case column.packed || isText:
		return nil, fmt.Errorf("column %s is packed and damaged", name)
	}
	for line := column.text; len(line) > 0; {
		// Most are whole numbers of a few digits.
		whole, digits := int64(0), 1
		for digits < len(line) && line[digits]-'0' < 10 && digits <= 15 {
			whole = 10*whole + int64(line[digits]-'0')
			digits++
		}
		if line[0] == ',' && digits > 1 && (digits == len(line) || line[digits] == ',') {
			c.numbers = append(c.numbers, float64(whole))
			line = line[digits:]
			continue
		}
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
