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
	dir := Dir(t, elem...)
	found, err := filepath.Glob(filepath.Join(dir, "*", file))
	if err != nil {
		t.Fatalf("find golden cases: %v", err)
	}
	for i, f := range found {
		found[i] = filepath.Dir(f)
	}
	if len(found) == 0 {
		t.Fatalf("find golden cases: no %s below %s", file, dir)
	}
	return found
}
