package backbone

import (
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
)

func TestChunks(t *testing.T) {
	lengths := []int{2, 1, 3}
	length := func(row int) int { return lengths[row] }
	for limit, want := range map[int][][]int{1: {{0}, {1}, {2}}, 3: {{0, 1}, {2}}, 4: {{0, 1}, {2}}, 6: {{0, 1, 2}}} {
		if diff := gocmp.Diff(want, Chunks([]int{0, 1, 2}, length, limit, false)); diff != "" {
			t.Errorf("at most %d tokens (-want +got):\n%s", limit, diff)
		}
	}
	if got := Chunks(nil, length, 4, false); got != nil {
		t.Errorf("chunks of nothing: %v", got)
	}
}

func TestChunksEven(t *testing.T) {
	lengths := []int{3, 1, 3, 2, 3, 1, 3}
	which := []int{0, 1, 2, 3, 4, 5, 6}
	want := [][]int{{1, 5}, {3}, {0, 2}, {4, 6}}
	if diff := gocmp.Diff(want, Chunks(which, func(row int) int { return lengths[row] }, 7, true)); diff != "" {
		t.Error(diff)
	}
}
