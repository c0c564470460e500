package objects

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestCheckKey(t *testing.T) {
	for _, key := range []string{
		"a", "a/b.c", "metrics/study=s/stage=A/trial=000012-rung=1-attempt=0.parquet",
		"..a/b..", "ä ö/x", strings.Repeat("x", maxPartBytes),
	} {
		if err := CheckKey(key); err != nil {
			t.Errorf("CheckKey(%q) = %v", key, err)
		}
	}
	for key, want := range map[string]string{
		"":                          "is empty",
		"/etc/passwd":               "empty part",
		"a/":                        "empty part",
		"a//b":                      "empty part",
		"..":                        "has a part ..",
		"a/../../b":                 "has a part ..",
		"./a":                       "has a part .",
		"a\\b":                      "control character",
		"a\x00b":                    "control character",
		"a\nb":                      "control character",
		"a\xffb":                    "not UTF-8",
		"a__0x2f__b":                "__0x",
		"a.attrs":                   "keeps for itself",
		"a.18a0123456789abc.tmp":    "keeps for itself",
		strings.Repeat("x", 235):    "part longer than",
		strings.Repeat("abc/", 300): "longer than 1024",
	} {
		if err := CheckKey(key); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("CheckKey(%q) = %v, want …%s…", key, err, want)
		}
	}
}

// Every method checks its key before it touches anything.
func TestMethodsCheckKeys(t *testing.T) {
	b, _ := open(t)
	ctx := t.Context()
	const bad = "../x"
	calls := map[string]func() error{
		"Read":   func() error { _, err := b.Read(ctx, bad); return err },
		"Reader": func() error { _, err := b.Reader(ctx, bad); return err },
		"Write":  func() error { return b.Write(ctx, bad, nil) },
		"Exists": func() error { _, err := b.Exists(ctx, bad); return err },
		"Delete": func() error { return b.Delete(ctx, bad) },
		"List":   func() error { _, err := b.List(ctx, bad); return err },
		"List /": func() error { _, err := b.List(ctx, "a//"); return err },
	}
	for name, call := range calls {
		if err := call(); err == nil || !strings.Contains(err.Error(), "has a") {
			t.Errorf("%s = %v, want the key refused", name, err)
		}
	}
}

// No key that is allowed leads out of the folder.
func FuzzCheckKey(f *testing.F) {
	f.Add("a/b")
	f.Add("a/../b")
	f.Add("a//b")
	f.Fuzz(func(t *testing.T, key string) {
		if CheckKey(key) != nil {
			return
		}
		const root = "/bucket"
		path := filepath.Join(root, filepath.FromSlash(key))
		rel, err := filepath.Rel(root, path)
		if err != nil || filepath.ToSlash(rel) != key || strings.HasPrefix(rel, ".."+string(os.PathSeparator)) {
			t.Fatalf("key %q becomes %s", key, path)
		}
	})
}
