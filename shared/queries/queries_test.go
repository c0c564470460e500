package queries

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestNames(t *testing.T) {
	want := []string{"augmentation-by-method", "best-trials", "cost-by-stage", "f1-by-backbone-and-optimizer",
		"failures-by-kind", "pareto-front"}
	if d := cmp.Diff(want, Names()); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
}

// TestSQL checks what holds for every query; tests/queries runs them.
func TestSQL(t *testing.T) {
	for _, name := range Names() {
		text, err := SQL(name, "mine-1.evidence")
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(text, place) || strings.Contains(text, ";") {
			t.Errorf("%s still has a place to fill, or a semicolon:\n%s", name, text)
		}
		// Each reading of a table is limited to the study.
		tables := strings.Count(text, "FROM metrics\n") + strings.Count(text, "FROM trials\n")
		if n := strings.Count(text, "WHERE study = 'mine-1.evidence'"); n != tables || n == 0 {
			t.Errorf("%s reads %d tables and names the study %d times", name, tables, n)
		}
		if !strings.Contains(text, "\nORDER BY ") {
			t.Errorf("%s has no order", name)
		}
		what, err := Description(name)
		if err != nil || !strings.HasSuffix(what, ".") || strings.HasPrefix(what, "--") {
			t.Errorf("%s is described as %q, %v", name, what, err)
		}
	}
}

func TestRefused(t *testing.T) {
	for _, c := range []struct{ name, study, want string }{
		{"best", "mine", `no saved query "best"; allowed: augmentation-by-method, best-trials`},
		{"../queries", "mine", `no saved query "../queries"`},
		{"best-trials", "a' OR '1'='1", "study name"},
		{"best-trials", "", "study name"},
	} {
		if _, err := SQL(c.name, c.study); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("SQL(%q, %q): %v, want %q", c.name, c.study, err, c.want)
		}
	}
	if _, err := Description("none"); err == nil {
		t.Error("a query that is none has a description")
	}
}
