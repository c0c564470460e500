package dataset

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestSplitsKeepPostsTogether(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		posts := rapid.IntRange(4, 30).Draw(t, "posts")
		var examples []Example
		for i := range posts {
			// Both labels in every post: no split can lack one.
			for j := range rapid.IntRange(2, 4).Draw(t, "pairs") {
				examples = append(examples, Example{PostID: fmt.Sprintf("p%d", i), Label: j % 2})
			}
		}
		seed := rapid.Int64Range(0, 1<<32-1).Draw(t, "seed")
		k := rapid.IntRange(2, 4).Draw(t, "k")
		parts, err := Folds(examples, k, seed)
		if err != nil {
			t.Fatal(err)
		}
		one, err := Split(examples, 0.25, seed)
		if err != nil {
			t.Fatal(err)
		}
		measured := make([]int, len(examples))
		for _, p := range append(slices.Clone(parts), one) {
			if len(p.Train)+len(p.Valid) != len(examples) {
				t.Fatalf("%d + %d of %d examples", len(p.Train), len(p.Valid), len(examples))
			}
			side := map[string]bool{}
			for _, row := range p.Train {
				side[examples[row].PostID] = true
			}
			for _, row := range p.Valid {
				if side[examples[row].PostID] {
					t.Fatalf("post %s is on both sides", examples[row].PostID)
				}
			}
		}
		for _, p := range parts {
			for _, row := range p.Valid {
				measured[row]++
			}
		}
		for row, n := range measured {
			if n != 1 {
				t.Fatalf("example %d is measured in %d folds, want 1", row, n)
			}
		}
	})
}

func TestSplitsRefuse(t *testing.T) {
	list := func(labels ...int) []Example {
		var examples []Example
		for i, y := range labels {
			examples = append(examples, Example{PostID: fmt.Sprintf("p%d", i), Label: y})
		}
		return examples
	}
	split := func(e []Example, fraction float64, seed int64) error { _, err := Split(e, fraction, seed); return err }
	folds := func(e []Example, k int, seed int64) error { _, err := Folds(e, k, seed); return err }
	for name, c := range map[string]struct {
		err  error
		want string
	}{
		"split, no label 1":   {split(list(0, 0, 0, 0), 0.25, 42), "split the corpus with seed 42: the training part (3 pairs of 3 posts) holds no pair with label 1; both labels are needed: keep more posts or criteria, or choose another seed"},
		"folds, no label 0":   {folds(list(1, 1, 1, 1), 2, 7), "make fold 0 of 2 with seed 7: the training part (2 pairs of 2 posts) holds no pair with label 0"},
		"folds, one positive": {folds(list(0, 0, 0, 1), 2, 7), "holds no pair with label 1"},
		"fraction":            {split(list(0, 1), 1, 42), "split the corpus by post: hold out 1 of 2 groups"},
		"too many folds":      {folds(list(0, 1), 3, 42), "make folds by post: split 2 groups into 3 folds"},
		"a task's label":      {split([]Example{{Task: Criteria, PostID: "a", Label: 0}, {Task: Criteria, PostID: "a", Label: 1}, {Task: Criteria, PostID: "b", Label: 0}, {Task: Criteria, PostID: "b", Label: 1}, {Task: Evidence, PostID: "a", Label: 1}, {Task: Evidence, PostID: "b", Label: 1}}, 0.5, 42), "holds no evidence pair with label 0; both labels"},
		"seed, split":         {split(list(0, 1), 0.5, -1), "seed -1 is not allowed; it must be 0 to 4294967295"},
		"seed, folds":         {folds(list(0, 1), 2, 1<<32), "seed 4294967296 is not allowed; it must be 0 to 4294967295"},
	} {
		if c.err == nil || !strings.Contains(c.err.Error(), c.want) {
			t.Errorf("%s: got %v, want …%s…", name, c.err, c.want)
		}
	}
}

func TestLabels(t *testing.T) {
	examples := []Example{{Label: 0}, {Label: 1}, {Label: 1}}
	if got := Labels(examples, []int{2, 0}); !slices.Equal(got, []int{1, 0}) {
		t.Errorf("got %v, want [1 0]", got)
	}
}

// The same seed holds out the same posts for one task as for both, so that agents compare.
func TestTasksAreSplitAlike(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var criteria, both []Example
		posts := rapid.IntRange(4, 20).Draw(t, "posts")
		for i := range posts {
			for y := range 2 {
				criteria = append(criteria, Example{Task: Criteria, PostID: fmt.Sprintf("p%d", i), CriterionID: fmt.Sprint(y), Label: y})
			}
		}
		both = slices.Clone(criteria)
		for i := range posts {
			for s := range rapid.IntRange(2, 5).Draw(t, "sentences") {
				both = append(both, Example{Task: Evidence, PostID: fmt.Sprintf("p%d", i), SentenceID: fmt.Sprint(s), Label: s % 2})
			}
		}
		held := func(examples []Example, rows []int) string {
			posts := map[string]bool{}
			for _, row := range rows {
				posts[examples[row].PostID] = true
			}
			return fmt.Sprint(slices.Sorted(maps.Keys(posts)))
		}
		seed := rapid.Int64Range(0, 1000).Draw(t, "seed")
		one, err := Split(criteria, 0.25, seed)
		two, err2 := Split(both, 0.25, seed)
		if err != nil || err2 != nil {
			t.Fatal(err, err2)
		}
		if a, b := held(criteria, one.Valid), held(both, two.Valid); a != b {
			t.Fatalf("held out %s alone, %s of both", a, b)
		}
	})
}

func TestGroups(t *testing.T) {
	examples := []Example{
		{Task: Criteria, PostID: "a", CriterionID: "x"}, {Task: Criteria, PostID: "a", CriterionID: "y"},
		{Task: Evidence, PostID: "a", CriterionID: "x", SentenceID: "1"}, {Task: Evidence, PostID: "b", CriterionID: "x", SentenceID: "1"},
		{Task: Evidence, PostID: "a", CriterionID: "x", SentenceID: "2"},
	}
	if got, want := Groups(examples), []int{0, 1, 2, 3, 2}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
