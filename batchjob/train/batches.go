package train

import (
	"math/rand/v2"

	"github.com/supermax-hpo/supermax/batchjob/backbone"
	"github.com/supermax-hpo/supermax/batchjob/classifier"
)

// orderStream keeps the rows' order apart from whatever else is drawn from a seed.
const orderStream = 0x6f72646572 // "order"

// order returns the permutation of n rows in which a seed trains in an epoch.
func order(seed int64, epoch, n int) []int {
	return rand.New(rand.NewPCG(uint64(seed), orderStream^uint64(epoch)<<40)).Perm(n)
}

// predictTokens bounds the tokens of a batch that is only measured.
const predictTokens = 8192

// pack puts rows one after the other, without padding.
func pack(rows []encodedRow, labels []int32, which []int) classifier.Batch {
	n := 0
	for _, i := range which {
		n += len(rows[i].ids)
	}
	b := classifier.Batch{
		Batch:  backbone.Batch{IDs: make([]int32, 0, n), TypeIDs: make([]int32, 0, n), Starts: make([]int, 1, len(which)+1)},
		Labels: make([]int32, 0, len(which)),
	}
	for _, i := range which {
		b.IDs = append(b.IDs, rows[i].ids...)
		b.TypeIDs = append(b.TypeIDs, rows[i].typeIDs...)
		b.Starts = append(b.Starts, len(b.IDs))
		b.Labels = append(b.Labels, labels[i])
	}
	return b
}

// chunks cuts rows into pieces of at most size.
func chunks(rows []int, size int) [][]int {
	var out [][]int
	for len(rows) > size {
		out = append(out, rows[:size:size])
		rows = rows[size:]
	}
	if len(rows) > 0 {
		out = append(out, rows)
	}
	return out
}

// chunksByTokens cuts which into pieces of at most limit tokens, or of one row that is
// longer.
func chunksByTokens(rows []encodedRow, which []int, limit int) [][]int {
	var out [][]int
	start, tokens := 0, 0
	for i, row := range which {
		n := len(rows[row].ids)
		if i > start && tokens+n > limit {
			out = append(out, which[start:i])
			start, tokens = i, 0
		}
		tokens += n
	}
	if start < len(which) {
		out = append(out, which[start:])
	}
	return out
}

// stepsPerEpoch is the number of optimizer steps in which n rows are trained.
func stepsPerEpoch(n, batchSize, accum int) int {
	batches := (n + batchSize - 1) / batchSize
	return (batches + accum - 1) / accum
}
