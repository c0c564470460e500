package backbone

import "github.com/supermax-hpo/supermax/batchjob/tensor"

// relative are indices of a batch's relative positions: query by key and key by query, each
// [longest, longest].
type relative struct{ byQuery, byKey tensor.T }

// relativeTo makes the indices: index says which row of a table stands for a query that is so
// many places after its key.
func (p *pass) relativeTo(index func(distance int) int) relative {
	if p.relative != (relative{}) {
		return p.relative
	}
	n := p.rows.Longest()
	byQuery, byKey := make([]int64, 0, n*n), make([]int64, 0, n*n)
	for i := range n {
		for j := range n {
			byQuery, byKey = append(byQuery, int64(index(i-j))), append(byKey, int64(index(j-i)))
		}
	}
	p.s.Pin(func() { p.relative = relative{p.s.Int64s(byQuery, n, n), p.s.Int64s(byKey, n, n)} })
	return p.relative
}

// along returns, for each query and key, the product of x, which is by queries or by keys
// [rows, heads, longest, size], and its row of table [rows or 1, heads, places, size] by index:
// [rows, heads, longest, longest].
func (p *pass) along(x, table, index tensor.T) tensor.T {
	s, shape := p.s, x.Shape()
	return s.Gather(s.MatMul(x, s.Transpose(table, 2, 3)), index, shape[0], shape[1], shape[2], shape[2])
}
