package dataset

import (
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/supermax-hpo/supermax/shared/metrics"
)

// A Part divides examples, by their positions, into what is trained on and what is measured.
// The examples of one post are all on the same side.
type Part struct{ Train, Valid []int }

// Split holds out ⌈fraction·posts⌉ posts, chosen by seed (0 to 2^32−1) as scikit-learn's
// GroupShuffleSplit does. Two tasks' examples of one corpus are divided alike. It fails when
// a side lacks one of the two labels of a task, since neither training nor F1 means anything
// there.
func Split(examples []Example, fraction float64, seed int64) (Part, error) {
	state, err := legacySeed(seed)
	if err != nil {
		return Part{}, fmt.Errorf("split the corpus: %w", err)
	}
	train, valid, err := metrics.GroupSplit(postsOf(examples), fraction, state)
	if err != nil {
		return Part{}, fmt.Errorf("split the corpus by post: %w", err)
	}
	part := Part{train, valid}
	if err := part.check(examples); err != nil {
		return Part{}, fmt.Errorf("split the corpus with seed %d: %w", seed, err)
	}
	return part, nil
}

// Folds divides the posts into k folds, shuffled by seed (0 to 2^32−1) as scikit-learn's
// GroupKFold does; part i is measured on fold i. It fails as [Split] does.
func Folds(examples []Example, k int, seed int64) ([]Part, error) {
	state, err := legacySeed(seed)
	if err != nil {
		return nil, fmt.Errorf("make folds: %w", err)
	}
	folds, err := metrics.GroupKFold(postsOf(examples), k, state)
	if err != nil {
		return nil, fmt.Errorf("make folds by post: %w", err)
	}
	foldOf := make([]int, len(examples))
	for f, rows := range folds {
		for _, row := range rows {
			foldOf[row] = f
		}
	}
	parts := make([]Part, k)
	for f := range parts {
		for row, of := range foldOf {
			if of == f {
				parts[f].Valid = append(parts[f].Valid, row)
			} else {
				parts[f].Train = append(parts[f].Train, row)
			}
		}
		if err := parts[f].check(examples); err != nil {
			return nil, fmt.Errorf("make fold %d of %d with seed %d: %w", f, k, seed, err)
		}
	}
	return parts, nil
}

// Labels returns the labels of the examples at the given positions.
func Labels(examples []Example, rows []int) []int {
	labels := make([]int, len(rows))
	for i, row := range rows {
		labels[i] = examples[row].Label
	}
	return labels
}

// Groups numbers the groups in which a null policy compares items: those of one task, post
// and criterion. A pair of the task criteria is a group of its own.
func Groups(examples []Example) []int {
	type key struct{ task, post, criterion string }
	numbers := map[key]int{}
	groups := make([]int, len(examples))
	for i, e := range examples {
		k := key{e.Task, e.PostID, e.CriterionID}
		n, ok := numbers[k]
		if !ok {
			n = len(numbers)
			numbers[k] = n
		}
		groups[i] = n
	}
	return groups
}

func legacySeed(seed int64) (uint32, error) {
	if seed < 0 || seed > math.MaxUint32 {
		return 0, fmt.Errorf("seed %d is not allowed; it must be 0 to %d", seed, uint32(math.MaxUint32))
	}
	return uint32(seed), nil
}

func postsOf(examples []Example) []string {
	posts := make([]string, len(examples))
	for i, e := range examples {
		posts[i] = e.PostID
	}
	return posts
}

// check refuses a side without one of the labels of a task.
func (p Part) check(examples []Example) error {
	tasks := map[string]bool{}
	for _, e := range examples {
		tasks[e.Task] = true
	}
	for _, side := range []struct {
		name string
		rows []int
	}{{"training", p.Train}, {"validation", p.Valid}} {
		count := map[string]*[2]int{}
		for task := range tasks {
			count[task] = &[2]int{}
		}
		posts := map[string]bool{}
		for _, row := range side.rows {
			count[examples[row].Task][examples[row].Label]++
			posts[examples[row].PostID] = true
		}
		for _, task := range slices.Sorted(maps.Keys(tasks)) {
			pair := "pair"
			if len(tasks) > 1 {
				pair = task + " pair"
			}
			for label, n := range count[task] {
				if n == 0 {
					return fmt.Errorf("the %s part (%d pairs of %d posts) holds no %s with label %d; both labels are needed: keep more posts or criteria, or choose another seed",
						side.name, len(side.rows), len(posts), pair, label)
				}
			}
		}
	}
	return nil
}
