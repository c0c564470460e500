package study

import (
	"bytes"
	"encoding/base64"
	"math"
	"slices"
	"strconv"
)

// A column of numbers with all their digits takes 20 characters a number, and a compressor
// makes 8.3 bytes of them. Packed it takes 8 and 6.7: first the numbers' highest bytes, which
// are alike, then their second ones and so on. The lowest ones no compressor shortens, nor
// spends time on.

// numberBytes is how many bytes a number has.
const numberBytes = 8

// worthPacking reports whether numbers that take so many characters as text are packed: when
// that is about as short. It is read faster, and compresses as well where only some of the
// numbers have many digits.
func worthPacking(characters, numbers int) bool { return characters > 10*numbers }

// packedMark begins what stands in a packed column's line in the place of its numbers; how
// many they are follows.
const packedMark = `,"packed",`

// pack appends the numbers' bytes.
func pack(data []byte, numbers []float64) []byte {
	n, from := len(numbers), len(data)
	data = slices.Grow(data, numberBytes*n)[:from+numberBytes*n]
	for i, x := range numbers {
		bits := math.Float64bits(x)
		for b := range numberBytes {
			data[from+b*n+i] = byte(bits >> (8 * (numberBytes - 1 - b)))
		}
	}
	return data
}

// cutPacked takes the bytes of a column of so many numbers, in digits, off those of all.
func cutPacked(count, packed []byte) (own, rest []byte, ok bool) {
	n, err := strconv.ParseUint(string(count), 10, 31)
	if err != nil || n*numberBytes > uint64(len(packed)) {
		return nil, nil, false
	}
	return packed[:n*numberBytes], packed[n*numberBytes:], true
}

// unpack reads what pack wrote into c.numbers. It refuses infinite numbers.
func (c *columnLines) unpack(packed []byte) bool {
	n := len(packed) / numberBytes
	if len(packed)%numberBytes != 0 {
		return false
	}
	var planes [numberBytes][]byte // the first of all numbers, the second of all, …
	for b := range planes {
		planes[b] = packed[b*n : (b+1)*n]
	}
	c.numbers = slices.Grow(c.numbers, n)[:n]
	for i := range c.numbers {
		bits := uint64(planes[0][i])<<56 | uint64(planes[1][i])<<48 | uint64(planes[2][i])<<40 | uint64(planes[3][i])<<32 |
			uint64(planes[4][i])<<24 | uint64(planes[5][i])<<16 | uint64(planes[6][i])<<8 | uint64(planes[7][i])
		if c.numbers[i] = math.Float64frombits(bits); math.IsInf(c.numbers[i], 0) {
			return false
		}
	}
	return true
}

// unpackText reads the base64 of the same bytes, in quotes, which stood in the line itself up
// to version 3.
func (c *columnLines) unpackText(text []byte) bool {
	text, closed := bytes.CutSuffix(text, []byte(`"`))
	if !closed {
		return false
	}
	size := base64.StdEncoding.DecodedLen(len(text))
	c.decoded = slices.Grow(c.decoded[:0], size)[:size]
	length, err := base64.StdEncoding.Strict().Decode(c.decoded, text)
	return err == nil && c.unpack(c.decoded[:length])
}
