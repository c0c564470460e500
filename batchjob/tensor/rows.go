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
	tokenKeys Keys
	rowKeys   Keys
	place     T // [rows, longest] int64: the token that stands there, 0 for padding
	mask      T // [rows, longest]: 0 where a token stands, else -Inf
	unplace   T // [tokens] int64: where the token stands in the padded view
	first     T // [rows] int64
	last      T // [rows] int64
}

// Pack describes rows: row r is starts[r] to starts[r+1]. When the step drops anything,
// drops is true and firstRow is the number of row 0 in the step's batch.
func (s *Scope) Pack(starts []int, drops bool, firstRow int) *Packed {
	p := &Packed{scope: s, starts: toInt64(starts)}
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
		p.tokenKeys, p.rowKeys = s.keysOf(tokens), s.keysOf(rows)
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

// First returns each row's first token of x [tokens, hidden]: [rows, hidden].
func (p *Packed) First(x T) T {
	if p.first.c == nil {
		p.first = p.scope.Int64s(p.starts[:p.Rows()], p.Rows())
	}
	return p.scope.Rows(x, p.first)
}

// Last returns each row's last token of x [tokens, hidden]: [rows, hidden].
func (p *Packed) Last(x T) T {
	if p.last.c == nil {
		at := make([]int64, p.Rows())
		for r := range at {
			at[r] = p.starts[r+1] - 1
		}
		p.last = p.scope.Int64s(at, p.Rows())
	}
	return p.scope.Rows(x, p.last)
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

// Pad returns the padded view [rows, longest, hidden] of x [tokens, hidden]; padding
// repeats the first token and must be masked.
func (p *Packed) Pad(x T) T {
	if p.place.c == nil {
		p.layout()
	}
	return p.scope.Embedding(x, p.place) // its gradient is faster than that of a selection
}

// Mask returns [rows, longest]: 0 for tokens and -Inf for padding.
func (p *Packed) Mask() T {
	if p.mask.c == nil {
		p.layout()
	}
	return p.mask
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
	p.place = p.scope.Int64s(place, rows, longest)
	p.mask = p.scope.Floats(mask, rows, longest)
	p.unplace = p.scope.Int64s(unplace, len(unplace))
}
