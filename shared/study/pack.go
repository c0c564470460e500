package study

import (
	"encoding/base64"
	"math"
	"slices"
)

// A column of numbers with all their digits takes 20 characters a number, and a compressor
// makes 8.3 bytes of them; packed it takes 10.7 and 6.7: first the numbers' highest bytes,
// which are alike, then their second ones and so on, as base64.

// numberBytes is how many bytes a number has.
const numberBytes = 8

// worthPacking reports whether numbers that take so many characters as text are packed.
func worthPacking(characters, numbers int) bool { return characters > 16*numbers }

// pack returns the numbers as text without quotes.
func pack(numbers []float64) string {
	n := len(numbers)
	data := make([]byte, numberBytes*n)
	for i, x := range numbers {
		bits := math.Float64bits(x)
		for b := range numberBytes {
			data[b*n+i] = byte(bits >> (8 * (numberBytes - 1 - b)))
		}
	}
	return base64.StdEncoding.EncodeToString(data)
}

// unpack reads what pack wrote into c.numbers. It refuses infinite numbers.
func (c *columnLines) unpack(text []byte) bool {
	size := base64.StdEncoding.DecodedLen(len(text))
	c.packed = slices.Grow(c.packed[:0], size)[:size]
	length, err := base64.StdEncoding.Strict().Decode(c.packed, text)
	if err != nil || length%numberBytes != 0 {
		return false
	}
	n := length / numberBytes
	var bytes [numberBytes][]byte // the first of all numbers, the second of all, …
	for b := range bytes {
		bytes[b] = c.packed[b*n : (b+1)*n]
	}
	c.numbers = slices.Grow(c.numbers, n)[:n]
	for i := range c.numbers {
		bits := uint64(bytes[0][i])<<56 | uint64(bytes[1][i])<<48 | uint64(bytes[2][i])<<40 | uint64(bytes[3][i])<<32 |
			uint64(bytes[4][i])<<24 | uint64(bytes[5][i])<<16 | uint64(bytes[6][i])<<8 | uint64(bytes[7][i])
		if c.numbers[i] = math.Float64frombits(bits); math.IsInf(c.numbers[i], 0) {
			return false
		}
	}
	return true
}
