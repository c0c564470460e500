package tensor

import (
	"fmt"
	"math"
)

// Packed describes a batch without padding: the rows' tokens stand one after the other in
// a matrix [tokens, hidden]. What the library path needs for a padded view of it is made
// when it is first asked for. It lives as long as its scope.
type Packed struct {
	scope     *Scope
	starts    []int64 // rows+1
	longest   int
	firstRow  int
	keys      []uint32 // of the tokens; nil where nothing is dropped
	tokenKeys Keys
	rowKeys   Keys
	full      *Packed // see [Packed.Full]
	place     T       // [rows, longest] int64: the token that stands there, 0 for padding
	mask      T       // [rows, longest]: 0 where a token stands, else -Inf
	unplace   T       // [tokens] int64: where the token stands in the padded view
	startsAt  T       // [rows+1] int32: starts, on the device
	first     T       // [rows] int64
	last      T       // [rows] int64
	present   T       // [rows, longest]: 1 where a token stands, else 0
}

// Pack describes rows: row r is starts[r] to starts[r+1]. When the step drops anything,
// drops is true and firstRow is the number of row 0 in the step's batch.
func (s *Scope) Pack(starts []int, drops bool, firstRow int) *Packed {
	p := &Packed{scope: s, starts: toInt64(starts), firstRow: firstRow}
	for r := range p.Rows() {
		n := starts[r+1] - starts[r]
		if n < 1 || starts[0] != 0 {
			panic(newOpError("pack rows", fmt.Sprintf("row %d has %d tokens from %d", r, n, starts[r]), false))
		}
		p.longest = max(p.longest, n)
	}
	if p.Rows() < 1 {
		panic(newOpError("pack rows", "there is no row", false))
	}
	if drops {
		tokens, rows := make([]uint32, 0, p.Tokens()), make([]uint32, p.Rows())
		for r := range rows {
			rows[r] = TokenKey(firstRow+r, 0)
			for i := range starts[r+1] - starts[r] {
				tokens = append(tokens, TokenKey(firstRow+r, i))
			}
		}
		p.keys, p.tokenKeys, p.rowKeys = tokens, s.keysOf(tokens), s.keysOf(rows)
	}
	return p
}

// Rows counts the rows.
func (p *Packed) Rows() int { return len(p.starts) - 1 }

// Longest is the number of tokens in the longest row.
func (p *Packed) Longest() int { return p.longest }

// Tokens counts the tokens of all rows.
func (p *Packed) Tokens() int { return int(p.starts[len(p.starts)-1]) }

// TokenKeys are the dropout keys of [tokens, …] matrices.
func (p *Packed) TokenKeys() Keys { return p.tokenKeys }

// RowKeys are the dropout keys of [rows, …] matrices.
func (p *Packed) RowKeys() Keys { return p.rowKeys }

// End returns each row's first token of x [tokens, hidden], or its last: [rows, hidden].
func (p *Packed) End(x T, last bool) T {
	if last {
		return p.Last(x)
	}
	return p.First(x)
}

// EndKeys are the dropout keys of End's matrices, those of the tokens.
func (p *Packed) EndKeys(last bool) Keys {
	if !last || p.keys == nil { // nothing is dropped
		return p.rowKeys
	}
	keys := make([]uint32, p.Rows())
	for r := range keys {
		keys[r] = p.keys[p.starts[r+1]-1]
	}
	return p.scope.keysOf(keys)
}

// First returns each row's first token of x [tokens, hidden]: [rows, hidden].
func (p *Packed) First(x T) T {
	if p.first.c == nil {
		p.scope.Pin(func() { p.first = p.scope.Int64s(p.starts[:p.Rows()], p.Rows()) })
	}
	return p.scope.Rows(x, p.first)
}

// deviceStarts returns the rows' starts on the device, as 32-bit numbers.
func (p *Packed) deviceStarts() T {
	if p.startsAt.c == nil {
		starts := make([]uint32, len(p.starts))
		for i, at := range p.starts {
			starts[i] = uint32(at)
		}
		p.scope.Pin(func() { p.startsAt = p.scope.uint32s(starts) })
	}
	return p.startsAt
}

// Mean returns each row's mean over its tokens: [rows, hidden].
func (p *Packed) Mean(x T) T {
	weights := make([]float32, p.Rows()*p.Tokens())
	for r := range p.Rows() {
		from, to := p.starts[r], p.starts[r+1]
		row := weights[r*p.Tokens():]
		for t := from; t < to; t++ {
			row[t] = 1 / float32(to-from)
		}
	}
	return p.scope.MatMul(p.scope.Floats(weights, p.Rows(), p.Tokens()), x)
}

// Last returns each row's last token of x [tokens, hidden]: [rows, hidden].
func (p *Packed) Last(x T) T {
	if p.last.c == nil {
		at := make([]int64, p.Rows())
		for r := range at {
			at[r] = p.starts[r+1] - 1
		}
		p.scope.Pin(func() { p.last = p.scope.Int64s(at, p.Rows()) })
	}
	return p.scope.Rows(x, p.last)
}

// WideKeys are dropout keys of [rows·width, …] matrices, so many places for each row.
func (p *Packed) WideKeys(width int) Keys {
	keys := make([]uint32, 0, p.Rows()*width)
	for r := range p.Rows() {
		for i := range width {
			keys = append(keys, TokenKey(p.firstRow+r, i))
		}
	}
	return p.scope.keysOf(keys)
}

// Pad returns the padded view [rows, longest, hidden] of x [tokens, hidden]; padding
// repeats the first token and must be masked.
func (p *Packed) Pad(x T) T {
	return p.scope.Embedding(x, p.places()) // its gradient is faster than that of a selection
}

// places returns the token at each place of the padded view.
func (p *Packed) places() T {
	if p.place.c == nil {
		p.layout()
	}
	return p.place
}

// Mask returns [rows, longest]: 0 for tokens and -Inf for padding.
func (p *Packed) Mask() T {
	if p.mask.c == nil {
		p.layout()
	}
	return p.mask
}

// Present returns [rows, longest]: 1 for tokens and 0 for padding.
func (p *Packed) Present() T {
	if p.present.c == nil {
		present := make([]float32, p.Rows()*p.longest)
		for r := range p.Rows() {
			for i := range p.starts[r+1] - p.starts[r] {
				present[int64(r*p.longest)+i] = 1
			}
		}
		p.scope.Pin(func() { p.present = p.scope.Floats(present, p.Rows(), p.longest) })
	}
	return p.present
}

// Heads returns the padded view of x [tokens, heads·size] by heads: [rows, heads, longest, size].
func (p *Packed) Heads(x T, heads int) T {
	size := x.Shape()[1] / heads
	return p.scope.Transpose(p.scope.Reshape(p.Pad(x), p.Rows(), p.longest, heads, size), 1, 2)
}

// Joined is the inverse of [Packed.Heads]: [rows, heads, longest, size] to [tokens, heads·size].
func (p *Packed) Joined(x T) T {
	shape := x.Shape()
	return p.Unpad(p.scope.Transpose(x, 1, 2), shape[1]*shape[3])
}

// Full returns rows that are all as long as the longest one. What p has no token for is padding:
// its states are computed, and only attention passes it over.
func (p *Packed) Full() *Packed {
	if p.full != nil {
		return p.full
	}
	starts := make([]int, p.Rows()+1)
	for r := range starts {
		starts[r] = r * p.longest
	}
	p.scope.Pin(func() { p.full = p.scope.Pack(starts, p.keys != nil, p.firstRow) })
	p.full.mask = p.Mask()
	return p.full
}

// Unpad is the inverse of [Packed.Pad]: [rows, longest, hidden] to [tokens, hidden].
func (p *Packed) Unpad(x T, hidden int) T {
	if p.unplace.c == nil {
		p.layout()
	}
	return p.scope.Embedding(p.scope.Reshape(x, p.Rows()*p.longest, hidden), p.unplace)
}

// layout makes the tensors that Pad, Mask and Unpad use.
func (p *Packed) layout() {
	rows, longest := p.Rows(), p.longest
	place, mask := make([]int64, rows*longest), make([]float32, rows*longest)
	unplace := make([]int64, 0, p.Tokens())
	for r := range rows {
		for i := range longest {
			at := r*longest + i
			if t := p.starts[r] + int64(i); t < p.starts[r+1] {
				place[at] = t
				unplace = append(unplace, int64(at))
			} else {
				mask[at] = float32(math.Inf(-1))
			}
		}
	}
	p.scope.Pin(func() {
		p.place = p.scope.Int64s(place, rows, longest)
		if p.mask.c == nil { // else it is another one's, see [Packed.Full]
			p.mask = p.scope.Floats(mask, rows, longest)
		}
		p.unplace = p.scope.Int64s(unplace, len(unplace))
	})
}
