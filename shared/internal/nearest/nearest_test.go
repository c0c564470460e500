package nearest

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDistance(t *testing.T) {
	for _, tc := range []struct {
		a, b string
		want int
	}{
		{"", "", 0},
		{"", "abc", 3},
		{"abc", "", 3},
		{"lr", "lr", 0},
		{"kitten", "sitting", 3}, // Levenshtein's textbook pair
		{"flaw", "lawn", 2},
		{"optim.nam", "optim.name", 1},
	} {
		if got := distance(tc.a, tc.b); got != tc.want {
			t.Errorf("distance(%q, %q) = %d, want %d", tc.a, tc.b, got, tc.want)
		}
	}
}

func TestNames(t *testing.T) {
	names := []string{"trials", "epochs", "seeds", "rungs"}
	for _, tc := range []struct {
		name string
		n    int
		want []string
	}{
		{"epoch", 1, []string{"epochs"}},
		{"seds", 2, []string{"seeds", "rungs"}},                       // 1 edit; rungs 4, epochs 4, trials 5
		{"trials", 9, []string{"trials", "rungs", "epochs", "seeds"}}, // 0 edits, 4, 5, 5
		{strings.Repeat("x", maxLength+1), 2, []string{"trials", "epochs"}},
	} {
		if diff := cmp.Diff(tc.want, Names(tc.name, names, tc.n)); diff != "" {
			t.Errorf("%s: %s", tc.name, diff)
		}
	}
	if diff := cmp.Diff([]string{"trials", "epochs", "seeds", "rungs"}, names); diff != "" {
		t.Errorf("Names changed its argument: %s", diff)
	}
}
