package train

import (
	"cmp"
	"slices"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seed, epoch, n := rapid.Int64().Draw(t, "seed"), rapid.IntRange(1, 1000).Draw(t, "epoch"), rapid.IntRange(20, 200).Draw(t, "n")
		a := order(0, seed, epoch, n)
		if !slices.Equal(a, order(0, seed, epoch, n)) {
			t.Fatal("the same seed and epoch gave two orders")
		}
		if slices.Equal(a, order(0, seed, epoch+1, n)) || slices.Equal(a, order(0, seed+1, epoch, n)) {
			t.Fatal("another seed or epoch gave the same order")
		}
		slices.Sort(a)
		for i, v := range a {
			if i != v {
				t.Fatalf("%v is not a permutation", a)
			}
		}
	})
}

// Buckets hold every row once, in whole batches whose rows differ little in length, and each
// task in proportion; the batches' order is not that of the lengths.
func TestBucketed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size, n := rapid.IntRange(1, 8).Draw(t, "size"), rapid.IntRange(1, 200).Draw(t, "n")
		lengths, byTask := make([]int, n), make([][]int, rapid.IntRange(1, 2).Draw(t, "tasks"))
		for row := range n {
			lengths[row] = rapid.IntRange(1, 30).Draw(t, "length")
			task := rapid.IntRange(0, len(byTask)-1).Draw(t, "task")
			byTask[task] = append(byTask[task], row)
		}
		seed, epoch := rapid.Int64().Draw(t, "seed"), rapid.IntRange(1, 40).Draw(t, "epoch")
		length := func(row int) int { return lengths[row] }
		rows := bucketed(seed, epoch, byTask, length, size)
		if !slices.Equal(rows, bucketed(seed, epoch, byTask, length, size)) {
			t.Fatal("the same seed and epoch gave two orders")
		}
		if all := slices.Sorted(slices.Values(rows)); len(all) != n || all[0] != 0 || all[n-1] != n-1 || len(slices.Compact(all)) != n {
			t.Fatalf("%v are not the rows", all)
		}
		// Whole batches of one task are consecutive in its order of lengths: laid one after the
		// other by their shortest row, no two overlap.
		for task, own := range byTask {
			var spans [][2]int
			for _, batch := range chunks(rows, size) {
				var in []int
				for _, row := range batch {
					if slices.Contains(own, row) {
						in = append(in, lengths[row])
					}
				}
				if len(in) > 0 {
					spans = append(spans, [2]int{slices.Min(in), slices.Max(in)})
				}
			}
			slices.SortFunc(spans, func(a, b [2]int) int { return cmp.Or(a[0]-b[0], a[1]-b[1]) })
			for i := 1; i < len(spans); i++ {
				if spans[i][0] < spans[i-1][1] {
					t.Fatalf("task %d: batches of lengths %v overlap", task, spans)
				}
			}
		}
	})
	lengths := func(row int) int { return row }
	if slices.IsSorted(bucketed(1, 1, [][]int{order(0, 5, 1, 64)}, lengths, 4)) {
		t.Error("the batches are trained from the shortest to the longest")
	}
}

func TestPack(t *testing.T) {
	rows := []encodedRow{{[]int32{1, 2}, []int32{0, 1}}, {[]int32{3}, []int32{0}}, {[]int32{4, 5, 6}, []int32{0, 0, 1}}}
	b := pack(rows, []int32{7, 8, 9}, []int{2, 0})
	if diff := gocmp.Diff([]int32{4, 5, 6, 1, 2}, b.IDs); diff != "" {
		t.Error(diff)
	}
	if diff := gocmp.Diff([]int32{0, 0, 1, 0, 1}, b.TypeIDs); diff != "" {
		t.Error(diff)
	}
	if diff := gocmp.Diff([]int{0, 3, 5}, b.Starts); diff != "" {
		t.Error(diff)
	}
	if diff := gocmp.Diff([]int32{9, 7}, b.Labels); diff != "" {
		t.Error(diff)
	}
}

func TestStepsPerEpoch(t *testing.T) {
	for _, tt := range []struct{ n, batch, accum, want int }{
		{60, 8, 2, 4}, {64, 8, 2, 4}, {65, 8, 2, 5}, {1, 64, 4, 1}, {10, 1, 1, 10},
	} {
		if got := stepsPerEpoch(tt.n, tt.batch, tt.accum); got != tt.want {
			t.Errorf("%d rows at %d × %d: %d steps, want %d", tt.n, tt.batch, tt.accum, got, tt.want)
		}
		if got := len(chunks(make([]int, tt.n), tt.batch*tt.accum)); got != tt.want {
			t.Errorf("%d rows at %d × %d: %d chunks, want %d", tt.n, tt.batch, tt.accum, got, tt.want)
		}
	}
}

func TestBalancedWeights(t *testing.T) {
	// 8 rows, 2 classes: 8/(2·6) and 8/(2·2).
	got := balancedWeights("balanced", []int{0, 0, 0, 0, 0, 0, 1, 1})
	if diff := gocmp.Diff([]float32{float32(8.0 / 12), 2}, got); diff != "" {
		t.Error(diff)
	}
	if got := balancedWeights("none", []int{0, 1}); got != nil {
		t.Errorf("weights %v without any asked for", got)
	}
}
