// Package goldentest finds the golden reference data. Tests that use it take whatever
// cases they find and fail on none, so that other data of the same layout can be run
// against the same code.
package goldentest

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// Env names the environment variable that points at another golden folder.
const Env = "SUPERMAX_GOLDEN"

// Dir returns the golden folder's sub-folder, for example Dir(t, "models", "bert"), and
// fails the test when it is missing or empty.
func Dir(t testing.TB, elem ...string) string {
	t.Helper()
	root := os.Getenv(Env)
	if root == "" {
		_, file, _, ok := runtime.Caller(0)
		if !ok {
			t.Fatalf("find the golden data: set %s", Env)
		}
		root = filepath.Join(filepath.Dir(file), "..", "golden")
	}
	dir := filepath.Join(append([]string{root}, elem...)...)
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatalf("find the golden data: %v", err)
	}
	if len(entries) == 0 {
		t.Fatalf("find the golden data: %s is empty", dir)
	}
	return dir
}

// Cases returns the sub-folders of Dir(elem...) that hold a file of that name, and fails
// the test when there is none.
func Cases(t testing.TB, file string, elem ...string) []string {
	t.Helper()
	found := holding(t, file, elem...)
	if len(found) == 0 {
		t.Fatalf("find golden cases: no %s below %s", file, Dir(t, elem...))
	}
	return found
}

// Some is [Cases] for a file that not every set of golden data holds: where [Env] names data
// without one, the test is skipped.
func Some(t testing.TB, file string, elem ...string) []string {
	t.Helper()
	found := holding(t, file, elem...)
	if len(found) == 0 {
		None(t, "no golden case has a "+file)
	}
	return found
}

// None ends a test that found nothing of a kind which not every set of golden data holds: it
// fails on our own data, and is skipped where [Env] names others.
func None(t testing.TB, what string) {
	t.Helper()
	if os.Getenv(Env) != "" {
		t.Skip(what)
	}
	t.Fatal(what)
}

// holding returns the sub-folders of Dir(elem...) that hold a file.
func holding(t testing.TB, file string, elem ...string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(Dir(t, elem...), "*", file))
	if err != nil {
		t.Fatalf("find golden cases: %v", err)
	}
	for i, f := range found {
		found[i] = filepath.Dir(f)
	}
	return found
}
