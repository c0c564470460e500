package backbone

import "fmt"

// A Batch is rows of tokens without padding, one row after the other.
type Batch struct {
	IDs     []int32 // token ids of all rows, special tokens included
	TypeIDs []int32 // token type (segment) of every token
	Starts  []int   // rows+1 offsets: row r is IDs[Starts[r]:Starts[r+1]]
}

// Rows counts the rows.
func (b Batch) Rows() int { return len(b.Starts) - 1 }

// Append adds a row.
func (b *Batch) Append(ids, typeIDs []int32) {
	if len(b.Starts) == 0 {
		b.Starts = append(b.Starts, 0)
	}
	b.IDs = append(b.IDs, ids...)
	b.TypeIDs = append(b.TypeIDs, typeIDs...)
	b.Starts = append(b.Starts, len(b.IDs))
}

// anyTypes is a number of token types that no type reaches.
const anyTypes = 1 << 30

// check reports the first thing about a batch that the model cannot take. Indices are
// checked here because the library's kernels read past the end on some devices.
func (b Batch) check(vocabulary, types, positions int) error {
	if b.Rows() < 1 || b.Starts[0] != 0 || b.Starts[b.Rows()] != len(b.IDs) || len(b.TypeIDs) != len(b.IDs) {
		return fmt.Errorf("batch: %d row starts do not cover %d ids and %d type ids", len(b.Starts), len(b.IDs), len(b.TypeIDs))
	}
	for r := range b.Rows() {
		if n := b.Starts[r+1] - b.Starts[r]; n < 1 || n > positions {
			return fmt.Errorf("batch: row %d has %d tokens, allowed are 1 to %d", r, n, positions)
		}
	}
	for i, id := range b.IDs {
		if id < 0 || int(id) >= vocabulary {
			return fmt.Errorf("batch: token %d has id %d, the vocabulary has %d", i, id, vocabulary)
		}
		if t := b.TypeIDs[i]; t < 0 || int(t) >= types {
			return fmt.Errorf("batch: token %d has type %d, there are %d types", i, t, types)
		}
	}
	return nil
}
