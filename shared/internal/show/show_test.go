package show

import (
	"strings"
	"testing"
)

func TestQuote(t *testing.T) {
	for in, want := range map[string]string{
		"":                             `""`,
		"a\"b\n":                       `"a\"b\n"`,
		strings.Repeat("a", 80):        `"` + strings.Repeat("a", 80) + `"`,
		strings.Repeat("a", 81):        `"` + strings.Repeat("a", 80) + `…"`,
		"a" + strings.Repeat("é", 100): `"a` + strings.Repeat("é", 39) + `…"`, // 1 + 39·2 = 79 bytes; the 40th would be cut in two
	} {
		if got := Quote(in); got != want {
			t.Errorf("%q: %s, want %s", in, got, want)
		}
	}
}
