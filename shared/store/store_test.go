package store

import (
	"strings"
	"testing"
)

func TestCheckStudy(t *testing.T) {
	for _, good := range []string{"a", "A.b_c-9", "0", strings.Repeat("a", 64)} {
		if err := CheckStudy(good); err != nil {
			t.Errorf("CheckStudy(%q) = %v", good, err)
		}
	}
	for _, bad := range []string{"", "..", "-a", "_a", "a/b", "a b", "a\n", "ä", strings.Repeat("a", 65)} {
		if err := CheckStudy(bad); err == nil || strings.ContainsRune(err.Error(), '\n') {
			t.Errorf("CheckStudy(%q) = %v, want one sentence", bad, err)
		}
	}
}

func TestCheckAppend(t *testing.T) {
	one := [][]byte{nil}
	if err := CheckAppend("s", 0, one); err != nil {
		t.Error(err)
	}
	for want, err := range map[string]error{
		"study name": CheckAppend("", 0, one),
		"negative":   CheckAppend("s", -1, one),
		"no events":  CheckAppend("s", 0, nil),
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("CheckAppend = %v, want …%s…", err, want)
		}
	}
}
