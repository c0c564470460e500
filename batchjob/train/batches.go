package train

import (
	"cmp"
	"math/rand/v2"
	"slices"

	"github.com/supermax-hpo/supermax/batchjob/backbone"
	"github.com/supermax-hpo/supermax/batchjob/classifier"
)

// orderStream keeps the rows' order apart from whatever else is drawn from a seed.
const orderStream = 0x6f72646572 // "order"

// order returns the permutation of a task's n rows in which a seed trains in an epoch.
func order(task int, seed int64, epoch, n int) []int {
	return rand.New(rand.NewPCG(uint64(seed), orderStream^uint64(epoch)<<40^uint64(task)<<60)).Perm(n)
}

// mix returns the rows of an epoch in the order in which a seed trains them: each task's
// shuffled, and the tasks interleaved in proportion to their sizes, so that any stretch of
// rows holds of each task what is its share, give or take one.
func mix(seed int64, epoch int, byTask [][]int) []int {
	n := 0
	shuffled := make([][]int, len(byTask))
	for task, rows := range byTask {
		n += len(rows)
		for _, at := range order(task, seed, epoch, len(rows)) {
			shuffled[task] = append(shuffled[task], rows[at])
		}
	}
	// Row i of N stands at (i + 1/2)/N of the epoch.
	mixed, next := make([]int, 0, n), make([]int, len(byTask))
	for len(mixed) < n {
		first := -1
		for task, rows := range shuffled {
			if next[task] == len(rows) {
				continue
			}
			if first < 0 || (2*next[task]+1)*len(shuffled[first]) < (2*next[first]+1)*len(rows) {
				first = task
			}
		}
		mixed = append(mixed, shuffled[first][next[first]])
		next[first]++
	}
	return mixed
}

// bucketed cuts an epoch's rows into batches of about equal lengths and returns them in a
// shuffled order, for an encoder whose result for a row depends on the padding that longer
// rows beside it bring (see [pretrained.Config.PaddingCounts]). The rows are shuffled as by mix
// and each task's sorted by length, so that what stands in a batch of one length is chance.
func bucketed(seed int64, epoch int, byTask [][]int, length func(row int) int, size int) []int {
	mixed := mix(seed, epoch, byTask)
	task, next := map[int]int{}, make([]int, len(byTask))
	sorted := make([][]int, len(byTask))
	for t, rows := range byTask {
		for _, row := range rows {
			task[row] = t
		}
	}
	for _, row := range mixed {
		sorted[task[row]] = append(sorted[task[row]], row)
	}
	for _, rows := range sorted {
		slices.SortStableFunc(rows, func(a, b int) int { return cmp.Compare(length(a), length(b)) })
	}
	for i, row := range mixed { // the tasks stay interleaved
		t := task[row]
		mixed[i] = sorted[t][next[t]]
		next[t]++
	}
	cut := chunks(mixed, size)
	whole := len(cut)
	if len(mixed)%size != 0 {
		whole-- // the short batch stays the last
	}
	out := make([]int, 0, len(mixed))
	for _, at := range order(len(byTask), seed, epoch, whole) {
		out = append(out, cut[at]...)
	}
	for _, rest := range cut[whole:] {
		out = append(out, rest...)
	}
	return out
}

// step is the rows of one optimizer step as the model takes them: cut into micro-batches
// of at most size rows, each task's apart, since posts and sentences differ in length. All
// tasks weigh the same in an epoch, whatever their sizes: of N rows a row of one of T tasks
// that has N_t weighs N/(T·N_t), and a micro-batch's loss is the mean of its rows'.
func (s *session) step(rows []int, size int) (micro []classifier.Batch, shares []float64) {
	cut := chunks(rows, size)
	if len(s.tasks.names) == 1 {
		for _, which := range cut {
			micro = append(micro, pack(s.rows, s.labels, which))
		}
		return micro, nil
	}
	for _, which := range cut {
		for task, own := range s.tasks.divide(which) {
			if len(own) == 0 {
				continue
			}
			b := pack(s.rows, s.labels, own)
			b.Task = task
			micro = append(micro, b)
			part := float64(len(own)) / float64(len(which)*len(cut))
			shares = append(shares, part*float64(len(s.part.Train))/float64(len(s.tasks.names)*len(s.trained[task])))
		}
	}
	return micro, shares
}

// predictTokens bounds the tokens of a batch that is only measured.
const predictTokens = 8192

// predictChunks cuts rows into batches that are only measured.
func predictChunks(rows []encodedRow, which []int, even bool) [][]int {
	return backbone.Chunks(which, func(row int) int { return len(rows[row].ids) }, predictTokens, even)
}

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
		b.Append(rows[i].ids, rows[i].typeIDs)
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

// stepsPerEpoch is the number of optimizer steps in which n rows are trained.
func stepsPerEpoch(n, batchSize, accum int) int {
	batches := (n + batchSize - 1) / batchSize
	return (batches + accum - 1) / accum
}
