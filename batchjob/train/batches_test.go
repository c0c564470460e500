package train

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
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

func TestPack(t *testing.T) {
	rows := []encodedRow{{[]int32{1, 2}, []int32{0, 1}}, {[]int32{3}, []int32{0}}, {[]int32{4, 5, 6}, []int32{0, 0, 1}}}
	b := pack(rows, []int32{7, 8, 9}, []int{2, 0})
	if diff := cmp.Diff([]int32{4, 5, 6, 1, 2}, b.IDs); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]int32{0, 0, 1, 0, 1}, b.TypeIDs); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]int{0, 3, 5}, b.Starts); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]int32{9, 7}, b.Labels); diff != "" {
		t.Error(diff)
	}
	for limit, want := range map[int][][]int{1: {{0}, {1}, {2}}, 3: {{0, 1}, {2}}, 4: {{0, 1}, {2}}, 6: {{0, 1, 2}}} {
		if diff := cmp.Diff(want, chunksByTokens(rows, []int{0, 1, 2}, limit)); diff != "" {
			t.Errorf("at most %d tokens (-want +got):\n%s", limit, diff)
		}
	}
	if got := chunksByTokens(rows, nil, 4); got != nil {
		t.Errorf("chunks of nothing: %v", got)
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
	if diff := cmp.Diff([]float32{float32(8.0 / 12), 2}, got); diff != "" {
		t.Error(diff)
	}
	if got := balancedWeights("none", []int{0, 1}); got != nil {
		t.Errorf("weights %v without any asked for", got)
	}
}
